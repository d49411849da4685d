-- Final grades of the semesters whose posting window has closed, by the policy that rules/grading.py computes by.

INSERT INTO grading_policies (id, version, content, created_at)
SELECT pg_temp.seed_id(87, 1, y.start_date), policy_version(p), p, y.start_date FROM seed_years y, grading_policy() AS p WHERE y.y = 0;

CREATE TEMPORARY TABLE seed_postings ON COMMIT DROP AS
SELECT pg_temp.seed_id(88, row_number() OVER (ORDER BY m.start_date, cs.id), p.posted_at) AS id, cs.class_id, cs.subject_id, cs.semester_id, t.user_id AS posted_by,
    m.end_date AS as_of, p.posted_at, s.credits
FROM class_subjects cs
JOIN semesters m ON m.id = cs.semester_id
JOIN subjects s ON s.id = cs.subject_id
JOIN teachers t ON t.id = cs.teacher_id,
    LATERAL (SELECT m.end_date + 8 + time '15:00' AT TIME ZONE 'UTC' AS posted_at) AS p
WHERE m.posting_closes_at <= current_setting('seed.date')::date AND m.id IN (SELECT semester_id FROM assessments);

INSERT INTO grade_postings (id, class_id, subject_id, semester_id, posted_by, number, as_of, policy_version, created_at)
SELECT p.id, p.class_id, p.subject_id, p.semester_id, p.posted_by, 1, p.as_of, (SELECT version FROM grading_policies), p.posted_at
FROM seed_postings p ORDER BY p.id;

-- What each mark counts in per cent, exactly; null when it does not count. All due days are over by then.
CREATE TEMPORARY TABLE seed_counted ON COMMIT DROP AS
SELECT g.student_id, g.subject_id, g.semester_id, t.code, t.weight AS type_weight, g.state, a.weight, a.title, g.assessment_date AS day,
    CASE g.state WHEN 'SCORED' THEN (g.score * 100)::numeric(40, 25) / a.max_score WHEN 'MISSING' THEN 0 END AS share
FROM grades g
JOIN assessments a ON a.id = g.assessment_id
JOIN assessment_types t ON t.id = g.assessment_type_id
WHERE g.is_published AND g.semester_id IN (SELECT semester_id FROM seed_postings);

CREATE TEMPORARY TABLE seed_averages ON COMMIT DROP AS
SELECT k.student_id, k.subject_id, k.semester_id, round(sum(k.average * k.type_weight)::numeric(40, 25) / sum(k.type_weight), 10) AS percentage,
    jsonb_object_agg(k.code, jsonb_build_array(trim_scale(round(k.average, 10))::text, k.marks)) AS types
FROM (
    SELECT c.student_id, c.subject_id, c.semester_id, c.code, c.type_weight, count(*) AS marks,
        sum(c.share * c.weight)::numeric(40, 25) / sum(c.weight) AS average
    FROM seed_counted c WHERE c.share IS NOT NULL
    GROUP BY c.student_id, c.subject_id, c.semester_id, c.code, c.type_weight
) AS k
GROUP BY k.student_id, k.subject_id, k.semester_id;

CREATE TEMPORARY TABLE seed_noted ON COMMIT DROP AS
SELECT c.student_id, c.subject_id, c.semester_id, bool_or(c.state = 'INCOMPLETE') AS is_incomplete,
    jsonb_agg(jsonb_build_array(CASE c.state WHEN 'MISSING' THEN 'MISSING_ZERO' ELSE c.state END, c.title, c.day::text)
        ORDER BY c.day, c.title COLLATE "C", c.state COLLATE "C") AS noted
FROM seed_counted c WHERE c.state <> 'SCORED'
GROUP BY c.student_id, c.subject_id, c.semester_id;
ANALYZE seed_postings;
ANALYZE seed_averages;
ANALYZE seed_noted;

INSERT INTO final_grades (id, posting_id, student_id, class_id, subject_id, semester_id, number, is_incomplete, created_at, percentage, rounded, points, credits,
    letter, facts)
SELECT pg_temp.seed_id(89, row_number() OVER (ORDER BY p.id, st.alt_id), p.posted_at), p.id, st.id, p.class_id, p.subject_id, p.semester_id, 1,
    coalesce(n.is_incomplete, false), p.posted_at, v.percentage, round(v.percentage), b.points, p.credits, b.letter,
    jsonb_build_object('types', coalesce(v.types, '{}'), 'noted', coalesce(n.noted, '[]'))
FROM seed_postings p
JOIN student_class_history h ON h.class_id = p.class_id AND h.from_date <= p.as_of AND (h.to_date IS NULL OR h.to_date >= p.as_of)
JOIN students st ON st.id = h.student_id
LEFT JOIN seed_averages v ON v.student_id = st.id AND v.subject_id = p.subject_id AND v.semester_id = p.semester_id
LEFT JOIN seed_noted n ON n.student_id = st.id AND n.subject_id = p.subject_id AND n.semester_id = p.semester_id
LEFT JOIN LATERAL (
    SELECT g.letter, g.points FROM grading_scale_bounds g WHERE g.lower_bound <= round(v.percentage) ORDER BY g.lower_bound DESC LIMIT 1
) AS b ON true
ORDER BY 1;
