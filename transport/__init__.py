"""GraphQL over HTTP: requests, responses, content negotiation, limits. Knows Starlette and GraphQL, no school word and no SQL."""
