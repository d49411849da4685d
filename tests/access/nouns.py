"""Collects the nouns that state their access in a module of their own, tests/nouns/test_*.py, for the tables of the access tests.

The nouns of the school's core are written into small_school.py and table.py, since their rows depend on each other.
"""

from importlib import import_module
from pathlib import Path

from tests.access.noun import Noun

__all__ = ["NOUNS"]


def _collected() -> list[Noun]:
    paths = sorted((Path(__file__).parents[1] / "nouns").glob("test_*.py"))
    return [import_module(f"tests.nouns.{path.stem}").NOUN for path in paths]


NOUNS = _collected()
