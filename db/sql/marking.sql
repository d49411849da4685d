-- The format of this file: README.md in this folder.

-- name: lesson_facts
-- What writing in a class's subject depends on, on a day: the semester that has the day, who teaches there, whether marks are locked.
SELECT cs.id AS lesson_id, m.id AS semester_id, m.start_date, m.end_date, marks_lock($class_id::uuid, $subject_id::uuid, m.id) AS lock,
    EXISTS (SELECT FROM teachers t WHERE t.user_id = $user_id::uuid AND t.id = cs.teacher_id) AS is_teacher
FROM classes c
LEFT JOIN semesters m ON m.academic_year_id = c.academic_year_id AND $day::date BETWEEN m.start_date AND m.end_date
LEFT JOIN class_subjects cs ON cs.class_id = c.id AND cs.subject_id = $subject_id::uuid AND cs.semester_id = m.id
WHERE c.id = $class_id::uuid

-- name: hold_lesson
-- Holds what a class is taught in a subject on a day: it is not taken back until the transaction ends.
SELECT cs.id FROM classes c JOIN semesters m ON m.academic_year_id = c.academic_year_id AND $day::date BETWEEN m.start_date AND m.end_date
JOIN class_subjects cs ON cs.class_id = c.id AND cs.subject_id = $subject_id::uuid AND cs.semester_id = m.id
WHERE c.id = $class_id::uuid FOR SHARE OF cs

-- name: assessment_to_write
-- An assessment as far as the writer sees it, and what writing in it depends on.
SELECT a.id, a.class_id, a.subject_id, a.semester_id, a.assessment_date, a.max_score, a.extra_credit, a.published_at, a.version,
    m.start_date, m.end_date, marks_lock(a.class_id, a.subject_id, a.semester_id) AS lock,
    EXISTS (
        SELECT FROM class_subjects cs JOIN teachers t ON t.id = cs.teacher_id
        WHERE cs.class_id = a.class_id AND cs.subject_id = a.subject_id AND cs.semester_id = a.semester_id AND t.user_id = $user_id::uuid
    ) AS is_teacher
FROM assessments a
JOIN semesters m ON m.id = a.semester_id
WHERE a.id = $id::uuid AND @visible(assessments a)

-- name: class_roster_on
-- Who was in a class on a day.
SELECT h.student_id FROM student_class_history h
WHERE h.class_id = $class_id::uuid AND h.from_date <= $day::date AND (h.to_date IS NULL OR h.to_date >= $day::date)

-- name: graded_not_in_class_on
-- How many of those with a mark in an assessment were not in its class on a day.
SELECT count(*) AS students FROM assessments a JOIN grades g ON g.assessment_id = a.id
WHERE a.id = $id::uuid AND NOT EXISTS (
    SELECT FROM student_class_history h
    WHERE h.student_id = g.student_id AND h.class_id = a.class_id AND h.from_date <= $day::date AND (h.to_date IS NULL OR h.to_date >= $day::date)
)

-- name: grades_of_assessment
-- The grades in an assessment and their versions, for what is to be compared with them; and grades elsewhere that have one of these ids.
SELECT g.id, g.student_id, g.assessment_id, g.version FROM assessments a JOIN grades g ON g.assessment_id = a.id WHERE a.id = $id::uuid
UNION
SELECT g.id, g.student_id, g.assessment_id, g.version FROM unnest($ids::uuid[]) AS given (id) JOIN grades g ON g.id = given.id

-- name: hold_assessment
-- Holds an assessment until the transaction ends: of two who record in it, the second waits here and sees what the first has left.
SELECT a.id FROM assessments a WHERE a.id = $id::uuid FOR NO KEY UPDATE

-- name: record_grades
-- Marks of one assessment, all in one statement: made, changed, or left as they are. Answers what was there before.
WITH entry AS (
    SELECT e.id, e.student_id, e.state, e.score, e.comment, e.keeps_comment
    FROM jsonb_to_recordset($entries::text::jsonb) AS e (id uuid, student_id uuid, state text, score numeric, comment text, keeps_comment boolean)
), there AS (
    SELECT g.id, g.student_id, g.state, g.score, g.comment FROM entry e
    JOIN grades g ON g.assessment_id = $assessment_id::uuid AND g.student_id = e.student_id
), written AS (
    INSERT INTO grades AS g (id, student_id, assessment_id, recorded_by, state, score, comment)
    SELECT coalesce(e.id, uuidv7()), e.student_id, $assessment_id::uuid, $user_id::uuid, e.state, e.score,
        CASE WHEN e.keeps_comment THEN t.comment ELSE e.comment END
    FROM entry e LEFT JOIN there t ON t.student_id = e.student_id
    ORDER BY e.student_id
    ON CONFLICT (student_id, assessment_id) DO UPDATE SET
        recorded_by = excluded.recorded_by, state = excluded.state, score = excluded.score, comment = excluded.comment
    WHERE (g.state, g.score, g.comment) IS DISTINCT FROM (excluded.state, excluded.score, excluded.comment)
    RETURNING g.id, g.student_id
)
SELECT e.student_id, coalesce(w.id, t.id) AS grade_id, t.state AS previous_state, t.score AS previous_score,
    CASE WHEN w.id IS NULL THEN 'UNCHANGED' WHEN t.id IS NULL THEN 'CREATED' ELSE 'UPDATED' END AS change
FROM entry e
LEFT JOIN written w ON w.student_id = e.student_id
LEFT JOIN there t ON t.student_id = e.student_id

-- name: publish_assessment
-- Shows an assessment and its grades to students and guardians, from now on.
UPDATE assessments SET published_at = now() WHERE id = $id::uuid AND published_at IS NULL RETURNING id

-- name: unpublish_assessment
-- Hides an assessment and its grades from students and guardians.
UPDATE assessments SET published_at = NULL WHERE id = $id::uuid AND published_at IS NOT NULL RETURNING id

-- name: leave_default_scale
-- No scale but this one is the default.
UPDATE grading_scales SET is_default = false WHERE is_default AND id <> $id::uuid RETURNING id

-- name: replace_bounds
-- A scale's bounds, all of them anew: what differs is changed, what is missing goes. Answers how many there are.
WITH given AS (
    SELECT b.lower_bound, b.letter, b.points FROM jsonb_to_recordset($bounds::text::jsonb) AS b (lower_bound numeric, letter text, points numeric)
), gone AS (
    DELETE FROM grading_scale_bounds b
    WHERE b.scale_id = $scale_id::uuid AND NOT EXISTS (SELECT FROM given WHERE given.lower_bound = b.lower_bound)
)
INSERT INTO grading_scale_bounds AS b (scale_id, lower_bound, letter, points)
SELECT $scale_id::uuid, given.lower_bound, given.letter, given.points FROM given
ON CONFLICT (scale_id, lower_bound) DO UPDATE SET letter = excluded.letter, points = excluded.points
WHERE (b.letter, b.points) IS DISTINCT FROM (excluded.letter, excluded.points)
RETURNING b.id

-- name: hold_lessons_to_post
-- Takes the lessons of a class in a semester alone (one subject's, or all): nobody marks in them until the transaction ends.
SELECT cs.id FROM class_subjects cs
WHERE cs.class_id = $class_id::uuid AND cs.semester_id = $semester_id::uuid AND ($subject_id::uuid IS NULL OR cs.subject_id = $subject_id::uuid)
ORDER BY cs.id
FOR UPDATE

-- name: lessons_to_post
-- The lessons of a class in a semester (one subject's, or all), and what posting their grades depends on.
SELECT cs.subject_id, s.name AS subject, s.credits, marks_lock(cs.class_id, cs.subject_id, cs.semester_id) AS lock,
    EXISTS (SELECT FROM teachers t WHERE t.id = cs.teacher_id AND t.user_id = $user_id::uuid) AS is_teacher,
    m.posting_opens_at > school_now() AS is_early, m.posting_opens_at, least(m.end_date, school_today()) AS as_of,
    coalesce((
        SELECT max(p.number) FROM grade_postings p
        WHERE p.class_id = cs.class_id AND p.subject_id = cs.subject_id AND p.semester_id = cs.semester_id
    ), 0) AS number
FROM class_subjects cs
JOIN subjects s ON s.id = cs.subject_id
JOIN semesters m ON m.id = cs.semester_id
WHERE cs.class_id = $class_id::uuid AND cs.semester_id = $semester_id::uuid AND ($subject_id::uuid IS NULL OR cs.subject_id = $subject_id::uuid)
ORDER BY s.name, s.id

-- name: assessments_against_posting
-- Assessments that stand against posting: with marks and not published, or published and without a mark for some who were in the class that day.
SELECT a.id, a.title, a.subject_id, a.published_at IS NOT NULL AS is_published, there.unmarked
FROM assessments a
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM grades g WHERE g.assessment_id = a.id) AS has_marks,
        (SELECT count(*) FROM student_class_history h
         WHERE h.class_id = a.class_id AND h.from_date <= a.assessment_date AND (h.to_date IS NULL OR h.to_date >= a.assessment_date)
             AND h.student_id = ANY($student_ids::uuid[])
             AND NOT EXISTS (SELECT FROM grades g WHERE g.assessment_id = a.id AND g.student_id = h.student_id)) AS unmarked
) AS there
WHERE a.class_id = $class_id::uuid AND a.semester_id = $semester_id::uuid AND a.subject_id = ANY($subject_ids::uuid[])
    AND (CASE WHEN a.published_at IS NULL THEN there.has_marks ELSE there.unmarked > 0 END)
ORDER BY a.assessment_date, a.id

-- name: marks_to_post
-- Published marks of students in subjects and a semester, in whichever class they were got: what is posted is computed from them all.
SELECT g.student_id, g.subject_id, t.code AS kind, g.state, g.score, a.max_score AS maximum, a.weight, g.assessment_date AS day, a.title
FROM unnest($student_ids::uuid[]) AS of (student_id)
JOIN grades g ON g.student_id = of.student_id
JOIN assessments a ON a.id = g.assessment_id
JOIN assessment_types t ON t.id = g.assessment_type_id
WHERE g.semester_id = $semester_id::uuid AND g.subject_id = ANY($subject_ids::uuid[]) AND g.is_published

-- name: keep_grading_policy
-- Keeps the policy of now, once.
INSERT INTO grading_policies (version, content) SELECT policy_version(p), p FROM grading_policy() AS p ON CONFLICT (version) DO NOTHING

-- name: post_grades
-- Notes that a class's grades are posted in these subjects. Numbers are the database's.
INSERT INTO grade_postings (class_id, subject_id, semester_id, posted_by, number, as_of, policy_version)
SELECT $class_id::uuid, given.subject_id, $semester_id::uuid, $user_id::uuid, 1, $as_of::date, $policy_version::text
FROM unnest($subject_ids::uuid[]) AS given (subject_id)
RETURNING id, subject_id, number

-- name: freeze_final_grades
-- The final grades of postings that were just made, all in one statement. What follows from the posting is the database's to fill in.
INSERT INTO final_grades (posting_id, student_id, class_id, subject_id, semester_id, number, is_incomplete, percentage, rounded, points, credits, letter, facts)
SELECT f.posting_id, f.student_id, p.class_id, p.subject_id, p.semester_id, 1, f.is_incomplete, f.percentage, f.rounded, f.points, f.credits, f.letter, f.facts
FROM jsonb_to_recordset($grades::text::jsonb) AS f (
    posting_id uuid, student_id uuid, is_incomplete boolean, percentage numeric, rounded numeric, points numeric, credits numeric, letter text, facts jsonb
)
JOIN grade_postings p ON p.id = f.posting_id
RETURNING id

-- name: reopen_grades
-- Opens marks again until then, or until they are posted again.
INSERT INTO grade_reopenings (class_id, subject_id, semester_id, reopened_by, after_number, open_until, reason)
SELECT $class_id::uuid, given.subject_id, $semester_id::uuid, $user_id::uuid, given.number, $until::timestamptz, $reason::text
FROM unnest($subject_ids::uuid[], $numbers::integer[]) AS given (subject_id, number)
RETURNING id

-- name: is_later_than_now
-- Whether a moment is still to come, by the school's clock.
SELECT $moment::timestamptz > school_now() AS later

-- name: name_of_scale
-- What a scale is called.
SELECT s.name FROM grading_scales s WHERE s.id = $id::uuid
