"""Implements the school's rules as pure functions, without I/O and without imports from other packages of the project."""
