"""Serves the same responses without GraphQL, as a server written for only these screens would."""
