-- Takes back 021_create_overruled_marks.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE overruled_marks;
ALTER TABLE school_settings DROP CONSTRAINT school_settings_school_days_check;
ALTER TABLE school_settings DROP COLUMN school_days;
