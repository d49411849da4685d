"""Made-up schools of three sizes: the same each time for the same date."""

from db.seed.runner import SCALES, NotEmptyError, seed

__all__ = ["SCALES", "NotEmptyError", "seed"]
