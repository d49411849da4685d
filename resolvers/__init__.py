"""How a field gets its value: loaders, root fields, mutations, paging. One file a noun. Knows no GraphQL type."""
