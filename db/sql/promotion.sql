-- The format of this file: README.md in this folder.

-- name: promotion_years
-- The year that ends and the year that begins.
SELECT a.end_date, b.start_date, b.end_date AS next_end_date, school_today() AS today
FROM academic_years a, academic_years b WHERE a.id = $from_year_id::uuid AND b.id = $to_year_id::uuid

-- name: promotion_members
-- Who is in a class of a year, by class and name.
SELECT h.student_id, h.id AS membership_id, h.version, c.id AS class_id, c.grade_level, c.section
FROM student_class_history h
JOIN classes c ON c.id = h.class_id
JOIN students s ON s.id = h.student_id
WHERE h.academic_year_id = $from_year_id::uuid AND h.to_date IS NULL AND s.is_active
ORDER BY c.grade_level, c.section, s.sort_key, s.id

-- name: lock_promotion_members
-- Holds who is in a class of a year until the transaction ends.
SELECT h.id FROM student_class_history h WHERE h.academic_year_id = $from_year_id::uuid AND h.to_date IS NULL ORDER BY h.id FOR UPDATE

-- name: lock_promotion_targets
-- Holds the classes of a year until the transaction ends: nobody else takes a place in them.
SELECT c.id FROM classes c WHERE c.academic_year_id = $to_year_id::uuid ORDER BY c.id FOR NO KEY UPDATE

-- name: promotion_targets
-- The classes of a year, and who is in them already.
SELECT c.id AS class_id, c.grade_level, c.section, c.capacity, c.current_enrollment AS enrolled
FROM classes c WHERE c.academic_year_id = $to_year_id::uuid AND c.is_active
ORDER BY c.grade_level, c.section

-- name: end_memberships
-- Ends memberships, each for its reason, on its day.
UPDATE student_class_history h SET to_date = e.to_date, end_reason = e.end_reason
FROM jsonb_to_recordset($ends::text::jsonb) AS e (membership_id uuid, to_date date, end_reason text)
WHERE h.id = e.membership_id

-- name: begin_memberships
-- Begins memberships on the first day of a year.
INSERT INTO student_class_history (student_id, class_id, academic_year_id, from_date, reason)
SELECT b.student_id, b.class_id, c.academic_year_id, $from_date::date, b.reason
FROM jsonb_to_recordset($begins::text::jsonb) AS b (student_id uuid, class_id uuid, reason text)
JOIN classes c ON c.id = b.class_id
ORDER BY b.class_id, b.student_id

-- name: students_go
-- Students who are none any more; their accounts sign in no more.
WITH gone AS (UPDATE students SET is_active = false WHERE id = ANY($ids::uuid[]) RETURNING user_id)
UPDATE users u SET is_active = false FROM gone WHERE u.id = gone.user_id AND u.role = 'STUDENT' AND u.is_active
