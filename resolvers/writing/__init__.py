"""Mutations: what each does in its transaction. One file for each of schema/writing."""
