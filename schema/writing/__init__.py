"""Mutations: one file a noun, inputs beside the fields that take them."""
