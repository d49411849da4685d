-- Classes of four years, who teaches what in them, who was in them.

-- Who takes this year's lessons and class of a teacher who has left: the first one of the same subject who has not.
CREATE TEMPORARY TABLE seed_stand_ins ON COMMIT DROP AS
SELECT t.alt_id, y.y, CASE WHEN t.is_active OR y.y < 3 THEN t.id ELSE
        (SELECT o.id FROM teachers o WHERE o.is_active AND (o.alt_id - t.alt_id) % scale.subjects = 0 ORDER BY o.alt_id LIMIT 1) END AS teacher_id
FROM scale, teachers t, seed_years y;

INSERT INTO classes (id, academic_year_id, teacher_id, name, grade_level, section, room, capacity, is_active, created_at, updated_at)
SELECT pg_temp.seed_id(60, y.y * scale.classes + c, y.start_date - interval '30 days'), y.id, t.teacher_id,
    place.level || lower(place.letter), place.level, place.letter, 'R' || (100 + (c - 1) % 300), 30, y.y = 3, y.start_date - interval '30 days', y.start_date - interval '30 days'
FROM scale, seed_years y, generate_series(1, scale.classes) AS c,
    LATERAL (SELECT (c - 1) / scale.sections + 1 AS level,
        CASE WHEN (c - 1) % scale.sections < 26 THEN chr(65 + (c - 1) % scale.sections)
             ELSE chr(64 + (c - 1) % scale.sections / 26) || chr(65 + (c - 1) % scale.sections % 26) END AS letter) AS place
JOIN seed_stand_ins t ON true
WHERE t.y = y.y AND t.alt_id = (c - 1) % scale.teachers + 1 AND place.level <= scale.levels - greatest(0, 2 - y.y);

CREATE TEMPORARY TABLE seed_classes ON COMMIT DROP AS
SELECT y.y, c.id, c.grade_level AS level, row_number() OVER (PARTITION BY y.y, c.grade_level ORDER BY length(c.section), c.section)::integer - 1 AS section
FROM classes c JOIN seed_years y ON y.id = c.academic_year_id;
CREATE INDEX ON seed_classes (y, level, section);

-- Eight subjects a class, by the band of its level; the teacher is one whose first subject it is.
CREATE TEMPORARY TABLE seed_class_subjects ON COMMIT DROP AS
SELECT c.y, c.id AS class_id, c.level, c.section, (c.level - 1) / 2 * 8 % scale.subjects + j AS subject_n
FROM scale, seed_classes c, generate_series(1, 8) AS j;

INSERT INTO class_subjects (id, class_id, subject_id, teacher_id, semester_id, created_at, updated_at)
SELECT pg_temp.seed_id(61, row_number() OVER (ORDER BY cs.y, m.half, cs.level, cs.section, cs.subject_n), m.start_date - interval '30 days'), cs.class_id,
    pg_temp.seed_id(5, cs.subject_n, y0.start_date), t.teacher_id, m.id, m.start_date - interval '30 days', m.start_date - interval '30 days'
FROM scale, seed_class_subjects cs JOIN seed_semesters m ON m.y = cs.y, seed_years y0, seed_stand_ins t
WHERE y0.y = 0 AND t.y = cs.y AND t.alt_id = cs.subject_n + scale.subjects * (((cs.level - 1) * scale.sections + cs.section) % (scale.teachers / scale.subjects));

-- One row a student and year; a move within the year makes two, leaving ends the last.
CREATE TEMPORARY TABLE seed_memberships ON COMMIT DROP AS
SELECT s.i, y.y, y.id AS year_id, part,
    (SELECT c.id FROM seed_classes c WHERE c.y = y.y AND c.level = s.level - (3 - y.y)
        AND c.section = CASE WHEN s.moved AND y.y = 3 AND part = 1 THEN (s.section + 1) % scale.sections ELSE s.section END) AS class_id,
    CASE WHEN part = 2 THEN moving.day ELSE y.start_date END AS from_date,
    CASE WHEN part = 1 AND s.moved AND y.y = 3 THEN moving.day - 1
         WHEN y.y = 3 AND s.gone THEN moving.day + 3
         WHEN y.y = 3 THEN NULL
         ELSE y.end_date END AS to_date,
    CASE WHEN part = 2 THEN 'MOVED' WHEN y.y = s.first_year THEN 'ENROLLED' ELSE 'PROMOTED' END AS reason,
    CASE WHEN part = 1 AND s.moved AND y.y = 3 THEN 'MOVED'
         WHEN y.y = 3 AND s.gone THEN 'LEFT'
         WHEN y.y = 3 THEN NULL
         WHEN s.alumnus AND y.y = 2 THEN 'GRADUATED'
         ELSE 'PROMOTED' END AS end_reason
FROM scale, seed_students s JOIN seed_years y ON y.y >= s.first_year AND NOT (s.alumnus AND y.y = 3),
    LATERAL (SELECT greatest(y.start_date + 1, least(current_setting('seed.date')::date - 10, y.start_date + 45 + (pg_temp.chance(26, s.i) * 40)::integer)) AS day) AS moving,
    generate_series(1, 2) AS part
WHERE part = 1 OR (s.moved AND NOT s.gone AND y.y = 3);
-- Who moved and is gone just left.
UPDATE seed_memberships m SET end_reason = 'LEFT' FROM seed_students s WHERE s.i = m.i AND s.gone AND s.moved AND m.y = 3;

INSERT INTO student_class_history (id, student_id, class_id, academic_year_id, from_date, to_date, reason, end_reason, created_at, updated_at, version)
SELECT pg_temp.seed_id(62, m.i * 16 + m.y * 2 + m.part, at.made), st.id, m.class_id, m.year_id, m.from_date, m.to_date, m.reason, m.end_reason,
    at.made, CASE WHEN m.to_date IS NULL THEN at.made ELSE m.to_date::timestamptz END, CASE WHEN m.to_date IS NULL THEN 1 ELSE 2 END
FROM seed_memberships m JOIN students st ON st.alt_id = m.i, LATERAL (SELECT m.from_date::timestamptz - interval '5 days' AS made) AS at
ORDER BY m.y, m.class_id, m.i;

-- What the triggers would have kept: the current class, and how many are in it.
UPDATE students st SET class_id = m.class_id FROM seed_memberships m WHERE m.i = st.alt_id AND m.to_date IS NULL;
UPDATE classes c SET current_enrollment = n.n FROM (SELECT class_id, count(*) AS n FROM students WHERE is_active AND class_id IS NOT NULL GROUP BY 1) AS n WHERE n.class_id = c.id;

-- The history of the history: when a membership ended, its row said before that it went on.
INSERT INTO audit_logs (id, user_id, record_id, created_at, table_name, action, request_id, old_values)
SELECT pg_temp.seed_id(63, row_number() OVER (ORDER BY h.to_date, h.id), h.updated_at), staff.user_id, h.id, h.updated_at, 'student_class_history', 'UPDATE', 'seed',
    '{"to_date": null, "end_reason": null}'
FROM student_class_history h, seed_people staff
WHERE h.to_date IS NOT NULL AND h.to_date <= current_setting('seed.date')::date AND staff.kind = 1 AND staff.n = 1;
