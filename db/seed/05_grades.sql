-- Assessments of last year's semesters and of this year's, and the grades in them.

CREATE TEMPORARY TABLE seed_assessments ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY held.day, cs.class_id, cs.subject_id, k) AS n, cs.class_id, cs.subject_id, cs.semester_id, t.user_id AS teacher_user, held.day,
    (k - 1) % 5 + 1 AS kind, CASE WHEN k % 5 = 4 THEN 20 WHEN k % 3 = 0 THEN 50 ELSE 100 END AS max_score, j.name AS subject, k
FROM scale, class_subjects cs
JOIN seed_semesters m ON m.id = cs.semester_id
JOIN subjects j ON j.id = cs.subject_id
JOIN teachers t ON t.id = cs.teacher_id,
    LATERAL (SELECT CASE WHEN m.y = 3 THEN current_setting('seed.date')::date ELSE m.end_date END AS until) AS u,
    generate_series(1, CASE WHEN m.y = 2 THEN scale.assessments_before WHEN m.y = 3 AND m.start_date <= u.until THEN scale.assessments_now ELSE 0 END) AS k,
    LATERAL (SELECT d.day FROM seed_days d
        WHERE d.day >= m.start_date AND d.day <= least(u.until, m.end_date)
          -- Spread over the semester so far; of every second subject the latest was these days, and is not published yet.
          AND d.day >= greatest(
              m.start_date + ((least(u.until, m.end_date) - m.start_date) * (k - 0.5) / (CASE WHEN m.y = 2 THEN scale.assessments_before ELSE scale.assessments_now END))::integer,
              CASE WHEN m.y = 3 AND u.until <= m.end_date AND k = scale.assessments_now AND ('x' || substr(md5(cs.id::text), 7, 1))::bit(4)::integer % 2 = 0
                   THEN (SELECT day FROM seed_days WHERE back = 6) END)
        ORDER BY d.day OFFSET (('x' || substr(md5(cs.id::text), 1, 6))::bit(24)::integer % 4) LIMIT 1) AS held;

INSERT INTO assessments (id, class_id, subject_id, assessment_type_id, semester_id, created_by, assessment_date, title, max_score, weight, published_at, created_at, updated_at)
SELECT pg_temp.seed_id(80, a.n, a.day - 7 + time '12:00' AT TIME ZONE 'UTC'), a.class_id, a.subject_id, pg_temp.seed_id(6, a.kind, y0.start_date), a.semester_id, a.teacher_user, a.day,
    a.subject || ': ' || (ARRAY['exam', 'test', 'essay', 'homework', 'project'])[a.kind] || ' ' || a.k, a.max_score, 1,
    CASE WHEN a.day <= current_setting('seed.date')::date - 10 THEN a.day + 5 + time '15:00' AT TIME ZONE 'UTC' END,
    a.day - 7 + time '12:00' AT TIME ZONE 'UTC', CASE WHEN a.day <= current_setting('seed.date')::date - 10 THEN a.day + 5 + time '15:00' AT TIME ZONE 'UTC' ELSE a.day - 7 + time '12:00' AT TIME ZONE 'UTC' END
FROM seed_assessments a, seed_years y0 WHERE y0.y = 0 ORDER BY a.n;

INSERT INTO grades (id, student_id, assessment_id, class_id, subject_id, assessment_type_id, semester_id, recorded_by, assessment_date, version, created_at, updated_at,
    is_published, state, score, percentage, letter, comment)
SELECT pg_temp.seed_id(81, g.n, g.made), g.student_id, g.assessment_id, g.class_id, g.subject_id, g.assessment_type_id, g.semester_id, g.created_by, g.assessment_date,
    CASE WHEN g.corrected THEN 2 ELSE 1 END, g.made, CASE WHEN g.corrected THEN g.made + interval '1 day' ELSE g.made END,
    g.published, g.state, g.score, g.percentage,
    CASE WHEN g.percentage >= 89.5 THEN 'A' WHEN g.percentage >= 79.5 THEN 'B' WHEN g.percentage >= 69.5 THEN 'C' WHEN g.percentage >= 59.5 THEN 'D' WHEN g.percentage IS NOT NULL THEN 'F' END,
    CASE WHEN g.n % 40 = 0 THEN (ARRAY['Well argued.', 'Show your working.', 'A big step forward.', 'Please come and see me.'])[1 + g.n / 40 % 4] END
FROM (
    SELECT x.*, CASE WHEN x.state = 'SCORED' THEN round(x.raw * x.max_score / 50) / 2 END AS score,
        CASE WHEN x.state = 'SCORED' THEN round(x.raw * x.max_score / 50) / 2 * 100 / x.max_score END::numeric(7, 3) AS percentage,
        x.state = 'SCORED' AND x.raw >= 10 AND pg_temp.chance(84, x.n) < 0.01 AND x.published AS corrected
    FROM (
        SELECT r.*, CASE WHEN r.luck < 0.02 THEN 'MISSING' WHEN r.luck < 0.035 THEN 'EXCUSED' WHEN r.luck < 0.04 THEN 'INCOMPLETE' ELSE 'SCORED' END AS state,
            least(100, greatest(0, 75 + 12 * pg_temp.bell(82, r.alt_id) + 5 * pg_temp.bell(83, r.alt_id * 64 + r.subject_n) + 8 * pg_temp.bell(85, r.n)))::numeric AS raw
        FROM (
            SELECT row_number() OVER (ORDER BY a.assessment_date, a.id, st.alt_id) AS n, st.id AS student_id, st.alt_id, a.id AS assessment_id, a.class_id, a.subject_id, a.assessment_type_id,
                a.semester_id, a.created_by, a.assessment_date, a.max_score, a.published_at IS NOT NULL AS published,
                a.assessment_date + 3 + time '14:00' AT TIME ZONE 'UTC' AS made,
                ('x' || substr(md5(a.subject_id::text), 1, 6))::bit(24)::integer % 64 AS subject_n,
                pg_temp.chance(86, st.alt_id * 1000003 + ('x' || substr(a.id::text, 22, 2) || substr(a.id::text, 25, 12))::bit(56)::bigint) AS luck
            FROM assessments a
            JOIN student_class_history h ON h.class_id = a.class_id AND h.from_date <= a.assessment_date AND (h.to_date IS NULL OR h.to_date >= a.assessment_date)
            JOIN students st ON st.id = h.student_id
            WHERE a.assessment_date <= current_setting('seed.date')::date - 3
        ) AS r
    ) AS x
) AS g
ORDER BY g.n;

-- A grade that was corrected was lower at first.
INSERT INTO audit_logs (id, user_id, record_id, created_at, table_name, action, request_id, old_values)
SELECT pg_temp.seed_id(82, row_number() OVER (ORDER BY g.id), g.updated_at), g.recorded_by, g.id, g.updated_at, 'grades', 'UPDATE', 'seed',
    jsonb_build_object('score', g.score - 1, 'percentage', p.percentage) || CASE WHEN l.letter = g.letter THEN '{}' ELSE jsonb_build_object('letter', l.letter) END
FROM grades g JOIN assessments a ON a.id = g.assessment_id, LATERAL (SELECT ((g.score - 1) * 100 / a.max_score)::numeric(7, 3) AS percentage) AS p,
    LATERAL (SELECT CASE WHEN p.percentage >= 89.5 THEN 'A' WHEN p.percentage >= 79.5 THEN 'B' WHEN p.percentage >= 69.5 THEN 'C' WHEN p.percentage >= 59.5 THEN 'D' ELSE 'F' END AS letter) AS l
WHERE g.version = 2;
