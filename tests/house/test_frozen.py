"""Values made by `frozen` are what `@dataclass(frozen=True, slots=True)` makes of the same class."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from oakroot.frozen import frozen

Maker = Callable[[type], type]
T = TypeVar("T")


def point(make: Maker) -> Any:  # noqa: ANN401 - a class that the test makes
    @make
    class Point:
        """A place."""

        ORIGIN: ClassVar[int] = 0
        x: int
        y: int = 0
        tags: list[str] = field(default_factory=list, compare=False)
        note: str = field(default="", repr=False)
        total: int = field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "total", self.x + self.y)

    return Point


def base_and_derived(make: Maker) -> tuple[Any, Any]:
    @make
    class Base:
        """One field."""

        x: int

        def doubled(self) -> int:
            return 2 * self.x

    @make
    class Derived(Base):
        """And another one."""

        y: int = 5

    return Base, Derived


@frozen
class Place:
    """In the module, where `pickle` finds it."""

    x: int
    tags: list[str]


@dataclass(frozen=True, slots=True)
class StandardPlace:
    """Its twin."""

    x: int
    tags: list[str]


POINT = point(frozen)
STANDARD = point(dataclass(frozen=True, slots=True))


def test_fields_are_given_by_place_or_name_or_have_their_default() -> None:
    made = POINT(1, y=2)
    assert (made.x, made.y, made.tags, made.note, made.total) == (1, 2, [], "", 3)


def test_each_value_has_a_default_of_its_own_where_one_is_made() -> None:
    first, second = POINT(1), POINT(1)
    first.tags.append("kept")
    assert second.tags == []


@pytest.mark.parametrize("arguments", [{}, {"x": 1, "z": 2}, {"x": 1, "total": 2}])
def test_a_field_that_is_missing_or_unknown_is_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__"):
        POINT(**arguments)


def test_the_parameters_are_those_of_a_dataclass() -> None:
    assert POINT(1) != STANDARD(1)  # the constructor is compiled when it is first called
    names, standard = (list(inspect.signature(kind).parameters) for kind in (POINT, STANDARD))
    assert names == standard


@pytest.mark.parametrize("name", ["x", "total", "unknown"])
def test_nothing_can_be_changed_or_deleted(name: str) -> None:
    made = POINT(1)
    with pytest.raises(FrozenInstanceError, match=name):
        setattr(made, name, 2)
    with pytest.raises(FrozenInstanceError, match=name):
        delattr(made, name)


def test_there_is_no_room_for_other_attributes() -> None:
    assert not hasattr(POINT(1), "__dict__")


@pytest.mark.parametrize(
    ("one", "other"),
    [((1, 2), (1, 2)), ((1, 2), (1, 3)), ((1, 2, ["a"]), (1, 2, ["b"])), ((1, 2, [], "a"), (1, 2, [], "b"))],
)
def test_values_are_equal_as_those_of_a_dataclass(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert (POINT(*one) == POINT(*other)) is (STANDARD(*one) == STANDARD(*other))
    assert hash(POINT(*one)) == hash(STANDARD(*one))


def test_another_class_with_the_same_fields_is_another_thing() -> None:
    assert POINT(1) != STANDARD(1)
    assert POINT(1) != (1, 0, "")


def test_it_shows_itself_as_a_dataclass_does() -> None:
    assert repr(POINT(1, 2)) == repr(STANDARD(1, 2))


def test_a_value_in_itself_is_shown_once() -> None:
    made = POINT(1, tags=[])
    made.tags.append(made)
    assert repr(made).endswith("Point(x=1, y=0, tags=[...])")


def test_what_a_class_says_of_itself_stays() -> None:
    @frozen
    class Quiet:
        """Says nothing."""

        secret: str

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 1

        def __repr__(self) -> str:
            return "Quiet"

    assert Quiet("a") == Quiet("b")
    assert repr(Quiet("a")) == "Quiet"
    assert hash(Quiet("a")) == 1


def test_fields_are_inherited_with_their_methods() -> None:
    _, derived = base_and_derived(frozen)
    assert (derived(2).doubled(), derived(2, 3).y) == (4, 3)
    assert repr(derived(2)) == repr(base_and_derived(dataclass(frozen=True, slots=True))[1](2))


def test_what_belongs_to_the_class_is_no_field_of_what_is_derived_of_it() -> None:
    @frozen
    class Further(point(frozen)):  # type: ignore[misc]  # a class that the test makes
        z: int = 3

    assert [part.name for part in dataclasses.fields(Further)] == ["x", "y", "tags", "note", "total", "z"]
    assert vars(Further)["__match_args__"] == ("x", "y", "tags", "note", "z")


def test_a_value_may_be_of_a_generic_class() -> None:
    @frozen
    class Holder(Generic[T]):
        held: T

    assert Holder[int](3) == Holder(3)


def test_a_base_and_what_is_derived_of_it_are_never_equal() -> None:
    base, derived = base_and_derived(frozen)
    assert base(2) != derived(2)


def test_a_value_without_fields_is_like_any_other_of_its_class() -> None:
    @frozen
    class Nothing:
        """No field."""

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()).endswith("Nothing()")


def test_the_standard_library_takes_it_for_a_dataclass() -> None:
    made = dataclasses.replace(POINT(1, 2), y=5)
    assert (made.x, made.y, made.total) == (1, 5, 6)
    assert dataclasses.asdict(made) == {"x": 1, "y": 5, "tags": [], "note": "", "total": 6}


def test_its_fields_are_known_before_there_is_a_value() -> None:
    fresh = base_and_derived(frozen)[1]
    assert [(each.name, each.default) for each in dataclasses.fields(fresh)] == [
        ("x", dataclasses.MISSING),
        ("y", 5),
    ]


def test_its_fields_can_be_matched_by_place() -> None:
    match POINT(1, 2):
        case POINT(x, y):
            assert (x, y) == (1, 2)


@pytest.mark.parametrize("kind", [Place, StandardPlace])
@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))],  # noqa: S301 - our own
    ids=["copy", "deep", "pickle"],
)
def test_a_copy_is_equal(kind: Any, again: Callable[[Any], Any]) -> None:  # noqa: ANN401 - either class
    made = kind(1, ["kept"])
    copied = again(made)
    assert copied == made
    assert copied is not made
    assert (copied.tags is made.tags) is (again is copy.copy)
    with pytest.raises(FrozenInstanceError):
        copied.x = 2


@pytest.mark.parametrize("make", [frozen, dataclass(frozen=True, slots=True)])
def test_a_field_without_a_default_may_not_follow_one_that_has_one(make: Maker) -> None:
    with pytest.raises(TypeError, match="'b'"):

        @make
        class Turned:
            """Which of them would `Turned(5)` give?"""

            a: int = 1
            b: int


def test_a_field_by_keyword_alone_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Named: the field 'b' is given by keyword alone"):

        @frozen
        class Named:
            """By keyword alone."""

            a: int
            b: int = field(kw_only=True)


@pytest.mark.parametrize("make", [frozen, dataclass(frozen=True, slots=True)])
def test_fields_may_have_any_name(make: Maker) -> None:
    @make
    class Odd:
        """Names that the constructor might want itself."""

        self: int
        set_a: int
        missing: int
        a: list[int] = field(default_factory=list)
        make_a: int = 5

    made: Any = Odd
    assert dataclasses.astuple(made(1, 2, 3)) == (1, 2, 3, [], 5)


@pytest.mark.parametrize("make", [frozen, dataclass(frozen=True, slots=True)])
def test_a_field_that_is_not_given_has_its_default(make: Maker) -> None:
    @make
    class Counted:
        """Nothing is given."""

        number: int = field(init=False, default=3)
        names: list[str] = field(init=False, default_factory=list)

    assert dataclasses.astuple(Counted()) == (3, [])  # type: ignore[call-overload]  # a class made here


@pytest.mark.parametrize("make", [frozen, dataclass(frozen=True, slots=True)])
def test_one_field_is_compared_as_several_are(make: Maker) -> None:
    @make
    class One:
        """One field, which need not be equal to itself."""

        number: float

    made: Any = One
    nothing = float("nan")
    assert made(nothing) == made(nothing)
    assert hash(made(nothing)) == hash((nothing,))
