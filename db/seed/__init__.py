"""Generates fictional schools in three sizes. The same date always yields the same data."""

from db.seed.runner import SCALES, NotEmptyError, seed

__all__ = ["SCALES", "NotEmptyError", "seed"]
