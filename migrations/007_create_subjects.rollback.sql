-- Takes back 007_create_subjects.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE fee_categories;
DROP TABLE assessment_types;
DROP TABLE teacher_subjects;
DROP TABLE subjects;
