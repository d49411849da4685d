-- The format of this file: README.md in this folder.

-- name: lock_student
-- A student who is about to be changed; their row is locked.
SELECT s.id, s.user_id, s.class_id, s.is_active, s.version, s.enrollment_date FROM students s WHERE s.id = $id::uuid FOR UPDATE

-- name: lock_teacher
-- A teacher who is about to be changed; their row is locked.
SELECT t.id, t.user_id, t.is_active, t.version FROM teachers t WHERE t.id = $id::uuid FOR UPDATE

-- name: hold_teacher
-- Whether somebody is a teacher now; nobody lets them go until the transaction ends.
SELECT t.is_active FROM teachers t WHERE t.id = $id::uuid FOR SHARE

-- name: lock_guardian
-- A guardian who is about to be changed; their row is locked.
SELECT g.id, g.user_id, g.is_active, g.version FROM guardians g WHERE g.id = $id::uuid FOR UPDATE

-- name: lock_user
-- A user who is about to be changed; their row is locked.
SELECT u.id, u.role, u.is_active, u.version FROM users u WHERE u.id = $id::uuid FOR UPDATE

-- name: hold_students
-- Holds students until the transaction ends, always in the same order: what is written about one of them is written one after the other.
SELECT s.id FROM students s WHERE s.id = ANY($ids::uuid[]) ORDER BY s.id FOR NO KEY UPDATE

-- name: other_administrators
-- How many active administrators there are besides this one; their rows are locked, so that the last two cannot both go.
SELECT count(*) FROM (
    SELECT u.id FROM users u WHERE u.role = 'ADMIN' AND u.is_active AND u.id <> $id::uuid ORDER BY u.id FOR UPDATE
) AS administrators

-- name: touch_people_of_user
-- The records that show a user's name and contact count a new version with it.
WITH s AS (UPDATE students SET user_id = user_id WHERE user_id = $user_id::uuid),
    t AS (UPDATE teachers SET user_id = user_id WHERE user_id = $user_id::uuid)
UPDATE guardians SET user_id = user_id WHERE user_id = $user_id::uuid

-- name: set_user_active
-- Lets an account sign in, or no longer, when it has this role; a person with another role keeps it.
UPDATE users SET is_active = $is_active::boolean WHERE id = $user_id::uuid AND role = $role::text AND is_active <> $is_active::boolean

-- name: work_left
-- What of a teacher's is not over yet: own classes, and lessons in semesters that have not ended.
SELECT
    (SELECT count(*) FROM classes c JOIN academic_years y ON y.id = c.academic_year_id
     WHERE c.teacher_id = $id::uuid AND c.is_active AND y.end_date >= school_today()) AS classes,
    (SELECT count(*) FROM class_subjects cs JOIN semesters m ON m.id = cs.semester_id
     WHERE cs.teacher_id = $id::uuid AND m.end_date >= school_today()) AS lessons

-- name: guardianship
-- The link between a guardian and a student.
SELECT gs.id FROM guardian_students gs WHERE gs.guardian_id = $guardian_id::uuid AND gs.student_id = $student_id::uuid FOR UPDATE

-- name: no_other_primary_guardian
-- No other guardian of the student is the first whom the school turns to.
UPDATE guardian_students SET is_primary = false WHERE student_id = $student_id::uuid AND is_primary AND guardian_id <> $guardian_id::uuid

-- name: enrolment
-- How a student stands: today, the open membership, and the latest day that one ended.
SELECT school_today() AS today, h.id, h.class_id, h.from_date, h.academic_year_id,
    (SELECT max(e.to_date) FROM student_class_history e WHERE e.student_id = $student_id::uuid) AS ended
FROM (SELECT) AS one
LEFT JOIN student_class_history h ON h.student_id = $student_id::uuid AND h.to_date IS NULL

-- name: last_membership
-- A student's latest membership, ended or not, and whether another was to follow it at once.
SELECT h.id, h.class_id, h.from_date, h.to_date, h.end_reason IN ('MOVED', 'PROMOTED', 'REPEATED') AS goes_on
FROM student_class_history h WHERE h.student_id = $student_id::uuid ORDER BY h.from_date DESC LIMIT 1

-- name: class_to_enter
-- A class that somebody enters: its year, its room. The row is locked, so that the last place is given once.
SELECT c.id, c.is_active, c.capacity, c.current_enrollment, c.name, y.start_date, y.end_date
FROM classes c JOIN academic_years y ON y.id = c.academic_year_id
WHERE c.id = $id::uuid FOR UPDATE OF c

-- name: marks_since
-- Whether a student was marked present or absent, or graded, in a class since a day.
SELECT EXISTS (SELECT FROM attendance a WHERE a.student_id = $student_id::uuid AND a.class_id = $class_id::uuid AND a.date >= $day::date)
    OR EXISTS (SELECT FROM grades g WHERE g.student_id = $student_id::uuid AND g.class_id = $class_id::uuid AND g.assessment_date >= $day::date)

-- name: school_day
-- What day it is where the school is.
SELECT school_today()
