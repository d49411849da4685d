"""What an error of PostgreSQL is as text, in tracebacks and logs: what went wrong and where, without the values.

PostgreSQL's DETAIL has the whole row that was refused in it, and some messages quote the value.
"""

import asyncpg

__all__ = ["hide_values"]

# Class 22 is about a value that does not fit, and its messages quote it; so do those of errors that our triggers raise.
_QUOTES_VALUES = "22"
_RAISED_BY_TRIGGERS = "exec_stmt_raise"
_PLACES = ("schema_name", "table_name", "column_name", "data_type_name", "constraint_name")


def hide_values() -> None:
    """Makes `str` and `repr` of asyncpg's errors leave out values. `args` keeps PostgreSQL's own message.

    The class is changed, since a traceback is written by many: the log, asyncio for a task that nobody awaited, uvicorn.
    """
    asyncpg.PostgresError.__str__ = _text  # type: ignore[method-assign, assignment]
    asyncpg.PostgresError.__repr__ = _repr  # type: ignore[method-assign, assignment]


def _text(error: asyncpg.PostgresError) -> str:
    """The message if it has no values in it, the SQLSTATE, and the names of what the error is about."""
    state = error.sqlstate or ""
    quotes = state.startswith(_QUOTES_VALUES) or getattr(error, "server_source_function", None) == _RAISED_BY_TRIGGERS
    message = "" if quotes or not error.args else f"{error.args[0]} "
    names = {place.removesuffix("_name"): getattr(error, place, None) for place in _PLACES}
    return f"{message}({', '.join([f'SQLSTATE {state}', *(f'{place} {name}' for place, name in names.items() if name)])})"


def _repr(error: asyncpg.PostgresError) -> str:
    return f"{type(error).__name__}({_text(error)!r})"
