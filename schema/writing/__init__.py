"""Mutations: one file for each subject area, with inputs beside the fields that take them."""
