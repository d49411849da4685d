"""Generates a function for each selection that completes many objects at once.

    def complete(rows, c2):
        out = []
        append = out.append
        for r, c2 in zip(rows, c2):
            append({"id": (v if type(v := r['id']) is str else complete0(v)), "name": (v if type(v := r['name']) is str else …), "class": c2})
        return out

The text depends on the selection and on how its objects are read. It is compiled once for each text, and shared by all plans. It contains
names of the schema, of columns, and clients' aliases, as literals; values are never in it.
"""

import sys
from collections.abc import Callable
from types import CodeType
from typing import NoReturn, cast

from execution.complete.leaf_values import leaf, leaf_list
from execution.field_error import NeedsSlowPathError
from execution.fields import ComputedField, GuardedField
from execution.opaque_types import JSONData, Source
from execution.plan.selections import Field, FieldKind, Selection
from execution.run.values import reads_items
from sized_cache import SizedCache

__all__ = ["CODE", "compile_selection"]

# Clients' aliases are in the texts. Kept within this, in bytes: the code of a text takes about six times its length.
_MAX_BYTES = 6 << 20
_CODE_BYTES = 2_000

# By its text.
CODE: SizedCache[str, CodeType] = SizedCache(_MAX_BYTES)

# Takes the parents, then a list as long as these for each field whose values are not read from them.
Complete = Callable[..., list[dict[str, JSONData]]]


def compile_selection(selection: Selection, class_: type | None) -> tuple[Complete, list[Field]]:
    """Returns the function that completes parents of one class (None: of several), and the fields whose values it takes as lists.

    The function raises some exception for a value that it does not handle: complete/with_errors.py must then complete the response.
    """
    found = cast("tuple[Complete, list[Field]] | None", selection.completers.get(class_))
    if found is None:
        found = _make(selection, class_)
        selection.completers[class_] = found
    return found


def _make(selection: Selection, class_: type | None) -> tuple[Complete, list[Field]]:
    names: dict[str, object] = {}
    given: list[Field] = []
    parts = []
    for place, field in enumerate(selection.fields):
        suffix = str(place)
        if field.kind is FieldKind.TYPENAME:
            expression = repr(selection.type.name)
        elif not field.resolved_in_completion or (field.kind is FieldKind.COMPUTED and field.declared.many is not None):
            given.append(field)
            expression = _completed(field, f"c{suffix}", suffix, names) if field.is_leaf else f"c{suffix}"
        else:
            expression = _completed(field, _read(field, class_, suffix, names), suffix, names)
        parts.append(f"{field.key!r}: {expression}")
    columns = [f"c{selection.fields.index(field)}" for field in given]
    targets = ", ".join(["r", *columns])
    over = f"zip({', '.join(['rows', *columns])})" if columns else "rows"
    text = (
        f"def complete({', '.join(['rows', *columns])}):\n    out = []\n    append = out.append\n"
        f"    for {targets} in {over}:\n        append({{{', '.join(parts)}}})\n    return out\n"
    )
    exec(_compiled(text), names)  # noqa: S102 - the text is ours: the module's docstring says what it contains
    return cast("Complete", names["complete"]), given


def _compiled(text: str) -> CodeType:
    return CODE.get_or_make(text, lambda: compile(text, "<selection>", "exec"), lambda _: _CODE_BYTES + 8 * sys.getsizeof(text))


def _read(field: Field, class_: type | None, suffix: str, names: dict[str, object]) -> str:
    """Returns Python code that reads a field's value from the row `r`."""
    if field.kind is FieldKind.COMPUTED:
        computed: ComputedField = field.declared
        names[f"computed{suffix}"] = computed.function
        return f"computed{suffix}(r)"
    value = "r" if field.column is None else _attribute(field.column, class_)
    if field.kind is FieldKind.GUARD:
        guarded: GuardedField = field.declared
        names[f"refuse{suffix}"] = _refuse
        return f"({value} if {_attribute(guarded.allowed, class_)} else refuse{suffix}())"
    return value


def _attribute(name: str, class_: type | None) -> str:
    if class_ is not None and reads_items(class_, name):
        return f"r[{name!r}]"
    return f"r.{name}" if name.isidentifier() else f"getattr(r, {name!r})"


def _refuse() -> NoReturn:
    raise NeedsSlowPathError


def _completed(field: Field, read: str, suffix: str, names: dict[str, object]) -> str:
    """Returns Python code that completes what the code `read` reads."""
    complete: Callable[[Source], JSONData]
    if field.list_depth:
        complete = leaf_list(field.type)
        names[f"complete{suffix}"] = complete
        return f"complete{suffix}({read})"
    made = leaf(field.named, field.nullable)
    names.update(made.bound(suffix))
    return made.expression(read, suffix)
