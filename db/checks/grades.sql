-- check: grades_say_what_their_assessment_says
-- A grade's class, subject, type, semester, day, publication and percentage are its assessment's.
SELECT g.id
FROM grades g JOIN assessments a ON a.id = g.assessment_id
WHERE (g.class_id, g.subject_id, g.assessment_type_id, g.semester_id, g.assessment_date, g.is_published)
    IS DISTINCT FROM (a.class_id, a.subject_id, a.assessment_type_id, a.semester_id, a.assessment_date, a.published_at IS NOT NULL)
   OR g.percentage IS DISTINCT FROM (g.score * 100 / a.max_score)::numeric(7, 3)

-- check: postings_have_everyone
-- Everyone who was in the class on the day that a posting is as of has a final grade by it.
SELECT p.id
FROM grade_postings p
JOIN student_class_history h ON h.class_id = p.class_id AND h.from_date <= p.as_of AND (h.to_date IS NULL OR h.to_date >= p.as_of)
    AND h.created_at <= p.created_at
WHERE NOT EXISTS (
    SELECT FROM final_grades f
    WHERE f.student_id = h.student_id AND f.subject_id = p.subject_id AND f.semester_id = p.semester_id AND f.posting_id = p.id
)

-- check: final_grades_say_what_their_posting_says
-- A final grade's class, subject, semester and time are its posting's, and a student's are numbered 1, 2, 3 ….
SELECT f.id
FROM (
    SELECT f.*, row_number() OVER (PARTITION BY f.student_id, f.subject_id, f.semester_id ORDER BY f.created_at, f.number) AS place FROM final_grades f
) AS f
JOIN grade_postings p ON p.id = f.posting_id
WHERE (f.class_id, f.subject_id, f.semester_id, f.created_at) IS DISTINCT FROM (p.class_id, p.subject_id, p.semester_id, p.created_at)
   OR f.number <> f.place

-- check: final_letters_are_the_scales
-- A final grade is rounded, and has the letter and points, that the policy it was posted by gives its percentage.
-- Policies are taken apart once, not for each grade; the usual way to round is PostgreSQL's own, and its call costs a fiftieth.
WITH policies AS MATERIALIZED (
    SELECT version, content -> 'rounding' ->> 0 AS mode, (content -> 'rounding' ->> 1)::integer AS decimals FROM grading_policies
), letters AS MATERIALIZED (
    SELECT gp.version, b.lowest, b.bound ->> 1 AS letter, (b.bound ->> 2)::numeric AS points,
        lead(b.lowest) OVER (PARTITION BY gp.version ORDER BY b.lowest) AS next_lowest
    FROM grading_policies gp
    CROSS JOIN LATERAL (
        SELECT (bound ->> 0)::numeric AS lowest, bound FROM jsonb_array_elements(gp.content -> 'scale' -> 'bounds') AS each (bound)
    ) AS b
)
SELECT f.id
FROM final_grades f
JOIN grade_postings p ON p.id = f.posting_id
JOIN policies gp ON gp.version = p.policy_version
LEFT JOIN letters l ON l.version = p.policy_version AND l.lowest <= f.rounded AND (l.next_lowest IS NULL OR f.rounded < l.next_lowest)
WHERE f.percentage IS NOT NULL
  AND (f.rounded, f.letter, f.points) IS DISTINCT FROM (
    CASE gp.mode WHEN 'HALF_UP' THEN round(f.percentage, gp.decimals) ELSE round_by(f.percentage, gp.mode, gp.decimals) END, l.letter, l.points
  )

-- check: posted_marks_are_unchanged
-- No mark was made or changed after the grades were posted, unless while they were reopened.
SELECT g.id
FROM (
    SELECT DISTINCT ON (p.class_id, p.subject_id, p.semester_id) p.class_id, p.subject_id, p.semester_id, p.number, p.created_at
    FROM grade_postings p ORDER BY p.class_id, p.subject_id, p.semester_id, p.number DESC
) AS posted
JOIN grades g ON g.class_id = posted.class_id AND g.subject_id = posted.subject_id AND g.semester_id = posted.semester_id
    AND g.updated_at > posted.created_at
WHERE NOT EXISTS (
    SELECT FROM grade_reopenings r
    WHERE r.class_id = posted.class_id AND r.subject_id = posted.subject_id AND r.semester_id = posted.semester_id
        AND r.after_number = posted.number AND r.created_at <= g.updated_at
        -- A reopening ends by the school's clock, which only a test sets apart from the database's.
        AND g.updated_at - (now() - school_now()) <= r.open_until
)
