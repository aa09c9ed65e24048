"""`frozen`: what `@dataclass(frozen=True, slots=True)` makes, made in a tenth of the time.

A role has two hundred classes of values before it serves, and `dataclass` compiles six functions for each of
them: that was a third of a start. Here a class gets its slots at once, and all else when it is first asked
for: most never make a value in a process that serves. Whoever asks finds dataclasses: `fields`, `replace` and
`asdict` know them. Order, and fields by keyword alone, are left to `dataclass`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from reprlib import recursive_repr
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeVar, dataclass_transform, get_origin

T = TypeVar("T")
Fields = Mapping[str, Field[Any]]

# What Python gives a class that has no slots.
_ROOM = ("__dict__", "__weakref__")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Makes the annotated attributes of a class the fields of a value; methods that it has itself stay."""
    metaclass: Any = type(cls)
    own = {name: value for name, value in vars(cls).items() if name not in _ROOM}
    kinds = own.get("__annotations__", {})
    names = [name for name, kind in kinds.items() if not _is_of_class(kind)]
    defaults = {name: own.pop(name) for name in names if name in own}
    # As `fields` tells them, which leaves out what belongs to the class.
    inherited = {part.name: part for part in fields(cls)} if hasattr(cls, "__dataclass_fields__") else {}  # type: ignore[arg-type]
    parts = {name: _Part.of(part) for name, part in inherited.items()}
    parts.update((name, _Part.of(defaults.get(name, MISSING))) for name in names)
    _judge(cls.__qualname__, parts)

    def described() -> Fields:
        like = {"__module__": cls.__module__, "__annotations__": kinds, **defaults}
        if "__orig_bases__" in own:  # without which Python takes a generic class for one of no parameter
            like["__orig_bases__"] = own["__orig_bases__"]
        shape: Any = dataclass(init=False, repr=False, eq=False)(metaclass(cls.__name__, cls.__bases__, like))
        made.__dataclass_params__ = shape.__dataclass_params__
        made.__dataclass_fields__ = shape.__dataclass_fields__
        return made.__dataclass_fields__  # type: ignore[no-any-return]

    methods = _methods(lambda: made, own)
    own |= methods
    own["__qualname__"] = cls.__qualname__
    own["__slots__"] = tuple(name for name in names if name not in inherited)
    own["__match_args__"] = tuple(name for name, part in parts.items() if part.is_given)
    own["__dataclass_fields__"] = _Later(described)
    # Typed as anything, since methods of a class are put in place here.
    made: Any = metaclass(cls.__name__, cls.__bases__, own)
    return made  # type: ignore[no-any-return]


class _Part(NamedTuple):
    """A field, as far as that must be known at once."""

    is_given: bool
    """Whether the constructor takes it."""
    has_default: bool
    is_named: bool
    """Whether it is given by keyword alone."""

    @classmethod
    def of(cls, default: Any) -> _Part:  # noqa: ANN401 - a value of any kind, or a field with all of it
        if not isinstance(default, Field):
            return _WITHOUT_DEFAULT if default is MISSING else _WITH_DEFAULT
        return cls(default.init, _has_default(default), default.kw_only is True)


_WITH_DEFAULT = _Part(is_given=True, has_default=True, is_named=False)
_WITHOUT_DEFAULT = _Part(is_given=True, has_default=False, is_named=False)


class _Later:
    """The fields of a class as dataclasses know them, made when somebody asks."""

    def __init__(self, described: Callable[[], Fields]) -> None:
        self._described = described

    def __get__(self, _value: object, _kind: type) -> Fields:
        return self._described()


def _is_of_class(kind: Any) -> bool:  # noqa: ANN401 - an annotation is a text, or whatever it says
    """Whether this annotates an attribute of the class, and no field."""
    if isinstance(kind, str):
        return kind.startswith(("ClassVar", "typing.ClassVar"))
    return kind is ClassVar or get_origin(kind) is ClassVar


def _judge(kind: str, parts: Mapping[str, _Part]) -> None:
    """Raises TypeError for fields that `__init__` would not take as it seems."""
    before = None
    for name, part in parts.items():
        if not part.is_given:
            continue
        if part.is_named:
            raise TypeError(f"{kind}: the field {name!r} is given by keyword alone: that takes `dataclass`")
        if part.has_default:
            before = name
        elif before is not None:
            raise TypeError(
                f"{kind}: the field {name!r} has no default and follows {before!r}, which has one"
            )


def _has_default(part: Field[Any]) -> bool:
    return part.default is not MISSING or part.default_factory is not MISSING


def _methods(kind: Callable[[], Any], own: Mapping[str, object]) -> dict[str, object]:
    """What values need that their class, `own`, does not have itself; `kind` gives it once it is made.

    What depends on the fields is compiled when it is first called, and from then on in the place of this.
    """

    def __init__(self: object, *given: object, **named: object) -> None:  # noqa: N807 - shown if it is called wrongly
        made = kind()
        made.__init__ = _constructor(made, fields(made))
        made.__init__(self, *given, **named)

    def equal(self: object, other: object) -> object:
        made = kind()
        own, others = (_compared(made, whose) for whose in ("self", "other"))
        is_equal = f"{own} == {others} if other.__class__ is self.__class__ else NotImplemented"
        made.__eq__ = _compiled(made, "__eq__(self, other)", f"return {is_equal}", {})
        return made.__eq__(self, other)

    def hashed(self: object) -> int:
        made = kind()
        made.__hash__ = _compiled(made, "__hash__(self)", f"return hash({_compared(made, 'self')})", {})
        return made.__hash__(self)  # type: ignore[no-any-return]

    methods: dict[str, object] = {"__init__": __init__, "__setattr__": _refuse, "__delattr__": _refuse}
    if "__getstate__" not in own and "__setstate__" not in own:
        methods |= {"__getstate__": _state, "__setstate__": _set_state}
    if "__repr__" not in own:
        methods["__repr__"] = _representation
    if "__eq__" not in own:
        methods["__eq__"] = equal
    if own.get("__hash__") is None:  # which Python writes beside an `__eq__`
        methods["__hash__"] = hashed
    return methods


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


@recursive_repr()
def _representation(self: Any) -> str:  # noqa: ANN401 - a value of any class
    inner = ", ".join(f"{part.name}={getattr(self, part.name)!r}" for part in fields(self) if part.repr)
    return f"{type(self).__qualname__}({inner})"


def _compared(made: Any, whose: str) -> str:  # noqa: ANN401 - as above
    """The tuple of what a value is compared by, as it is written; most classes are never asked."""
    return f"({''.join(f'{whose}.{part.name}, ' for part in fields(made) if part.compare)})"


def _compiled(made: Any, head: str, body: str, names: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
    """A method of the class, of a text in which stands nothing but what we write, and names of fields."""
    exec(f"def {head}: {body}", names)  # noqa: S102 - see above
    method = names[head.partition("(")[0]]
    method.__qualname__ = f"{made.__qualname__}.{method.__name__}"
    return method
