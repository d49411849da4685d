-- The format of this file: README.md in this folder.

-- page: attendance
-- Attendance marks, by day.
SELECT a.id, a.student_id, a.class_id, a.subject_id, a.marked_by, a.date, a.arrival_time, a.minutes_late, a.minutes_present,
    a.excused, a.status, a.source, a.excuse_reason, a.created_at, a.updated_at, a.version
FROM attendance a
WHERE @visible(attendance a)
-- key: a.id
-- order date date: a.date
-- filter student_ids: a.student_id = ANY($student_ids::uuid[])
-- filter class_ids: a.class_id = ANY($class_ids::uuid[])
-- filter subject_ids: a.subject_id = ANY($subject_ids::uuid[])
-- flag whole_day: a.subject_id IS NULL ELSE a.subject_id IS NOT NULL
-- filter on: a.date = $on
-- filter from_date: a.date >= $from_date
-- filter to_date: a.date <= $to_date
-- filter statuses: a.status = ANY($statuses::text[])
-- flag fully_present: a.status = 'PRESENT' ELSE a.status <> 'PRESENT'
-- flag excused: a.excused AND a.status <> 'PRESENT' ELSE NOT a.excused
-- filter marked_by_ids: a.marked_by = ANY($marked_by_ids::uuid[])
-- ids marked_by_ids: users
-- per student: a.student_id = $parent
-- per class: a.class_id = $parent
-- by id uuid: a.id

-- totals: attendance_totals
-- Attendance counted: marks by status, absences by excuse, the sum of day values.
-- A day's value (rules/attendance.py has the same): by the minutes of presence where they are known, 1 from a full day's on, 0.5 from half of one
-- on, else 0; where they are not, a day present or come late to counts whole, one left early or partly attended half. Who was absent counts 0.
SELECT
    count(*) AS days,
    count(*) FILTER (WHERE a.status = 'PRESENT') AS present,
    count(*) FILTER (WHERE a.status = 'ABSENT') AS absent,
    count(*) FILTER (WHERE a.status = 'LATE') AS late,
    count(*) FILTER (WHERE a.status = 'LEFT_EARLY') AS left_early,
    count(*) FILTER (WHERE a.status = 'PARTIAL') AS partial,
    count(*) FILTER (WHERE a.status = 'ABSENT' AND a.excused) AS excused_absences,
    count(*) FILTER (WHERE a.status = 'ABSENT' AND NOT a.excused) AS unexcused_absences,
    count(*) FILTER (WHERE a.status = 'LATE' AND a.excused) AS excused_late,
    coalesce(sum(a.minutes_late), 0) AS minutes_late,
    coalesce(sum(CASE
        WHEN a.status = 'ABSENT' THEN 0
        WHEN a.minutes_present >= school.full_day_minutes THEN 1
        WHEN a.minutes_present * 2 >= school.full_day_minutes THEN 0.5
        WHEN a.minutes_present IS NOT NULL THEN 0
        WHEN a.status IN ('PRESENT', 'LATE') THEN 1
        ELSE 0.5
    END), 0)::numeric AS day_values
FROM attendance a
CROSS JOIN (SELECT coalesce((SELECT full_day_minutes FROM school_settings), 360) AS full_day_minutes) AS school
WHERE @visible(attendance a)
-- flag whole_day: a.subject_id IS NULL ELSE a.subject_id IS NOT NULL
-- filter from_date: a.date >= $from_date::date
-- filter to_date: a.date <= $to_date::date
-- per student: a.student_id = $parent
-- per class: a.class_id = $parent
-- group day: a.date AS start_date, a.date AS end_date, NULL::uuid AS subject_id
-- group week: date_trunc('week', a.date)::date AS start_date, date_trunc('week', a.date)::date + 6 AS end_date, NULL::uuid AS subject_id
-- group month: date_trunc('month', a.date)::date AS start_date, (date_trunc('month', a.date) + interval '1 month')::date - 1 AS end_date, NULL::uuid AS subject_id
-- group subject: NULL::date AS start_date, NULL::date AS end_date, a.subject_id AS subject_id

-- page: registers
-- That registers were taken, by day.
SELECT r.id, r.class_id, r.subject_id, r.submitted_by, r.date, r.submitted_at, r.created_at, r.updated_at, r.version
FROM registers r
WHERE @visible(registers r)
-- key: r.id
-- order date date: r.date
-- order submitted_at timestamptz: r.submitted_at
-- filter class_ids: r.class_id = ANY($class_ids::uuid[])
-- flag whole_day: r.subject_id IS NULL ELSE r.subject_id IS NOT NULL
-- filter on: r.date = $on
-- filter from_date: r.date >= $from_date
-- filter to_date: r.date <= $to_date
-- per class: r.class_id = $parent
-- by id uuid: r.id

-- table: attendance
-- Attendance marks. A reason may state an illness, which is health data.
class_id subject_id
-- personal attendance student: date, status, excused, excuse_reason (free text), arrival_time, minutes_late, minutes_present; student_id -> students.user_id; 6 years after date
-- personal technical staff: marked_by, source; marked_by; while the record exists

-- table: overruled_marks
-- Marks that teachers entered and the office corrected. They are deleted with the mark.
-- personal attendance student: status, excused, excuse_reason (free text), arrival_time, minutes_late, minutes_present; attendance_id -> attendance.student_id -> students.user_id; while the record exists
-- personal technical staff: marked_by; marked_by; while the record exists

-- table: registers
-- Which registers were taken, and by whom.
class_id subject_id date
-- personal technical staff: submitted_by, submitted_at; submitted_by; 6 years after date
