"""`frozen`: what `@dataclass(frozen=True, slots=True)` makes, made in a fifth of the time.

A role has two hundred classes of values before it serves, and `dataclass` compiles six functions for each of
them: that was a third of a start. Here `__init__` alone is compiled; comparing, hashing and showing are the
same few functions for all. Whoever asks finds dataclasses: `fields`, `replace` and `asdict` know them. What
wants an order, or fields by keyword alone, is left to `dataclass`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
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
    made.__init__ = _constructor(made, parts)
    made.__setattr__ = made.__delattr__ = _refuse
    if "__getstate__" not in own and "__setstate__" not in own:
        made.__getstate__, made.__setstate__ = _state, _set_state
    if "__repr__" not in own:
        made.__repr__ = _representation([part.name for part in parts if part.repr])
    equal, hashed = _comparison([part.name for part in parts if part.compare])
    if "__eq__" not in own:
        made.__eq__ = equal
    if own.get("__hash__") is None:  # which Python writes beside an `__eq__`
        made.__hash__ = hashed
    return made  # type: ignore[no-any-return]


def _constructor(made: Any, parts: Sequence[Field[Any]]) -> Callable[..., None]:  # noqa: ANN401 - as above
    """`__init__`, which puts what it is given into the slots: afterwards nobody does."""
    parameters, lines, defaults = ["self"], ["pass"], []
    names: dict[str, Any] = {"missing": MISSING}
    for part in parts:
        name = given = part.name
        if not part.init:
            continue
        parameters.append(name)
        if part.default_factory is not MISSING:
            names[f"make_{name}"] = part.default_factory
            given = f"make_{name}() if {name} is missing else {name}"
            defaults.append(MISSING)
        elif part.default is not MISSING:
            defaults.append(part.default)
        names[f"set_{name}"] = getattr(made, name).__set__
        lines.append(f"set_{name}(self, {given})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}): {'; '.join(lines)}", names)  # noqa: S102 - of our own text
    constructor: Any = names["__init__"]
    constructor.__defaults__ = tuple(defaults)
    constructor.__qualname__ = f"{made.__qualname__}.__init__"
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


def _comparison(names: Sequence[str]) -> tuple[Callable[[object, object], object], Callable[[object], int]]:
    """`__eq__` and `__hash__` by these fields, among values of one class."""
    parts: Callable[[object], object] = attrgetter(*names) if names else lambda _self: ()

    def equal(self: object, other: object) -> object:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return parts(self) == parts(other)

    def hashed(self: object) -> int:
        return hash(parts(self))

    return equal, hashed
