"""Contains the benchmarks. They are not tests, because their figures depend on the machine."""
