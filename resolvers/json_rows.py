"""Rows that PostgreSQL writes as JSON: from what an operation selects of them to the template of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from db.json_sql import Joined, Listed, Template, is_regular
from db.query_compiler import Query
from db.rows import Row
from execution.json_tree import Constant, Value
from execution.loaders import Prefetch
from execution.plan.json_pushdown import Link, Many, Shape
from execution.raw_json import RawJson
from execution.run.dataloaders import RequestLoaders
from execution.sized_cache import SizedCache

__all__ = ["TEMPLATES", "PageOrigin", "keep_linked", "linked", "linked_values", "writes", "written_texts"]


# What is selected is up to clients: the templates of what they select are kept within this, in bytes.
_MAX_BYTES = 8 << 20
_TEMPLATE_BYTES = 600
_PART_BYTES = 500

# By the class of the rows and what is selected of them.
TEMPLATES: SizedCache[tuple[type[Row], Shape], Template | None] = SizedCache(_MAX_BYTES)


def writes(row: type[Row]) -> Callable[[Shape], Template | None]:
    """Makes templates for rows of a class; None for a shape that is not of theirs."""

    def made(shape: Shape) -> Template | None:
        if shape.type_name != row.type_name:
            return None
        return TEMPLATES.get_or_make((row, shape), lambda: _template(row, shape), lambda _: _size(shape))

    return made


def _template(row: type[Row], shape: Shape) -> Template | None:
    parts = [_part(each) for each in shape.parts]
    known = tuple(each for each in parts if each is not None)
    return Template(row.tag, known) if len(known) == len(parts) else None


def _size(shape: Shape) -> int:
    """What a shape and its template take in memory at most, in bytes."""
    below = sum(_size(each.shape) for each in shape.parts if isinstance(each, (Link, Many)))
    return _TEMPLATE_BYTES + _PART_BYTES * len(shape.parts) + below


@dataclass(frozen=True, slots=True)
class PageOrigin:
    """Where a loader's pages come from: a query's list per parents of this name."""

    query: Query
    per: str


def _part(part: Constant | Value | Link | Many) -> Constant | Value | Joined | Listed | None:
    if isinstance(part, (Constant, Value)):
        return part
    template: Any = part.loader.writes(part.shape) if part.loader.writes is not None else None
    if template is None or part.loader.origin is None:
        return None
    origin = part.loader.origin
    if isinstance(part, Many):
        request: Any = part.arguments
        variant = request.variant(origin.query, origin.per)
        values = tuple(request.values(more=0).items())
        # A page from the end comes in reversed order; one with guarded arguments is for its own loader to refuse.
        return (
            None
            if request.backward or request.guarded
            else Listed(part.key, part.inner, part.column, origin.query, variant, values, template)
        )
    return Joined(part.key, part.column, origin.query, origin.key, template, part.nullable)


def linked(cargo: Iterable[Prefetch]) -> tuple[Joined, ...]:
    """What rows may bring along as JSON, as columns of theirs."""
    return tuple(
        Joined("", each.column, each.loader.origin.query, each.loader.origin.key, each.projection.json_template, nullable=False)
        for each in cargo
    )


def linked_values(cargo: Iterable[Prefetch]) -> dict[str, Any]:
    """The parameters of the lists in it."""
    found: dict[str, Any] = {}
    for number, each in enumerate(cargo):
        found |= each.projection.json_template.values(f"_{number}")
    return found


def keep_linked(loaders: RequestLoaders, cargo: Iterable[Prefetch], rows: Iterable[Any]) -> None:
    """Tells the loaders that will be asked what rows brought along for them. What could not be written they find out themselves."""
    for number, each in enumerate(cargo):
        made = loaders.of(each.loader, None, each.projection)
        column, name = each.column, f"written.{number}"
        for row in rows:
            text = row[name]
            if row[column] is not None and (text is None or is_regular(text)):
                made.prime(row[column], None if text is None else RawJson(text))


def written_texts(texts: Iterable[str]) -> list[RawJson] | None:
    """What was written; None when a row could not be, and rows must be fetched to say why."""
    found = list(texts)
    return [RawJson(each) for each in found] if all(map(is_regular, found)) else None
