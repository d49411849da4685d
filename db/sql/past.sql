-- The format of this file: README.md in this folder.

-- name: class_history_as_of
-- The memberships of students as they were known at a moment, earliest first.
SELECT h.student_id AS key, h.id AS membership_id, w.class_id, w.academic_year_id, w.from_date, w.to_date, w.reason, w.end_reason, w.note,
    (w.from_date <= moment.day AND (w.to_date IS NULL OR w.to_date >= moment.day)) AS is_current
FROM student_class_history h
CROSS JOIN (SELECT ($at::timestamptz AT TIME ZONE coalesce((SELECT s.time_zone FROM school_settings s), 'UTC'))::date AS day) AS moment
CROSS JOIN LATERAL jsonb_populate_record(h, past_values('student_class_history', h.id, $at::timestamptz)) AS w
WHERE h.student_id = ANY($keys::uuid[]) AND h.created_at <= $at::timestamptz AND @visible(class_history h)
ORDER BY h.student_id, w.from_date, h.id

-- name: attendance_as_of
-- The attendance of students between two days as it was known at a moment, latest day first, whole-day marks before subject marks.
SELECT a.student_id AS key, a.id AS attendance_id, a.date, a.subject_id, w.class_id, w.status, w.excused, w.excuse_reason, w.arrival_time,
    w.minutes_late, w.minutes_present, w.source, w.marked_by, school.full_day_minutes
FROM attendance a
CROSS JOIN (
    SELECT coalesce((
        SELECT p.full_day_minutes FROM school_settings s,
            jsonb_populate_record(s, past_values('school_settings', s.id, $at::timestamptz)) AS p
    ), 360) AS full_day_minutes
) AS school
CROSS JOIN LATERAL jsonb_populate_record(a, past_values('attendance', a.id, $at::timestamptz)) AS w
WHERE a.student_id = ANY($keys::uuid[]) AND a.created_at <= $at::timestamptz
  AND a.date BETWEEN $from_date::date AND $to_date::date AND @visible(attendance a)
ORDER BY a.student_id, a.date DESC, a.subject_id NULLS FIRST

-- name: balances_as_of
-- What students owed as it was known at a moment, a row a currency: charges made by then, and what had moved on them by then.
SELECT p.student_id AS key, p.currency,
    round(coalesce(sum(p.amount) FILTER (WHERE stands), 0), currency_exponent(p.currency)) AS charged,
    round(coalesce(sum(moved.waived) FILTER (WHERE stands), 0), currency_exponent(p.currency)) AS waived,
    round(sum(moved.paid), currency_exponent(p.currency)) AS paid,
    round(sum(moved.refunded), currency_exponent(p.currency)) AS refunded,
    round(coalesce(sum(owed.balance) FILTER (WHERE stands), 0), currency_exponent(p.currency)) AS balance,
    round(coalesce(sum(owed.balance) FILTER (WHERE stands AND w.due_date < moment.day), 0), currency_exponent(p.currency)) AS overdue
FROM payments p
CROSS JOIN (SELECT ($at::timestamptz AT TIME ZONE coalesce((SELECT s.time_zone FROM school_settings s), 'UTC'))::date AS day) AS moment
CROSS JOIN LATERAL jsonb_populate_record(p, past_values('payments', p.id, $at::timestamptz)) AS w
CROSS JOIN LATERAL (SELECT p.cancelled_at IS NULL OR p.cancelled_at > $at::timestamptz AS stands) AS standing
CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN t.kind = 'PAYMENT' THEN t.amount WHEN t.corrected_kind = 'PAYMENT' THEN -t.amount END), 0) AS paid,
        coalesce(sum(CASE WHEN t.kind = 'REFUND' THEN t.amount WHEN t.corrected_kind = 'REFUND' THEN -t.amount END), 0) AS refunded,
        coalesce(sum(CASE WHEN t.kind = 'WAIVER' THEN t.amount WHEN t.corrected_kind = 'WAIVER' THEN -t.amount END), 0) AS waived
    FROM payment_transactions t WHERE t.payment_id = p.id AND t.created_at <= $at::timestamptz
) AS moved
CROSS JOIN LATERAL (SELECT p.amount - moved.waived - moved.paid + moved.refunded AS balance) AS owed
WHERE p.student_id = ANY($keys::uuid[]) AND p.created_at <= $at::timestamptz AND @visible(payments p)
GROUP BY p.student_id, p.currency
ORDER BY p.student_id, p.currency

-- name: final_grades_as_of
-- The final grades of students that counted at a moment: of each subject and semester the one that had been posted last by then.
SELECT DISTINCT ON (f.student_id, f.semester_id, f.subject_id)
    f.student_id AS key, f.id, f.posting_id, f.student_id, f.class_id, f.subject_id, f.semester_id, f.number, f.is_incomplete, f.created_at, f.percentage,
    f.rounded, f.points, f.credits, f.letter, f.facts, p.posted_by, p.policy_version, gp.content AS policy,
    NOT EXISTS (
        SELECT FROM final_grades l
        WHERE l.student_id = f.student_id AND l.subject_id = f.subject_id AND l.semester_id = f.semester_id AND l.number > f.number AND l.number > 1
    ) AS is_current
FROM final_grades f
JOIN grade_postings p ON p.id = f.posting_id
JOIN grading_policies gp ON gp.version = p.policy_version
WHERE f.student_id = ANY($keys::uuid[]) AND f.created_at <= $at::timestamptz AND @visible(final_grades f)
ORDER BY f.student_id, f.semester_id, f.subject_id, f.number DESC
