"""The keys under which fields declare their cost in Strawberry's metadata. documents/cost_analysis.py computes an operation's cost of them.

A point stands for at most 20 microseconds on a school of 1,100 students: `make bench-costs` measures every field and fails on one that takes longer.

    COST: n        for each object that the field is resolved for; otherwise 1 for a field with a selection and for a leaf
                   under an alias, nothing for a plain leaf
    BATCH: n       once for the field, whatever the number of those objects: the statement that a loader runs for all of them
    PAGE: (d, m)   a connection: its nodes and edges count once for each object of the page (`first`, `last` or d, at most m)
    COUNT: n       what `totalCount` of this connection costs, also of an empty page
    SIZED_BY: name a list as long as this list argument, or as this integer argument says; or a number of objects
    EACH: n        for each object of a list or a page, beside what is selected of it; otherwise 1

COST and SIZED_BY may also be a function of the field's arguments as the client sent them. A list that does not say how long it is counts 10
objects; so do the lists of the schema's own description.
"""

from collections.abc import Mapping
from typing import TypeAlias

from execution.opaque_types import ArgumentValue

__all__ = ["BATCH", "COST", "COUNT", "EACH", "PAGE", "SIZED_BY", "STATEMENT", "ArgumentValues"]

COST = "cost"
BATCH = "batch"
PAGE = "page"
COUNT = "count"
SIZED_BY = "sized_by"
EACH = "each"

# The cost of a short statement, from calling the loader to having the rows.
STATEMENT = 40

# A field's arguments as the client sent them: texts, numbers, names of enum values, lists; None for an argument that was not given.
ArgumentValues: TypeAlias = Mapping[str, ArgumentValue]
