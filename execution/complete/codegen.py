"""Generated code: a function that makes the answers for many objects of one selection at once.

    def compose(rows, c1, c2):
        out = []
        append = out.append
        for r, c1, c2 in zip(rows, c1, c2):
            append({"id": (v if type(v := c1) is str else complete0(v)), "name": (v if type(v := r['name']) is str else …), "class": c2})
        return out

Its text depends on the shape of the selection and on how its objects are read; it is compiled once for each text, whichever plan asks.
What is put into the text are names of the schema and of columns, as literals; values never are.
"""

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from execution.complete.leaf_values import leaf, leaf_list
from execution.field_error import IrregularError
from execution.plan.selections import Field, Kind, Selection
from execution.run.values import reads_items
from execution.sized_cache import SizedCache

__all__ = ["CODE", "composer"]

# Clients' names for fields are in the texts. Kept within this, in bytes: the code of a text takes about six times its length.
_MAX_BYTES = 6 << 20
_CODE_BYTES = 2_000

# By its text.
CODE: SizedCache[str, CodeType] = SizedCache(_MAX_BYTES)

# rows, then the composed values of each field that is not read from the rows: one list each, as long as `rows`.
Composer = Callable[..., list[dict[str, Any]]]


def composer(selection: Selection, kind: type | None) -> tuple[Composer, list[Field]]:
    """The function for parents of one class (None: of several), and the fields whose values it takes as lists.

    It raises, something or other, for a value that is not regular: the answer is then made by with_errors.py.
    """
    found: tuple[Composer, list[Field]] | None = selection.composers.get(kind)
    if found is None:
        found = selection.composers[kind] = _made(selection, kind)
    return found


def _made(selection: Selection, kind: type | None) -> tuple[Composer, list[Field]]:
    names: dict[str, Any] = {}
    given: list[Field] = []
    parts = []
    for place, field in enumerate(selection.fields):
        suffix = str(place)
        if field.kind is Kind.TYPENAME:
            expression = repr(selection.type.name)
        elif not field.inline or (field.kind is Kind.COMPUTED and field.declared.many is not None):
            given.append(field)
            expression = _written(field, f"c{suffix}", suffix, names) if field.is_leaf else f"c{suffix}"
        else:
            expression = _written(field, _read(field, kind, suffix, names), suffix, names)
        parts.append(f"{field.key!r}: {expression}")
    columns = [f"c{selection.fields.index(field)}" for field in given]
    targets = ", ".join(["r", *columns])
    over = f"zip({', '.join(['rows', *columns])})" if columns else "rows"
    text = (
        f"def compose({', '.join(['rows', *columns])}):\n    out = []\n    append = out.append\n"
        f"    for {targets} in {over}:\n        append({{{', '.join(parts)}}})\n    return out\n"
    )
    exec(_compiled(text), names)  # noqa: S102 - the text is ours: see above what is put into it
    return names["compose"], given


def _compiled(text: str) -> CodeType:
    return CODE.get_or_make(text, lambda: compile(text, "<selection>", "exec"), lambda _: _CODE_BYTES + 8 * sys.getsizeof(text))


def _read(field: Field, kind: type | None, suffix: str, names: dict[str, Any]) -> str:
    """Python that reads a field's value from the row `r`."""
    if field.kind is Kind.COMPUTED:
        names[f"computed{suffix}"] = field.declared.function
        return f"computed{suffix}(r)"
    value = "r" if field.column is None else _attribute(field.column, kind)
    if field.kind is Kind.GUARD:
        names[f"closed{suffix}"] = _closed
        return f"({value} if {_attribute(field.declared.allowed, kind)} else closed{suffix}())"
    return value


def _attribute(name: str, kind: type | None) -> str:
    if kind is not None and reads_items(kind, name):
        return f"r[{name!r}]"
    return f"r.{name}" if name.isidentifier() else f"getattr(r, {name!r})"


def _closed() -> Any:
    raise IrregularError


def _written(field: Field, read: str, suffix: str, names: dict[str, Any]) -> str:
    if field.lists:
        names[f"complete{suffix}"] = leaf_list(field.type)
        return f"complete{suffix}({read})"
    made = leaf(field.named, field.nullable)
    names.update(made.bound(suffix))
    return made.expression(read, suffix)
