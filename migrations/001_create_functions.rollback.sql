-- Takes back 001_create_functions.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP FUNCTION refuse_change();
DROP FUNCTION currency_exponent(text);
DROP FUNCTION acting_request();
DROP FUNCTION acting_user();
DROP FUNCTION touch_row();
DROP FUNCTION fold_name(text);
DROP FUNCTION IF EXISTS public.uuidv7();
