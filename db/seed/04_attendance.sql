-- Whole-day attendance of the last school days, subject marks of the last five, and the registers they were taken in.

CREATE TEMPORARY TABLE seed_marks ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY d.day, h.class_id, st.alt_id) AS n, d.day, d.back, st.alt_id, st.id AS student_id, h.class_id, c.teacher_id,
    pg_temp.chance(70, st.alt_id * 4096 + d.back) AS luck, pg_temp.chance(71, st.alt_id) AS habit
FROM scale, seed_days d
JOIN student_class_history h ON h.from_date <= d.day AND (h.to_date IS NULL OR h.to_date >= d.day)
JOIN students st ON st.id = h.student_id
JOIN classes c ON c.id = h.class_id
WHERE d.back <= scale.attendance_days
  -- One class in sixty has not taken today's register yet.
  AND NOT (d.back = 1 AND hashint8extended(('x' || substr(md5(c.name || c.section), 1, 15))::bit(60)::bigint, 72) % 60 = 0);

INSERT INTO attendance (id, student_id, class_id, subject_id, marked_by, date, arrival_time, minutes_late, minutes_present, version, created_at, updated_at,
    excused, status, source, excuse_reason)
SELECT pg_temp.seed_id(70, m.n, m.day + time '06:10' AT TIME ZONE 'UTC'), m.student_id, m.class_id, NULL, t.user_id, m.day,
    CASE WHEN s.status = 'LATE' THEN time '08:00' + s.late * interval '1 minute' END,
    CASE WHEN s.status = 'LATE' THEN s.late END,
    CASE s.status WHEN 'PRESENT' THEN NULL WHEN 'ABSENT' THEN 0 WHEN 'LATE' THEN 330 - s.late WHEN 'LEFT_EARLY' THEN 200 ELSE 120 END,
    CASE WHEN s.corrected THEN 2 ELSE 1 END,
    m.day + time '06:10' AT TIME ZONE 'UTC',
    CASE WHEN s.corrected THEN m.day + time '11:30' AT TIME ZONE 'UTC' ELSE m.day + time '06:10' AT TIME ZONE 'UTC' END,
    s.excused, s.status, CASE WHEN s.corrected THEN 'OFFICE' ELSE 'TEACHER' END,
    CASE WHEN s.excused THEN (ARRAY['Ill', 'Doctor''s appointment', 'Family event', 'Competition'])[1 + (m.n % 4)] END
FROM seed_marks m JOIN teachers t ON t.id = m.teacher_id,
    LATERAL (SELECT m.luck - (m.habit - 0.5) * 0.03 AS draw) AS d,
    LATERAL (SELECT CASE WHEN d.draw < 0.925 THEN 'PRESENT' WHEN d.draw < 0.965 THEN 'ABSENT' WHEN d.draw < 0.99 THEN 'LATE' WHEN d.draw < 0.996 THEN 'LEFT_EARLY' ELSE 'PARTIAL' END AS status,
        (3 + (m.luck * 100000)::integer % 40)::smallint AS late, (m.luck * 1000000)::integer % 10 < 7 AS excusable, (m.luck * 1000000)::integer % 10 < 2 AS late_note) AS k,
    LATERAL (SELECT k.status, k.late, k.status = 'ABSENT' AND k.excusable AS excused, k.status = 'ABSENT' AND k.late_note AS corrected) AS s
ORDER BY m.n;

-- The note came later: before, the absence was not excused.
INSERT INTO audit_logs (id, user_id, record_id, created_at, table_name, action, request_id, old_values)
SELECT pg_temp.seed_id(71, row_number() OVER (ORDER BY a.id), a.updated_at), staff.user_id, a.id, a.updated_at, 'attendance', 'UPDATE', 'seed',
    '{"source": "TEACHER", "excused": false, "excuse_reason": null}'
FROM attendance a, seed_people staff WHERE a.source = 'OFFICE' AND staff.kind = 1 AND staff.n = 1;

INSERT INTO registers (id, class_id, subject_id, submitted_by, date, submitted_at, created_at, updated_at)
SELECT pg_temp.seed_id(72, row_number() OVER (ORDER BY m.day, m.class_id), m.day + time '06:10' AT TIME ZONE 'UTC'), m.class_id, NULL, t.user_id, m.day,
    m.day + time '06:10' AT TIME ZONE 'UTC', m.day + time '06:10' AT TIME ZONE 'UTC', m.day + time '06:10' AT TIME ZONE 'UTC'
FROM (SELECT DISTINCT day, class_id, teacher_id FROM seed_marks) AS m JOIN teachers t ON t.id = m.teacher_id;

CREATE TEMPORARY TABLE seed_lessons ON COMMIT DROP AS
SELECT DISTINCT m.day, m.class_id, cs.subject_id, t.user_id
FROM seed_marks m JOIN seed_days d ON d.day = m.day JOIN seed_semesters sem ON m.day BETWEEN sem.start_date AND sem.end_date
JOIN class_subjects cs ON cs.class_id = m.class_id AND cs.semester_id = sem.id
JOIN teachers t ON t.id = cs.teacher_id, seed_years y0
WHERE m.back <= 5 AND y0.y = 0 AND cs.subject_id = (
    SELECT x.subject_id FROM class_subjects x WHERE x.class_id = m.class_id AND x.semester_id = sem.id ORDER BY x.subject_id OFFSET extract(isodow FROM m.day)::integer LIMIT 1);

INSERT INTO registers (id, class_id, subject_id, submitted_by, date, submitted_at, created_at, updated_at)
SELECT pg_temp.seed_id(73, row_number() OVER (ORDER BY day, class_id), day + time '09:00' AT TIME ZONE 'UTC'), class_id, subject_id, user_id, day,
    day + time '09:00' AT TIME ZONE 'UTC', day + time '09:00' AT TIME ZONE 'UTC', day + time '09:00' AT TIME ZONE 'UTC'
FROM seed_lessons;

INSERT INTO attendance (id, student_id, class_id, subject_id, marked_by, date, minutes_late, minutes_present, created_at, updated_at, status)
SELECT pg_temp.seed_id(74, row_number() OVER (ORDER BY m.n), m.day + time '09:00' AT TIME ZONE 'UTC'), m.student_id, m.class_id, l.subject_id, l.user_id, m.day,
    NULL, CASE WHEN m.luck < 0.94 THEN NULL ELSE 0 END, m.day + time '09:00' AT TIME ZONE 'UTC', m.day + time '09:00' AT TIME ZONE 'UTC',
    CASE WHEN m.luck < 0.94 THEN 'PRESENT' ELSE 'ABSENT' END
FROM seed_marks m JOIN seed_lessons l ON l.day = m.day AND l.class_id = m.class_id
ORDER BY m.n;
