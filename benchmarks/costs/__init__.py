"""Measures how many milliseconds every field takes per point of its cost, on the school-scale data set, and finds outliers."""
