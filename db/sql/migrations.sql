-- The format of this file: README.md in this folder.

-- The tables of the migration tool, yoyo, and of `db/migrate.py` and `db/data_loss.py`. They are written when the schema changes.

-- table: _yoyo_log
-- Which migration was applied or rolled back, when, and by which account of the operating system.
migration_hash migration_id operation comment created_at_utc
-- personal technical operator: username, hostname; untraceable: it is an account of the operating system; while the record exists

-- table: _yoyo_migration
-- Which migrations are applied.
migration_hash migration_id applied_at_utc
-- personal: none – they describe the schema

-- table: _yoyo_version
-- The version of these tables.
installed_at_utc
-- personal: none – they describe the schema

-- table: yoyo_lock
-- Held while migrations run.
locked ctime pid
-- personal: none – it names a process

-- table: migration_checksums
-- What the applied migrations said.
migration_id sha256 applied_at compatible_with_older_code
-- personal: none – they describe the schema

-- table: migration_losses
-- How many rows of which column a rollback has lost.
migration_id table_name column_name rows_lost lost_at settled_at
-- personal: none – rows are counted, not stored
