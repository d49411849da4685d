"""Mutations: what each does in its transaction, one file for each file in schema/writing/."""
