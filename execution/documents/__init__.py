"""Bounds, parses, validates and keeps documents; analyses what their operations cost."""
