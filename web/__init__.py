"""Serves static pages, with all of their assets."""
