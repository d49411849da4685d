-- check: rollbacks_lost_nothing
-- No rows are missing that the rollback of a migration lost: each loss is settled.
SELECT l.id FROM migration_losses l WHERE l.settled_at IS NULL

-- check: audited_records_are_there
-- Every posting, final grade, receipt and ledger entry that the audit log saw being made is there: none is ever deleted.
SELECT a.record_id
FROM audit_logs a
WHERE a.action = 'INSERT' AND (
    (a.table_name = 'grade_postings' AND NOT EXISTS (SELECT FROM grade_postings p WHERE p.id = a.record_id))
    OR (a.table_name = 'final_grades' AND NOT EXISTS (SELECT FROM final_grades f WHERE f.id = a.record_id))
    OR (a.table_name = 'receipts' AND NOT EXISTS (SELECT FROM receipts r WHERE r.id = a.record_id))
    OR (a.table_name = 'payment_transactions' AND NOT EXISTS (SELECT FROM payment_transactions t WHERE t.id = a.record_id))
)

-- check: postings_have_final_grades
-- A posting of a subject in which there were marks has final grades.
SELECT p.id
FROM grade_postings p
WHERE NOT EXISTS (SELECT FROM final_grades f WHERE f.posting_id = p.id)
  AND EXISTS (
    SELECT FROM grades g
    WHERE g.class_id = p.class_id AND g.subject_id = p.subject_id AND g.semester_id = p.semester_id AND g.created_at <= p.created_at
  )

-- check: postings_are_numbered_without_gaps
-- The postings of a class in a subject and semester are numbered 1, 2, 3 …, and a reopening is of one of them.
SELECT p.id
FROM (
    SELECT id, number, row_number() OVER (PARTITION BY class_id, subject_id, semester_id ORDER BY number) AS place FROM grade_postings
) AS p
WHERE p.number <> p.place
UNION ALL
SELECT r.id
FROM grade_reopenings r
WHERE r.after_number > 0 AND NOT EXISTS (
    SELECT FROM grade_postings p
    WHERE p.class_id = r.class_id AND p.subject_id = r.subject_id AND p.semester_id = r.semester_id AND p.number = r.after_number
)

-- check: registers_have_marks
-- A register of a class that had students on its day has marks.
SELECT r.id
FROM registers r
WHERE NOT EXISTS (
    SELECT FROM attendance a WHERE a.class_id = r.class_id AND a.date = r.date AND a.subject_id IS NOT DISTINCT FROM r.subject_id
) AND EXISTS (
    SELECT FROM student_class_history h
    WHERE h.class_id = r.class_id AND h.from_date <= r.date AND (h.to_date IS NULL OR h.to_date >= r.date) AND h.created_at <= r.submitted_at
)
