"""Configures logging."""
