"""Plans an operation: its selections, what it needs of each loader, what can be pushed down to the source as JSON."""
