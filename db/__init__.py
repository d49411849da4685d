"""Contains everything about the database: the pool, the embedded server, the statements. School logic is elsewhere."""
