"""Measures writes over HTTP, registers and payments, on a copy of the district school."""
