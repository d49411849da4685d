"""A small Strawberry application, written as Strawberry's documentation shows. Frozen: it is what others are compared with."""
