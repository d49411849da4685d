"""Completes what was resolved into a response."""
