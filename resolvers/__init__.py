"""How fields get their values: root fields, loaders and paging; mutations are in resolvers/writing/. Knows no GraphQL types."""
