"""Compares the speed of different servers on the same three screens, in one run and with equal responses."""
