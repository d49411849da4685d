"""Runs a plan: resolves every field breadth-first."""
