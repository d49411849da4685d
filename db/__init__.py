"""The database: its pool, its embedded server, its statements. School logic lives elsewhere."""
