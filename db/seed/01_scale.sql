-- The scale, the calendar, and numbers that look random and are the same each time.

CREATE TEMPORARY TABLE scale ON COMMIT DROP AS
SELECT *, classes / levels AS sections, (students / levels)::integer AS alumni
FROM (VALUES
    ('demo', 300, 12, 6, 20, 8, 40, 4, 3),
    ('school', 1000, 40, 10, 60, 16, 150, 5, 4),
    ('district', 20000, 800, 10, 1200, 40, 165, 5, 4)
) AS known (name, students, classes, levels, teachers, subjects, attendance_days, assessments_before, assessments_now)
WHERE name = current_setting('seed.scale');

-- A uuid in time's order, made from a kind and a counter: version 7 in shape.
CREATE FUNCTION pg_temp.seed_id(kind integer, n bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid
$$;

-- A number from 0 to below 1.
CREATE FUNCTION pg_temp.chance(kind integer, n bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8extended(n, kind) & 2147483647)::double precision / 2147483648
$$;

-- About normal, mean 0, deviation 1: four chances added.
CREATE FUNCTION pg_temp.bell(kind integer, n bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT ((hashint8extended(n, kind) & 65535) + ((hashint8extended(n, kind) >> 16) & 65535)
          + ((hashint8extended(n, kind) >> 32) & 65535) + ((hashint8extended(n, kind) >> 48) & 65535) - 131070)::double precision / 37837
$$;

CREATE TEMPORARY TABLE seed_years ON COMMIT DROP AS
SELECT y, pg_temp.seed_id(1, y, make_timestamptz(start_year - 3 + y, 5, 1, 9, 0, 0)) AS id, start_year - 3 + y AS start_year,
    make_date(start_year - 3 + y, 8, 1) AS start_date, make_date(start_year - 2 + y, 7, 31) AS end_date
FROM (SELECT extract(year FROM current_setting('seed.date')::date - interval '7 months')::integer AS start_year) AS now_year, generate_series(0, 3) AS y;

CREATE TEMPORARY TABLE seed_semesters ON COMMIT DROP AS
SELECT y, half, pg_temp.seed_id(2, y * 2 + half, make_timestamptz(start_year, 5, 1, 9, 0, 0)) AS id, id AS year_id,
    CASE half WHEN 0 THEN start_date ELSE make_date(start_year + 1, 2, 1) END AS start_date,
    CASE half WHEN 0 THEN make_date(start_year + 1, 1, 31) ELSE end_date END AS end_date
FROM seed_years, generate_series(0, 1) AS half;

INSERT INTO school_settings (id, name, time_zone, currency, full_day_minutes, created_at, updated_at)
SELECT pg_temp.seed_id(3, 1, start_date::timestamptz), 'Lindenhof School', 'Europe/Berlin', 'EUR', 270, start_date, start_date FROM seed_years WHERE y = 0;

INSERT INTO academic_years (id, name, start_date, end_date, is_current, created_at, updated_at)
SELECT id, start_year || '/' || lpad(((start_year + 1) % 100)::text, 2, '0'), start_date, end_date, y = 3,
    make_timestamptz(start_year, 5, 1, 9, 0, 0), make_timestamptz(start_year, 5, 1, 9, 0, 0)
FROM seed_years;

INSERT INTO semesters (id, academic_year_id, name, start_date, end_date, is_current, posting_opens_at, posting_closes_at, created_at, updated_at)
SELECT m.id, m.year_id, CASE m.half WHEN 0 THEN 'First semester' ELSE 'Second semester' END, m.start_date, m.end_date,
    current_setting('seed.date')::date BETWEEN m.start_date AND m.end_date,
    m.end_date - interval '30 days', m.end_date + interval '14 days', m.start_date - interval '90 days', m.start_date - interval '90 days'
FROM seed_semesters m;

INSERT INTO holidays (id, academic_year_id, name, start_date, end_date, created_at, updated_at)
SELECT pg_temp.seed_id(4, y * 10 + h.n, make_timestamptz(start_year, 5, 1, 9, 0, 0)), id, h.name,
    make_date(start_year + h.next_year, h.from_month, h.from_day), make_date(start_year + h.until_next_year, h.to_month, h.to_day),
    start_date - interval '90 days', start_date - interval '90 days'
FROM seed_years, (VALUES
    (1, 'Summer holidays', 0, 8, 1, 0, 8, 31), (2, 'Autumn holidays', 0, 10, 12, 0, 10, 23), (3, 'Winter holidays', 0, 12, 21, 1, 1, 5),
    (4, 'Spring holidays', 1, 3, 29, 1, 4, 9), (5, 'Labour Day', 1, 5, 1, 1, 5, 1), (6, 'Summer holidays', 1, 7, 10, 1, 7, 31)
) AS h (n, name, next_year, from_month, from_day, until_next_year, to_month, to_day);

-- Six lessons: as many minutes as a full day has.
INSERT INTO periods (id, name, start_time, end_time, created_at, updated_at)
SELECT pg_temp.seed_id(10, p.n, y.start_date), p.name, p.start_time, p.start_time + interval '45 minutes', y.start_date, y.start_date
FROM seed_years y, (VALUES
    (1, '1st', time '08:00'), (2, '2nd', time '08:50'), (3, '3rd', time '09:55'), (4, '4th', time '10:45'), (5, '5th', time '11:45'), (6, '6th', time '12:35')
) AS p (n, name, start_time) WHERE y.y = 0;

-- The days on which there was school so far, the latest first.
CREATE TEMPORARY TABLE seed_days ON COMMIT DROP AS
SELECT d::date AS day, y.y, y.id AS year_id, row_number() OVER (ORDER BY d DESC) AS back
FROM seed_years y, generate_series(y.start_date, least(y.end_date, current_setting('seed.date')::date), interval '1 day') AS d
WHERE extract(isodow FROM d) < 6 AND NOT EXISTS (SELECT FROM holidays h WHERE d::date BETWEEN h.start_date AND h.end_date);

INSERT INTO subjects (id, code, name, description, credits, created_at, updated_at)
SELECT pg_temp.seed_id(5, n, y.start_date), s.code, s.name, NULL, CASE WHEN (n - 1) % 8 = 7 THEN 0 WHEN (n - 1) % 8 < 3 THEN 2 ELSE 1 END, y.start_date, y.start_date
FROM seed_years y, scale, (VALUES
    (1, 'MATH', 'Mathematics'), (2, 'ENG', 'English'), (3, 'GER', 'German'), (4, 'SCI', 'Science'), (5, 'HIST', 'History'), (6, 'GEO', 'Geography'),
    (7, 'ART', 'Art'), (8, 'PE', 'Physical Education'), (9, 'ALG', 'Algebra'), (10, 'LIT', 'Literature'), (11, 'FRE', 'French'), (12, 'BIO', 'Biology'),
    (13, 'CIV', 'Civics'), (14, 'ECON', 'Economics'), (15, 'MUS', 'Music'), (16, 'SWIM', 'Swimming'), (17, 'GEOM', 'Geometry'), (18, 'ENGL', 'English Literature'),
    (19, 'SPA', 'Spanish'), (20, 'CHEM', 'Chemistry'), (21, 'WHIS', 'World History'), (22, 'ENV', 'Environment'), (23, 'DRAM', 'Drama'), (24, 'ATHL', 'Athletics'),
    (25, 'CALC', 'Calculus'), (26, 'RHET', 'Rhetoric'), (27, 'LAT', 'Latin'), (28, 'PHYS', 'Physics'), (29, 'POL', 'Politics'), (30, 'PHIL', 'Philosophy'),
    (31, 'DES', 'Design'), (32, 'GYM', 'Gymnastics'), (33, 'STAT', 'Statistics'), (34, 'CRWR', 'Creative Writing'), (35, 'ITA', 'Italian'), (36, 'CS', 'Computer Science'),
    (37, 'LAW', 'Law'), (38, 'PSY', 'Psychology'), (39, 'FILM', 'Film'), (40, 'DANC', 'Dance')
) AS s (n, code, name) WHERE y.y = 0 AND s.n <= scale.subjects;

INSERT INTO assessment_types (id, code, name, weight, created_at, updated_at)
SELECT pg_temp.seed_id(6, n, y.start_date), code, name, weight, y.start_date, y.start_date
FROM seed_years y, (VALUES (1, 'EXAM', 'Exam', 3), (2, 'TEST', 'Test', 2), (3, 'ESSAY', 'Essay', 2), (4, 'HOMEWORK', 'Homework', 1), (5, 'PROJECT', 'Project', 2)) AS t (n, code, name, weight)
WHERE y.y = 0;

INSERT INTO grading_scales (id, name, is_default, created_at, updated_at)
SELECT pg_temp.seed_id(7, 1, start_date), 'Letters A to F', true, start_date, start_date FROM seed_years WHERE y = 0;
INSERT INTO grading_scale_bounds (id, scale_id, lower_bound, letter, points)
SELECT pg_temp.seed_id(8, n, y.start_date), pg_temp.seed_id(7, 1, y.start_date), bound, letter, points
FROM seed_years y, (VALUES (1, 90, 'A', 4), (2, 80, 'B', 3), (3, 70, 'C', 2), (4, 60, 'D', 1), (5, 0, 'F', 0)) AS b (n, bound, letter, points) WHERE y.y = 0;

INSERT INTO fee_categories (id, code, name, description, default_amount, currency, created_at, updated_at)
SELECT pg_temp.seed_id(9, n, y.start_date), code, name, description, amount, 'EUR', y.start_date, y.start_date
FROM seed_years y, (VALUES
    (1, 'TUITION', 'Tuition', 'A month of school.', 180), (2, 'LUNCH', 'Lunch', 'A quarter of lunches.', 140.50),
    (3, 'BOOKS', 'Books', 'The books of the year.', 95.90), (4, 'TRIP', 'School trip', 'The trip of the year.', 220)
) AS f (n, code, name, description, amount) WHERE y.y = 0;
