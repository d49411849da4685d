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
-- flag absent: a.status <> 'PRESENT' ELSE a.status = 'PRESENT'
-- flag excused: a.excused AND a.status <> 'PRESENT' ELSE NOT a.excused
-- filter marked_by_ids: a.marked_by = ANY($marked_by_ids::uuid[])
-- per student: a.student_id = $parent
-- per class: a.class_id = $parent
-- by id uuid: a.id

-- name: attendance_summaries
-- Whole-day attendance of students between two days, counted: days by status, absences by excuse, the sum of day values.
-- A day's value: 1 when present, or when the minutes reach a full day; 0.5 when they reach half of one; else 0. Minutes not recorded: a late day
-- counts whole, a day left early or partly attended counts half.
SELECT
    a.student_id AS key,
    count(*) AS days,
    count(*) FILTER (WHERE a.status = 'PRESENT') AS present,
    count(*) FILTER (WHERE a.status = 'ABSENT') AS absent,
    count(*) FILTER (WHERE a.status = 'LATE') AS late,
    count(*) FILTER (WHERE a.status = 'LEFT_EARLY') AS left_early,
    count(*) FILTER (WHERE a.status = 'PARTIAL') AS partial,
    count(*) FILTER (WHERE a.status = 'ABSENT' AND a.excused) AS excused_absences,
    count(*) FILTER (WHERE a.status = 'ABSENT' AND NOT a.excused) AS unexcused_absences,
    coalesce(sum(a.minutes_late), 0) AS minutes_late,
    sum(CASE
        WHEN a.status = 'PRESENT' THEN 1
        WHEN a.status = 'ABSENT' THEN 0
        WHEN a.minutes_present >= school.full_day_minutes THEN 1
        WHEN a.minutes_present * 2 >= school.full_day_minutes THEN 0.5
        WHEN a.minutes_present IS NOT NULL THEN 0
        WHEN a.status = 'LATE' THEN 1
        ELSE 0.5
    END)::numeric AS day_values
FROM attendance a
CROSS JOIN (SELECT coalesce((SELECT full_day_minutes FROM school_settings), 360) AS full_day_minutes) AS school
WHERE a.student_id = ANY($keys::uuid[])
  AND a.date >= $from_date::date AND a.date <= $to_date::date
  AND a.subject_id IS NULL
  AND @visible(attendance a)
GROUP BY a.student_id

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
