-- Takes back 025_create_past_values. The better uuidv7() of older servers stays: ids of both kinds are in the tables.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP FUNCTION past_values(text, uuid, timestamptz);
