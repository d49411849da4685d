-- The format of this file: README.md in this folder.

-- name: reach_of_user
-- The ids that a user's links lead to (self, child, taught, homeroom), as the arrays that the visibility rules take.
-- Who is a teacher or guardian no more, but still has an account (as the other, say), reaches nobody by it.
WITH self_teachers AS MATERIALIZED (
    SELECT t.id, t.is_active FROM teachers t WHERE t.user_id = $user_id::uuid
), self_students AS MATERIALIZED (
    SELECT s.id, s.class_id FROM students s WHERE s.user_id = $user_id::uuid
), self_guardians AS MATERIALIZED (
    SELECT g.id, g.is_active FROM guardians g WHERE g.user_id = $user_id::uuid
), own_students AS MATERIALIZED (
    SELECT id FROM self_students
    UNION
    SELECT gs.student_id FROM guardian_students gs JOIN self_guardians g ON g.id = gs.guardian_id AND g.is_active
), homeroom AS MATERIALIZED (
    SELECT c.id FROM classes c JOIN self_teachers t ON t.id = c.teacher_id AND t.is_active
), taught AS MATERIALIZED (
    SELECT cs.class_id, cs.subject_id, semester.start_date, semester.end_date
    FROM class_subjects cs
    JOIN self_teachers t ON t.id = cs.teacher_id AND t.is_active
    JOIN semesters semester ON semester.id = cs.semester_id
), taught_students AS MATERIALIZED (
    -- While the assignment and the membership overlap.
    SELECT DISTINCT h.student_id
    FROM (SELECT DISTINCT class_id, start_date, end_date FROM taught) AS t
    JOIN student_class_history h
        ON h.class_id = t.class_id AND h.from_date <= t.end_date AND (h.to_date IS NULL OR h.to_date >= t.start_date)
), homeroom_students AS MATERIALIZED (
    SELECT DISTINCT h.student_id FROM homeroom JOIN student_class_history h ON h.class_id = homeroom.id
), taught_pairs AS MATERIALIZED (
    SELECT DISTINCT class_id, subject_id FROM taught ORDER BY class_id, subject_id
)
SELECT
    ARRAY(SELECT id FROM self_teachers) AS teachers,
    ARRAY(
        SELECT id FROM self_guardians
        UNION
        SELECT gs.guardian_id FROM guardian_students gs JOIN self_students s ON s.id = gs.student_id
        UNION
        SELECT gs.guardian_id
        FROM homeroom
        JOIN students s ON s.class_id = homeroom.id
        JOIN guardian_students gs ON gs.student_id = s.id
    ) AS guardians,
    ARRAY(
        SELECT id FROM own_students
        UNION SELECT student_id FROM taught_students
        UNION SELECT student_id FROM homeroom_students
    ) AS students,
    ARRAY(SELECT id FROM own_students) AS own_students,
    ARRAY(SELECT DISTINCT h.class_id FROM own_students o JOIN student_class_history h ON h.student_id = o.id) AS own_classes,
    ARRAY(SELECT student_id FROM taught_students) AS taught_students,
    ARRAY(SELECT class_id FROM taught_pairs) AS taught_classes,
    ARRAY(SELECT subject_id FROM taught_pairs) AS taught_subjects,
    ARRAY(SELECT id FROM homeroom) AS homeroom_classes
