-- Takes back 026_create_gateway_events.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE gateway_events;
