"""`frozen`: what `@dataclass(frozen=True, slots=True)` makes, made in a fifth of the time.

A role has two hundred classes of values before it serves, and `dataclass` compiles six functions for each of
them: that was a third of a start. Here `__init__` alone is compiled, and what compares and hashes when it is
first asked for. Whoever asks finds dataclasses: `fields`, `replace` and `asdict` know them. Order, and fields
by keyword alone, are left to `dataclass`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from reprlib import recursive_repr
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Makes the annotated attributes of a class the fields of a value; methods that it has itself stay."""
    own = vars(cls)
    # Typed as anything, since methods of a class are put in place here.
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    parts = fields(made)
    _judge(cls.__qualname__, parts)
    made.__init__ = _constructor(made, parts)
    made.__setattr__ = made.__delattr__ = _refuse
    if "__getstate__" not in own and "__setstate__" not in own:
        made.__getstate__, made.__setstate__ = _state, _set_state
    if "__repr__" not in own:
        made.__repr__ = _representation([part.name for part in parts if part.repr])
    equal, hashed = _comparison(made, [part.name for part in parts if part.compare])
    if "__eq__" not in own:
        made.__eq__ = equal
    if own.get("__hash__") is None:  # which Python writes beside an `__eq__`
        made.__hash__ = hashed
    return made  # type: ignore[no-any-return]


def _judge(kind: str, parts: Sequence[Field[Any]]) -> None:
    """Raises TypeError for fields that `__init__` would not take as it seems."""
    before = None
    for part in parts:
        if not part.init:
            continue
        if part.kw_only:
            raise TypeError(
                f"{kind}: the field {part.name!r} is given by keyword alone: that takes `dataclass`"
            )
        if _has_default(part):
            before = part.name
        elif before is not None:
            raise TypeError(
                f"{kind}: the field {part.name!r} has no default and follows {before!r}, which has one"
            )


def _has_default(part: Field[Any]) -> bool:
    return part.default is not MISSING or part.default_factory is not MISSING


def _constructor(made: Any, parts: Sequence[Field[Any]]) -> Callable[..., None]:  # noqa: ANN401 - as above
    """`__init__`, which puts what it is given into the slots: afterwards nobody does.

    What it needs besides has two underscores in front, which no field has: in a class Python puts the class's
    name before them.
    """
    own = "__self" if any(part.name == "self" for part in parts) else "self"
    parameters, lines, defaults = [own], ["pass"], []
    names: dict[str, Any] = {"__missing": MISSING}
    for number, part in enumerate(parts):
        given = part.name if part.init else f"__default_{number}"
        if part.default_factory is not MISSING:
            names[f"__make_{number}"] = part.default_factory
            is_given = f"{given} if {given} is not __missing else " if part.init else ""
            given = f"{is_given}__make_{number}()"
        elif not part.init and part.default is MISSING:
            continue
        if part.init:
            parameters.append(part.name)
            defaults += [part.default] if _has_default(part) else []
        names[f"__default_{number}"] = part.default
        names[f"__set_{number}"] = getattr(made, part.name).__set__
        lines.append(f"__set_{number}({own}, {given})")
    if hasattr(made, "__post_init__"):
        lines.append(f"{own}.__post_init__()")
    constructor = _compiled(made, f"__init__({', '.join(parameters)})", "; ".join(lines), names)
    constructor.__defaults__ = tuple(defaults)
    return constructor  # type: ignore[no-any-return]


def _refuse(_self: object, name: str, *_value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot change the field {name!r} of a value")


def _state(self: Any) -> list[object]:  # noqa: ANN401 - a value of any class
    """What `copy` and `pickle` take of a value: they would set its slots one by one, which is refused."""
    return [getattr(self, part.name) for part in fields(self)]


def _set_state(self: Any, state: Sequence[object]) -> None:  # noqa: ANN401 - as above
    for part, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, part.name, value)


def _representation(names: Sequence[str]) -> Callable[[object], str]:
    @recursive_repr()
    def shown(self: object) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({inner})"

    return shown


def _comparison(made: Any, names: Sequence[str]) -> tuple[Callable[..., object], Callable[..., int]]:  # noqa: ANN401 - as above
    """`__eq__` and `__hash__` by these fields, among values of one class; most classes never ask for them."""
    own, others = (f"({''.join(f'{whose}.{name}, ' for name in names)})" for whose in ("self", "other"))

    def equal(self: object, other: object) -> object:
        is_equal = f"{own} == {others} if other.__class__ is self.__class__ else NotImplemented"
        made.__eq__ = _compiled(made, "__eq__(self, other)", f"return {is_equal}", {})
        return made.__eq__(self, other)

    def hashed(self: object) -> int:
        made.__hash__ = _compiled(made, "__hash__(self)", f"return hash({own})", {})
        return made.__hash__(self)  # type: ignore[no-any-return]

    return equal, hashed


def _compiled(made: Any, head: str, body: str, names: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
    """A method of the class, of a text in which stands nothing but what we write, and names of fields."""
    exec(f"def {head}: {body}", names)  # noqa: S102 - see above
    method = names[head.partition("(")[0]]
    method.__qualname__ = f"{made.__qualname__}.{method.__name__}"
    return method
