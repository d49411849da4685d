"""Serves GraphQL over HTTP: parsing requests, writing responses, content negotiation, limits. Contains nothing about schools and no SQL."""
