-- The format of this file: README.md in this folder.

-- name: register_facts
-- What a register of a class on a day depends on: the calendar, what is taught, who teaches it, who is in the class that day.
SELECT c.id AS class_id, y.start_date, y.end_date, school_today() AS today,
    (SELECT h.name FROM holidays h WHERE $date::date BETWEEN h.start_date AND h.end_date) AS holiday,
    extract(isodow FROM $date::date)::smallint = ANY(coalesce((SELECT s.school_days FROM school_settings s), '{1,2,3,4,5}')) AS is_school_day,
    EXISTS (
        SELECT FROM class_subjects cs JOIN semesters m ON m.id = cs.semester_id
        WHERE cs.class_id = c.id AND cs.subject_id = $subject_id::uuid AND $date::date BETWEEN m.start_date AND m.end_date
    ) AS is_taught,
    EXISTS (SELECT FROM teachers t WHERE t.user_id = $user_id::uuid AND t.is_active AND t.id = c.teacher_id) AS is_homeroom,
    EXISTS (
        SELECT FROM class_subjects cs JOIN semesters m ON m.id = cs.semester_id JOIN teachers t ON t.id = cs.teacher_id
        WHERE t.user_id = $user_id::uuid AND t.is_active AND cs.class_id = c.id AND ($subject_id::uuid IS NULL OR cs.subject_id = $subject_id::uuid)
            AND $date::date BETWEEN m.start_date AND m.end_date
    ) AS is_teacher,
    (SELECT min(p.start_time) FROM periods p) AS day_begins,
    ARRAY(
        SELECT h.student_id FROM student_class_history h
        WHERE h.class_id = c.id AND h.from_date <= $date::date AND (h.to_date IS NULL OR h.to_date >= $date::date)
    ) AS roster
FROM classes c
JOIN academic_years y ON y.id = c.academic_year_id
WHERE c.id = $class_id::uuid

-- name: class_on_day
-- The class that a student was in on a day.
SELECT h.class_id FROM student_class_history h
WHERE h.student_id = $student_id::uuid AND h.from_date <= $date::date AND (h.to_date IS NULL OR h.to_date >= $date::date)

-- name: take_register
-- Says that a register was taken, now. The row is locked until the transaction ends: two submissions of one register come one after the other.
INSERT INTO registers AS r (class_id, subject_id, date, submitted_by)
VALUES ($class_id::uuid, $subject_id::uuid, $date::date, $user_id::uuid)
ON CONFLICT (class_id, date, subject_id) DO UPDATE SET submitted_by = excluded.submitted_by, submitted_at = now()
RETURNING r.id

-- name: marks_with_ids
-- Marks that have one of these ids already.
SELECT a.id, a.student_id, a.date, a.subject_id FROM attendance a WHERE a.id = ANY($ids::uuid[])

-- name: mark_attendance
-- Marks of one class on one day, all in one statement: made, changed, left as they are, or kept because the office's stands above a teacher's.
WITH entry AS (
    SELECT e.id, e.student_id, e.status, coalesce(e.excused, false) AS excused, e.excuse_reason, e.arrival_time, e.minutes_late, e.minutes_present
    FROM jsonb_to_recordset($entries::text::jsonb) AS e (
        id uuid, student_id uuid, status text, excused boolean, excuse_reason text, arrival_time time, minutes_late smallint, minutes_present smallint
    )
), there AS (
    SELECT a.*, (e.status, e.excused, e.excuse_reason, e.arrival_time, e.minutes_late, e.minutes_present)
        IS DISTINCT FROM (a.status, a.excused, a.excuse_reason, a.arrival_time, a.minutes_late, a.minutes_present) AS other
    FROM entry e
    JOIN attendance a ON a.student_id = e.student_id AND a.date = $date::date AND a.subject_id IS NOT DISTINCT FROM $subject_id::uuid
), written AS (
    INSERT INTO attendance AS a (
        id, student_id, class_id, subject_id, marked_by, date, arrival_time, minutes_late, minutes_present, excused, status, source, excuse_reason
    )
    SELECT coalesce(e.id, uuidv7()), e.student_id, $class_id::uuid, $subject_id::uuid, $user_id::uuid, $date::date, e.arrival_time, e.minutes_late,
        e.minutes_present, e.excused, e.status, $source::text, e.excuse_reason
    FROM entry e
    ORDER BY e.student_id
    ON CONFLICT (student_id, date, subject_id) DO UPDATE SET
        class_id = excluded.class_id, marked_by = excluded.marked_by, arrival_time = excluded.arrival_time, minutes_late = excluded.minutes_late,
        minutes_present = excluded.minutes_present, excused = excluded.excused, status = excluded.status, source = excluded.source,
        excuse_reason = excluded.excuse_reason
    WHERE (a.source = 'TEACHER' OR excluded.source = 'OFFICE')
        AND (a.class_id, a.arrival_time, a.minutes_late, a.minutes_present, a.excused, a.status, a.source, a.excuse_reason)
            IS DISTINCT FROM (excluded.class_id, excluded.arrival_time, excluded.minutes_late, excluded.minutes_present, excluded.excused,
                excluded.status, excluded.source, excluded.excuse_reason)
    RETURNING a.id, a.student_id
), overruled AS (
    INSERT INTO overruled_marks (attendance_id, marked_by, status, excused, excuse_reason, arrival_time, minutes_late, minutes_present)
    SELECT t.id, $user_id::uuid, e.status, e.excused, e.excuse_reason, e.arrival_time, e.minutes_late, e.minutes_present FROM entry e JOIN there t ON t.student_id = e.student_id
    WHERE t.source = 'OFFICE' AND $source::text = 'TEACHER' AND t.other
    UNION ALL
    SELECT t.id, t.marked_by, t.status, t.excused, t.excuse_reason, t.arrival_time, t.minutes_late, t.minutes_present FROM entry e JOIN there t ON t.student_id = e.student_id
    WHERE t.source = 'TEACHER' AND $source::text = 'OFFICE' AND t.other
)
SELECT e.student_id, coalesce(w.id, t.id) AS attendance_id, t.status AS previous_status,
    CASE
        WHEN t.id IS NULL AND w.id IS NOT NULL THEN 'CREATED'
        WHEN w.id IS NOT NULL THEN 'UPDATED'
        WHEN t.source = 'OFFICE' AND $source::text = 'TEACHER'
            AND t.other THEN 'KEPT'
        ELSE 'UNCHANGED'
    END AS change
FROM entry e
LEFT JOIN written w ON w.student_id = e.student_id
LEFT JOIN there t ON t.student_id = e.student_id

-- page: classes_without_register
-- Classes whose whole-day register was not taken on a school day, as far as the viewer keeps registers.
SELECT r.id, r.academic_year_id, r.teacher_id, r.name, r.grade_level, r.section, r.room, r.capacity, r.current_enrollment, r.is_active,
    r.created_at, r.updated_at, r.version
FROM (SELECT c.*, c.id AS class_id, NULL::uuid AS subject_id, y.start_date, y.end_date FROM classes c JOIN academic_years y ON y.id = c.academic_year_id) AS r
WHERE @visible(registers r)
-- key: r.id
-- order grade_level text: lpad(r.grade_level::text, 2, '0') || r.section
-- filter on: $on BETWEEN r.start_date AND r.end_date AND NOT EXISTS (SELECT FROM holidays h WHERE $on BETWEEN h.start_date AND h.end_date) AND NOT EXISTS (SELECT FROM registers taken WHERE taken.class_id = r.class_id AND taken.date = $on AND taken.subject_id IS NULL) AND extract(isodow FROM $on) = ANY(coalesce((SELECT s.school_days FROM school_settings s), '{1,2,3,4,5}')) AND $on <= school_today() AND EXISTS (SELECT FROM student_class_history h WHERE h.class_id = r.class_id AND h.from_date <= $on AND (h.to_date IS NULL OR h.to_date >= $on))

-- name: overruled_marks
-- What teachers entered and the office stands above, by when.
SELECT o.attendance_id AS key, o.status, o.excused, o.excuse_reason, o.arrival_time, o.minutes_late, o.minutes_present, o.marked_by, o.created_at FROM overruled_marks o
JOIN attendance a ON a.id = o.attendance_id
WHERE o.attendance_id = ANY($keys::uuid[]) AND @visible(attendance a)
ORDER BY o.attendance_id, o.created_at, o.id
