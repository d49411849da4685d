"""The school's rules as pure functions: no I/O, nothing of ours imported."""
