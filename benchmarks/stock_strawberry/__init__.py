"""Implements a small Strawberry application as Strawberry's documentation shows. It is the baseline of comparisons and must not be changed."""
