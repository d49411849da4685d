"""The same answers without GraphQL: what a server written for these screens alone would be."""
