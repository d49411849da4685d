"""Removes values from the text of PostgreSQL's errors in tracebacks and logs.

PostgreSQL's DETAIL contains the whole refused row, and some messages quote the value.
"""

import asyncpg

__all__ = ["hide_values"]

# The messages of class 22 (data exception) quote the value; so do those of errors that the schema's triggers raise.
_QUOTES_VALUES = "22"
_RAISED_BY_TRIGGERS = "exec_stmt_raise"
_PLACES = ("schema_name", "table_name", "column_name", "data_type_name", "constraint_name")


def hide_values() -> None:
    """Patches asyncpg's errors so that `str` and `repr` omit values. `args` keeps PostgreSQL's message.

    The class itself is patched, because many places write tracebacks: the log, asyncio for tasks that are never awaited, uvicorn.
    """
    asyncpg.PostgresError.__str__ = _text  # type: ignore[method-assign, assignment]
    asyncpg.PostgresError.__repr__ = _repr  # type: ignore[method-assign, assignment]


def _text(error: asyncpg.PostgresError) -> str:
    """Returns the message, unless it may quote a value, with the SQLSTATE and the names of the table, column or constraint."""
    state = error.sqlstate or ""
    quotes = state.startswith(_QUOTES_VALUES) or getattr(error, "server_source_function", None) == _RAISED_BY_TRIGGERS
    message = "" if quotes or not error.args else f"{error.args[0]} "
    names = {place.removesuffix("_name"): getattr(error, place, None) for place in _PLACES}
    return f"{message}({', '.join([f'SQLSTATE {state}', *(f'{place} {name}' for place, name in names.items() if name)])})"


def _repr(error: asyncpg.PostgresError) -> str:
    return f"{type(error).__name__}({_text(error)!r})"
