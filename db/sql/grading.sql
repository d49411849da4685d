-- The format of this file: README.md in this folder.

-- page: grading_scales
-- Grading scales, by name.
SELECT s.id, s.name, s.is_default, s.created_at, s.updated_at, s.version
FROM grading_scales s
WHERE true
-- public: every member of the school may know how letters are given
-- key: s.id
-- order name text: s.name
-- by id uuid: s.id

-- name: bounds_of_scales
-- The bounds of scales, highest first.
SELECT b.scale_id AS key, b.lower_bound, b.letter, b.points FROM grading_scale_bounds b
WHERE b.scale_id = ANY($keys::uuid[])
ORDER BY b.scale_id, b.lower_bound DESC

-- name: grading_policy
-- By what averages are made now, what day it is where the school is, and whether reports say ranks.
SELECT p AS content, policy_version(p) AS version, school_today() AS today, coalesce((SELECT shows_rank FROM school_settings), false) AS shows_rank
FROM grading_policy() AS p

-- name: marks_of_students
-- The marks of students in a semester that the viewer may see, with what their averages are made of.
SELECT g.student_id AS key, g.class_id, g.subject_id, t.code AS kind, g.state, g.score, a.max_score AS maximum, a.weight, g.assessment_date AS day, a.title,
    s.credits, s.name AS subject_name
FROM grades g
JOIN assessments a ON a.id = g.assessment_id
JOIN assessment_types t ON t.id = g.assessment_type_id
JOIN subjects s ON s.id = g.subject_id
WHERE g.student_id = ANY($keys::uuid[]) AND g.semester_id = $semester_id::uuid AND @visible(grades g)

-- name: lessons_of_students
-- The class that students were in last in a semester (so far), and what is taught in it: as far as the viewer sees their histories.
SELECT h.student_id AS key, h.class_id, cs.subject_id, s.credits, s.name AS subject_name
FROM (
    SELECT DISTINCT ON (h.student_id) h.student_id, h.class_id
    FROM student_class_history h
    JOIN semesters m ON m.id = $semester_id::uuid AND h.from_date <= m.end_date AND (h.to_date IS NULL OR h.to_date >= m.start_date)
    WHERE h.student_id = ANY($keys::uuid[]) AND @visible(class_history h)
    ORDER BY h.student_id, h.from_date DESC
) AS h
LEFT JOIN class_subjects cs ON cs.class_id = h.class_id AND cs.semester_id = $semester_id::uuid
LEFT JOIN subjects s ON s.id = cs.subject_id
ORDER BY h.student_id, s.name, s.id

-- name: current_semester
-- The semester that contains today where the school is; no row between semesters.
SELECT m.id FROM semesters m WHERE school_today() BETWEEN m.start_date AND m.end_date

-- name: members_in_semester
-- Who was in classes during a semester (last, if in several): the class and the student, by name, as far as the viewer sees their histories.
SELECT last.class_id AS key, last.student_id
FROM (
    SELECT DISTINCT ON (h.student_id) h.student_id, h.class_id
    FROM student_class_history h
    JOIN semesters m ON m.id = $semester_id::uuid AND h.from_date <= m.end_date AND (h.to_date IS NULL OR h.to_date >= m.start_date)
    WHERE h.student_id IN (SELECT o.student_id FROM student_class_history o WHERE o.class_id = ANY($keys::uuid[])) AND @visible(class_history h)
    ORDER BY h.student_id, h.from_date DESC
) AS last
JOIN students st ON st.id = last.student_id
WHERE last.class_id = ANY($keys::uuid[])
ORDER BY last.class_id, st.sort_key, st.id

-- page: final_grades
-- Final grades as they were posted, latest first; of several postings each has its row. `number > 1`: few are second postings, and an index of their own finds them.
SELECT f.id, f.posting_id, f.student_id, f.class_id, f.subject_id, f.semester_id, f.number, f.is_incomplete, f.created_at, f.percentage, f.rounded,
    f.points, f.credits, f.letter, f.facts, p.posted_by, p.policy_version, gp.content AS policy,
    NOT EXISTS (
        SELECT FROM final_grades l
        WHERE l.student_id = f.student_id AND l.subject_id = f.subject_id AND l.semester_id = f.semester_id AND l.number > f.number AND l.number > 1
    ) AS is_current
FROM final_grades f
JOIN grade_postings p ON p.id = f.posting_id
JOIN grading_policies gp ON gp.version = p.policy_version
WHERE @visible(final_grades f)
-- key: f.id
-- order created_at timestamptz: f.created_at
-- filter student_ids: f.student_id = ANY($student_ids::uuid[])
-- filter class_ids: f.class_id = ANY($class_ids::uuid[])
-- filter subject_ids: f.subject_id = ANY($subject_ids::uuid[])
-- filter semester_ids: f.semester_id = ANY($semester_ids::uuid[])
-- flag is_current: NOT EXISTS (SELECT FROM final_grades l WHERE l.student_id = f.student_id AND l.subject_id = f.subject_id AND l.semester_id = f.semester_id AND l.number > f.number AND l.number > 1) ELSE (f.student_id, f.subject_id, f.semester_id) IN (SELECT a.student_id, a.subject_id, a.semester_id FROM final_grades a WHERE a.number > 1) AND EXISTS (SELECT FROM final_grades l WHERE l.student_id = f.student_id AND l.subject_id = f.subject_id AND l.semester_id = f.semester_id AND l.number > f.number AND l.number > 1)
-- per student: f.student_id = $parent
-- per class: f.class_id = $parent
-- by id uuid: f.id

-- name: final_grades_of_students
-- The final grades of students in a semester that count: of each subject the one that was posted last.
SELECT DISTINCT ON (f.student_id, f.subject_id)
    f.student_id AS key, f.id, f.class_id, f.subject_id, f.is_incomplete, f.percentage, f.rounded, f.points, f.credits, f.letter, f.facts,
    p.policy_version, gp.content AS policy, s.name AS subject_name
FROM final_grades f
JOIN grade_postings p ON p.id = f.posting_id
JOIN grading_policies gp ON gp.version = p.policy_version
JOIN subjects s ON s.id = f.subject_id
WHERE f.student_id = ANY($keys::uuid[]) AND f.semester_id = $semester_id::uuid AND @visible(final_grades f)
ORDER BY f.student_id, f.subject_id, f.number DESC

-- name: class_standing
-- The posted points and credits of everyone in classes, for the rank of one: the rows go no further than the arithmetic.
SELECT f.class_id AS key, f.student_id, f.points, f.credits,
    (SELECT count(*) FROM class_subjects cs JOIN subjects s ON s.id = cs.subject_id
     WHERE cs.class_id = f.class_id AND cs.semester_id = f.semester_id AND s.credits > 0
         AND NOT EXISTS (SELECT FROM grade_postings p
             WHERE p.class_id = cs.class_id AND p.subject_id = cs.subject_id AND p.semester_id = cs.semester_id)) AS not_posted
FROM final_grades f
WHERE f.class_id = ANY($keys::uuid[]) AND f.semester_id = $semester_id::uuid AND f.credits > 0
    AND NOT EXISTS (
        SELECT FROM final_grades l
        WHERE l.student_id = f.student_id AND l.subject_id = f.subject_id AND l.semester_id = f.semester_id AND l.number > f.number AND l.number > 1
    )

-- name: marking_of_lessons
-- Whether marks of lessons may be written now: when they were last posted, until when they are open again, why they are locked.
SELECT cs.id AS key, marks_lock(cs.class_id, cs.subject_id, cs.semester_id) AS lock_reason, last.posted_at,
    (SELECT max(r.open_until) FROM grade_reopenings r
     WHERE r.class_id = cs.class_id AND r.subject_id = cs.subject_id AND r.semester_id = cs.semester_id
         AND r.after_number = coalesce(last.number, 0) AND r.open_until > school_now()) AS reopened_until
FROM class_subjects cs
LEFT JOIN LATERAL (
    SELECT p.number, p.created_at AS posted_at FROM grade_postings p
    WHERE p.class_id = cs.class_id AND p.subject_id = cs.subject_id AND p.semester_id = cs.semester_id
    ORDER BY p.number DESC LIMIT 1
) AS last ON true
WHERE cs.id = ANY($keys::uuid[])

-- page: grade_reopenings
-- Reopenings of locked marks: who opened what, until when and why; what was changed meanwhile, and whether it was posted again.
SELECT r.id, r.class_id, r.subject_id, r.semester_id, r.reopened_by, r.after_number, r.open_until, r.reason, r.created_at,
    next.posted_at IS NULL AND r.open_until > school_now() AS is_open, next.posted_at AS posted_again_at,
    (
        SELECT count(*) FROM assessments a JOIN grades g ON g.assessment_id = a.id
        WHERE (a.class_id, a.subject_id, a.semester_id) = (r.class_id, r.subject_id, r.semester_id)
            AND g.updated_at >= r.created_at AND (next.posted_at IS NULL OR g.updated_at <= next.posted_at)
    ) AS changed_grade_count
FROM grade_reopenings r
LEFT JOIN LATERAL (
    SELECT min(p.created_at) AS posted_at FROM grade_postings p
    WHERE (p.class_id, p.subject_id, p.semester_id) = (r.class_id, r.subject_id, r.semester_id) AND p.number > r.after_number
) AS next ON true
WHERE @visible(grade_reopenings r)
-- key: r.id
-- order created_at timestamptz: r.created_at
-- filter class_ids: r.class_id = ANY($class_ids::uuid[])
-- filter subject_ids: r.subject_id = ANY($subject_ids::uuid[])
-- filter semester_ids: r.semester_id = ANY($semester_ids::uuid[])
-- flag is_open: (next.posted_at IS NULL AND r.open_until > school_now())
-- flag awaits_posting: (next.posted_at IS NULL AND r.after_number > 0 AND r.open_until <= school_now() AND EXISTS (SELECT FROM assessments a JOIN grades g ON g.assessment_id = a.id WHERE (a.class_id, a.subject_id, a.semester_id) = (r.class_id, r.subject_id, r.semester_id) AND g.updated_at >= r.created_at) AND NOT EXISTS (SELECT FROM grade_reopenings l WHERE (l.class_id, l.subject_id, l.semester_id, l.after_number) = (r.class_id, r.subject_id, r.semester_id, r.after_number) AND l.open_until > school_now()))
-- by id uuid: r.id

-- record: grading_scales
-- Grading scales; their bounds are written beside them.
name is_default

-- table: grading_scales
-- Scales from percentages to letters.
name is_default
-- personal: none – they are rules of the school

-- table: grading_scale_bounds
-- The letters of a grading scale.
scale_id lower_bound letter points
-- personal: none – they are rules of the school

-- table: grading_policies
-- The rules of grading as they were when grades were posted.
version content
-- personal: none – they are rules of the school

-- table: grade_postings
-- When the final grades of a class were posted in a subject, and by whom.
class_id subject_id semester_id number as_of policy_version
-- personal technical staff: posted_by; posted_by; while the record exists

-- table: grade_reopenings
-- When posted grades were reopened, by whom and why. A reason may name students.
class_id subject_id semester_id after_number open_until
-- personal technical staff: reopened_by, reason (free text); reopened_by; 10 years after created_at

-- table: final_grades
-- Students' posted final grades, and the marks they were computed from.
posting_id class_id subject_id semester_id number
-- personal achievement student: is_incomplete, percentage, rounded, points, credits, letter, facts (JSON); student_id -> students.user_id; 10 years after leaving
