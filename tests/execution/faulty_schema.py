"""Builds a schema with everything that an executor can get wrong, on the data of faulty_data.py.

It is loaded twice: with WAITS, edges are declared and filled by loaders, as in the application's schema; without, no field awaits anything, so that
graphql-core encounters errors in the order of the response.
"""

import datetime as dt
import importlib.util
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import strawberry

from execution.errors import Refusal
from execution.fields import ASKS_NO_LOADER, class_decides_type, computed, edge, edge_with, guarded
from tests.execution.faulty_data import KINDS, PAGES, PEOPLE, PLACES, TOTALS, Colour, Item, Page, PersonRow, PlaceRow, ThingObject

WAITS: bool = globals().get("WAITS", True)


def load(name, *, waits):
    """Loads this schema again, as a separate module."""
    spec = importlib.util.spec_from_file_location(f"tests.execution.{name}", Path(__file__))
    module = importlib.util.module_from_spec(spec)
    module.WAITS = waits
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.SCHEMA


def _refuse():
    return Refusal("FORBIDDEN", "Not for you.")


def _label(row):
    if row.age == 13:
        raise ArithmeticError("thirteen")
    return f"{row.name}!"


def _told(place, info, colour, times):
    random = info.context.random("told", place._number, colour.name, times)
    if random.randrange(1000) < info.context.trouble:
        raise RuntimeError("nobody knows")
    return f"{colour.name} {times}"


def loaded(loader, key, answer):
    """Declares an edge without arguments."""
    if WAITS:
        return edge(loader, key, description="")

    def resolve(root: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        value = getattr(root, key)
        return None if value is None else answer(info.context, value)

    return strawberry.field(resolver=resolve)


def loaded_with(loader, key, answer, **options):
    """Declares an edge with the argument `first`."""

    def decorate(prepare):
        if WAITS:
            return edge_with(loader, key, description="", **options)(prepare)

        def resolve(self: Any, info: strawberry.Info, first: int = 2) -> Any:
            if options and not getattr(self, options["allowed"]):
                refuse = options["refuse"]
                raise refuse()
            value = getattr(self, key)
            arguments = prepare(None, None, first=first)
            return None if value is None else answer(info.context, value, arguments)

        resolve.__annotations__["return"] = prepare.__annotations__["return"]
        return strawberry.field(resolver=resolve)

    return decorate


def several(world, key, first):
    return world.several(key, first)


def page(world, key, first):
    found = world.several(key, first)
    return found if isinstance(found, Exception) else Page([one for one in found if isinstance(one, Item)], len(found))


def first_of(first):
    if first < 0:
        raise Refusal("BAD_USER_INPUT", "`first` must not be negative.")
    return first


@strawberry.interface
class Named:
    id: strawberry.ID
    name: str
    label: str | None = computed(_label, description="", many=lambda rows: [_label(each) for each in rows])

    @classmethod
    @class_decides_type
    def resolve_type(cls, value, *_):
        return getattr(type(value), "kind", None)


def typed(row):
    def decorate(cls):
        @class_decides_type
        def is_type_of(value, info):
            return isinstance(value, row)

        cls.__strawberry_definition__.is_type_of = is_type_of
        return cls

    return decorate


@strawberry.type
class PageEdgeType:
    cursor: str
    node: "Place | None"


@strawberry.type
class PageInfo:
    total_key: int


@strawberry.type
class PlacePage:
    nodes: list["Place"]
    edges: list[PageEdgeType | None]
    page_info: PageInfo
    total: int = loaded(TOTALS, "total_key", lambda world, key: key + 1)


@typed(PersonRow)
@strawberry.type
class Person(Named):
    nickname: str | None
    age: int
    height: float | None
    born: dt.date
    seen: dt.datetime | None
    wakes: dt.time | None
    colour: Colour
    tags: list[str] | None
    secret: str | None = guarded("secret", "opens", _refuse, description="")
    itself: "Person | None" = guarded(None, "opens", _refuse, description="")
    home: "Place"
    friend: "Person | None" = loaded(PEOPLE, "friend_id", lambda world, key: world.answer("Person", key))
    boss: "Person" = loaded(PEOPLE, "boss_id", lambda world, key: world.answer("Person", key))
    near: list[Named] | None

    @loaded_with(PLACES, "boss_id", several)
    def places(self: Any, info: strawberry.Info, first: int = 2) -> list["Place"] | None:
        return first_of(first)

    @loaded_with(PAGES, "friend_id", page, allowed="opens", refuse=_refuse)
    def visited(self: Any, info: strawberry.Info, first: int = 2) -> PlacePage | None:
        return first_of(first)

    @strawberry.field
    def path(self: Any, info: strawberry.Info) -> str:
        return ".".join(str(each) for each in info.path.as_list())


@typed(PlaceRow)
@strawberry.type
class Place(Named):
    is_open: bool
    price: Decimal | None
    grid: list[list[int]]
    box: "Thing | None"
    owner: Person | None = loaded(PEOPLE, "friend_id", lambda world, key: world.answer("Person", key))

    @strawberry.field
    async def slowly(self: Any, info: strawberry.Info, colour: Colour = Colour.RED, times: int | None = None) -> str | None:
        return _told(self, info, colour, times)

    if not WAITS:

        @strawberry.field
        def slowly(self: Any, info: strawberry.Info, colour: Colour = Colour.RED, times: int | None = None) -> str | None:
            return _told(self, info, colour, times)


@typed(ThingObject)
@strawberry.type
class Thing(Named):
    colour: Colour | None
    price: Decimal
    shelves: list[list["Thing | None"] | None]

    @strawberry.field
    def sums(self: Any, info: strawberry.Info, numbers: list[int] = strawberry.UNSET) -> int:
        return sum(numbers or [0])


Anything = Annotated[Person | Place | Thing, strawberry.union("Anything")]


@strawberry.input
class Wish:
    kind: str = "Person"
    number: int | None = None
    colours: list[Colour] = strawberry.field(default_factory=list)
    inner: "Wish | None" = None


@strawberry.type
class Query:
    @strawberry.field(metadata={ASKS_NO_LOADER: True})
    def person(self, info: strawberry.Info, number: int = 0) -> Person | None:
        return info.context.answer("Person", number)

    @strawberry.field(metadata={ASKS_NO_LOADER: True})
    def somebody(self, info: strawberry.Info) -> Person:
        return info.context.item(3)

    @strawberry.field
    def wish(self, info: strawberry.Info, wish: Wish) -> str | None:
        return f"{wish}"

    @strawberry.field(metadata={ASKS_NO_LOADER: True})
    def anything(self, info: strawberry.Info, first: int = 3) -> list[Anything | None] | None:
        random = info.context.random("anything", first)
        return [info.context.wrong(random, info.context.of_kind(random.choice(KINDS), random)) for _ in range(min(first, 5))]

    @strawberry.field(metadata={ASKS_NO_LOADER: True})
    def named(self, info: strawberry.Info, numbers: list[int] | None = None) -> list[Named]:
        return [info.context.item(each % 24) for each in numbers or (1, 2, 3)]

    @strawberry.field(metadata={ASKS_NO_LOADER: True})
    def things(self, info: strawberry.Info) -> list[list[Thing]] | None:
        random = info.context.random("things")
        return [(info.context.of_kind("Thing", random) for _ in range(2)), (info.context.of_kind("Thing", random),)]

    @strawberry.field
    def version(self) -> int:
        return 7


@strawberry.type
class Mutation:
    @strawberry.mutation
    def first_of(self, info: strawberry.Info, number: int = 0) -> Person | None:
        info.context.batches.append(("mutation", number))
        return info.context.answer("Person", number)

    @strawberry.mutation
    def must(self, info: strawberry.Info, number: int = 0) -> Person:
        info.context.batches.append(("mutation", number))
        return info.context.answer("Person", number)


SCHEMA = strawberry.Schema(Query, Mutation, types=[Person, Place, Thing])._schema
