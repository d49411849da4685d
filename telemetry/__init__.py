"""What the server tells of what it does."""
