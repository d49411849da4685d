"""Objects of one type with what is selected of them: what the executor fills, level by level."""

import weakref
from typing import Any

from execution.field_error import Failure
from execution.plan.selections import Field, Selection

__all__ = ["Batch", "Children"]


class Children:
    """The objects that a field leads to, from all its parents, in order; each once when the field shares.

    `batches` hold what is selected of them, one for each type. `where` says for each object in which batch it is and where there, or that it
    failed; it is None when all are in the only batch, in order. `shared` says where an object is by its identity.
    """

    __slots__ = ("batches", "objects", "shared", "where")

    def __init__(self, objects: list[Any], shared: dict[int, int] | None) -> None:
        self.objects = objects
        self.shared = shared
        self.batches: list[Batch] = []
        self.where: list[tuple[Batch, int] | Failure] | None = None


class Batch:
    """Objects of one type and what is selected of them: `values` by field, in the order of the parents; `children` of fields that lead on.

    `source`: the batch (weakly: it knows its children, and all goes without the garbage collector) and field that led here, for those who ask
    for a path.
    """

    __slots__ = ("__weakref__", "children", "parents", "selection", "source", "values")

    def __init__(self, selection: Selection, parents: list[Any], source: "tuple[weakref.ref[Batch], Field] | None" = None) -> None:
        self.selection = selection
        self.parents = parents
        self.source = source
        self.values: dict[Field, list[Any]] = {}
        self.children: dict[Field, Children] = {}
