"""Builds random data with faults, for the schema of faulty_schema.py.

The data is determined by a seed, so that a field of an object always has the same value. Some values are null, some have another type than the
field, some are exceptions or raise one.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from random import Random

import orjson
import strawberry

from execution.loaders import Loader, RowPaths
from execution.raw_json import RawJson
from execution.run.dataloaders import RequestLoaders
from json_tree import JsonConstant, JsonLeaf

KINDS = ("Person", "Place", "Thing")


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = 3


class Item:
    """Represents an object whose columns are items, as in database rows."""

    columns_are_items = True
    kind = "Thing"

    def __init__(self, world, number):
        self._world = world
        self._number = number

    def __getitem__(self, name):
        return self._world.value(self._number, name)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._world.value(self._number, name)

    def __repr__(self):
        return f"<{type(self).__name__} {self._number}>"


class PersonRow(Item):
    kind = "Person"


class PlaceRow(Item):
    kind = "Place"


class ThingObject(Item):
    """Represents an object that is read by attributes."""

    columns_are_items = False


class Page:
    """Represents a page of a list, with the fields of a connection."""

    def __init__(self, nodes, total):
        self.nodes = nodes
        self.total_key = total

    @property
    def edges(self):
        return [PageEdge(each) for each in self.nodes]

    @property
    def page_info(self):
        return self


class PageEdge:
    def __init__(self, node):
        self.node = node
        self.cursor = f"c{node._number}" if node is not None else "none"


class World:
    """Generates the data of one seed, in which `trouble` of a thousand values are faulty."""

    def __init__(self, seed, trouble):
        self.seed = seed
        self.trouble = trouble
        self.loaders = RequestLoaders(self)
        self.written = 0
        self.batches = []

    def random(self, *what):
        return Random(f"{self.seed} {what}")

    def item(self, number):
        made = (PersonRow, PlaceRow, ThingObject)[number % 3]
        return made(self, number)

    def of_kind(self, kind, random):
        return self.item(random.randrange(8) * 3 + KINDS.index(kind))

    def wrong(self, random, usual):
        """Returns the usual value, or a faulty one in its place."""
        if random.randrange(1000) >= self.trouble:
            return usual
        return random.choice([None, None, None, RuntimeError("a value that is an exception"), object, "words", 2**40, float("nan"), []])

    def value(self, number, name):
        random = self.random(number, name)
        if random.randrange(1000) < self.trouble // 4:
            raise LookupError(f"no {name} of {number}")
        return self.wrong(random, _MADE[name](self, random, number))

    def answer(self, kind, key, arguments=None):
        """Returns a loader's result for a key."""
        if type(key) is not int:
            hash(key)
            return TypeError(f"{key} is no key")
        random = self.random("answer", kind, key, arguments)
        if random.randrange(1000) < self.trouble // 3:
            return ValueError(f"{kind} {key} cannot be loaded")
        if random.randrange(1000) < self.trouble // 2:
            return None
        return self.item(key - key % 3 + KINDS.index(kind) if kind in KINDS else key)

    def written_or_read(self, found, tree, key):
        """Returns what a loader that can return JSON returns for an object or a list: in half of the cases JSON, if all values can be serialised."""
        if tree is None or found is None or isinstance(found, Exception) or self.random("written", key).random() < 0.5:
            return found
        try:
            made = [self._object(each, tree) for each in found] if type(found) is list else self._object(found, tree)
        except Exception:  # noqa: BLE001 - whatever cannot be written is read
            return found
        self.written += 1
        return RawJson(orjson.dumps(made).decode())

    def _object(self, row, tree):
        made = {}
        for part in tree.parts:
            if isinstance(part, JsonConstant):
                made[part.key] = part.text
            elif isinstance(part, JsonLeaf):
                made[part.key] = _leaf(row[part.columns[0]], part)
            else:
                key = row[part.column]
                one = None if key is None else self.answer(part.object.source.type_name, key)
                if isinstance(one, Exception) or (one is None and not part.nullable):
                    raise TypeError
                made[part.key] = None if one is None else self._object(one, part.object)
        return made

    def several(self, key, first):
        if type(key) is not int:
            hash(key)
            return TypeError(f"{key} is no key")
        random = self.random("several", key, first)
        if random.randrange(1000) < self.trouble // 3:
            return ValueError(f"the list of {key} cannot be loaded")
        return [self.wrong(random, self.of_kind("Place", random)) for _ in range(min(first, 4))]


def _leaf(value, part):
    """Returns the JSON of a value without faults. Raises for any other."""
    if value is None and part.nullable:
        return None
    if part.kind == "enum":
        return dict(part.names)[value]
    kind, write = _WRITE[part.kind]
    if type(value) is not kind:
        raise TypeError
    return write(value)


_WRITE = {
    "text": (str, str),
    "int": (int, lambda value: value if abs(value) < 2**31 else 1 / 0),
    "boolean": (bool, bool),
    "date": (dt.date, dt.date.isoformat),
    "datetime": (dt.datetime, dt.datetime.isoformat),
    "time": (dt.time, dt.time.isoformat),
    "decimal": (Decimal, str),
}


def _text(world, random, number):
    return f'text {random.randrange(10_000)} ü"\n'


_MADE = {
    "id": lambda world, random, number: f"{number}",
    "name": _text,
    "nickname": lambda world, random, number: random.choice([None, "Nick"]),
    "age": lambda world, random, number: random.randrange(-100, 100),
    "height": lambda world, random, number: random.choice([random.random() * 3, 2, None]),
    "is_open": lambda world, random, number: random.random() < 0.5,
    "born": lambda world, random, number: dt.date(1990, 1, 1) + dt.timedelta(days=random.randrange(9_000)),
    "seen": lambda world, random, number: (
        dt.datetime(2026, 1, 1, tzinfo=random.choice([dt.UTC, None, dt.timezone(dt.timedelta(hours=2))]))
        + dt.timedelta(microseconds=random.randrange(10**12))
    ),
    "wakes": lambda world, random, number: dt.time(random.randrange(24), 5, 0, random.choice([0, 7])),
    "price": lambda world, random, number: random.choice([Decimal("1.50"), Decimal("1E+3"), 7]),
    "colour": lambda world, random, number: random.choice(["red", 3, Colour.GREEN, "green"]),
    "tags": lambda world, random, number: [world.wrong(random, "t") for _ in range(random.randrange(4))],
    "grid": lambda world, random, number: [[world.wrong(random, n) for n in range(2)] for _ in range(random.randrange(3))],
    "opens": lambda world, random, number: random.random() < (1 if world.trouble == 0 else 0.7),
    "secret": _text,
    "home": lambda world, random, number: world.of_kind("Place", random),
    "box": lambda world, random, number: random.choice([None, world.of_kind("Thing", random)]),
    "friend_id": lambda world, random, number: random.choice([None, *range(24)]),
    "boss_id": lambda world, random, number: random.randrange(24),
    "near": lambda world, random, number: [world.of_kind(random.choice(KINDS), random) for _ in range(random.randrange(4))],
    "shelves": lambda world, random, number: [
        [world.wrong(random, world.of_kind("Thing", random)) for _ in range(random.randrange(3))] for _ in range(random.randrange(3))
    ],
}


async def _people(world, keys, _, projection):
    world.batches.append(("people", tuple(keys)))
    return [world.written_or_read(world.answer("Person", key), projection.json_object, key) for key in keys]


async def _places(world, keys, first):
    world.batches.append(("places", tuple(keys)))
    return [world.several(key, first) for key in keys]


async def _pages(world, keys, first, projection):
    pages = []
    for key in keys:
        found = world.several(key, first)
        if not isinstance(found, Exception):
            rows = [one for one in found if isinstance(one, Item)]
            found = Page(world.written_or_read(rows, projection.json_object, key), len(found))
        pages.append(found)
    return pages


async def _totals(world, keys, _):
    return [key + 1 for key in keys]


@dataclass(frozen=True)
class Source:
    """Describes the source of rows of a type; lists of them are not nested."""

    type_name: str

    def can_nest(self, arguments):
        return False


PEOPLE = Loader(_people, "people", max_batch_size=7, row_paths=RowPaths(), source=Source("Person"))
PLACES = Loader(_places, "places")
PAGES = Loader(_pages, "pages", row_paths=RowPaths((("nodes",), ("edges", "node"))), source=Source("Place"))
TOTALS = Loader(_totals, "totals")
