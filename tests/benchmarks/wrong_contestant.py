"""Builds a contestant that answers one thing wrongly: it writes last names in capitals."""

from benchmarks.handwritten import app

_right = app._user


def _user(row):
    found = _right(row)
    return found | {"lastName": found["lastName"].upper()}


def create_app():
    app._user = _user
    return app.rows()
