"""Runs GraphQL operations. Knows GraphQL, knows nothing of schools."""
