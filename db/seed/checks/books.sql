-- What must add up in any database: a row for each rule that is broken, with how many rows break it.
SELECT name, broken FROM (
    SELECT 'charges whose totals are not their ledger''s' AS name, count(*) AS broken
    FROM payments p LEFT JOIN (
        SELECT payment_id,
            sum(CASE WHEN kind = 'PAYMENT' THEN amount WHEN corrected_kind = 'PAYMENT' THEN -amount ELSE 0 END) AS paid,
            sum(CASE WHEN kind = 'REFUND' THEN amount WHEN corrected_kind = 'REFUND' THEN -amount ELSE 0 END) AS refunded,
            sum(CASE WHEN kind = 'WAIVER' THEN amount WHEN corrected_kind = 'WAIVER' THEN -amount ELSE 0 END) AS waived
        FROM payment_transactions GROUP BY payment_id
    ) AS ledger ON ledger.payment_id = p.id
    WHERE (p.paid_total, p.refunded_total, p.waived_total)
        IS DISTINCT FROM (coalesce(ledger.paid, 0), coalesce(ledger.refunded, 0), coalesce(ledger.waived, 0))
    UNION ALL
    SELECT 'charges that do not name their latest movement', count(*)
    FROM payments p WHERE p.transaction_id IS DISTINCT FROM
        (SELECT t.id FROM payment_transactions t WHERE t.payment_id = p.id ORDER BY t.occurred_at DESC, t.id DESC LIMIT 1)
    UNION ALL
    SELECT 'years whose receipt numbers have a gap or a wrong counter', count(*)
    FROM (SELECT academic_year_id, count(*) AS receipts, max(number) AS latest FROM receipts GROUP BY 1) AS r
    FULL JOIN receipt_counters c USING (academic_year_id)
    WHERE coalesce(r.receipts, 0) <> coalesce(c.last_number, 0) OR coalesce(r.latest, 0) <> coalesce(c.last_number, 0)
    UNION ALL
    SELECT 'students whose class is not their open membership''s', count(*)
    FROM students s LEFT JOIN student_class_history h ON h.student_id = s.id AND h.to_date IS NULL WHERE s.class_id IS DISTINCT FROM h.class_id
    UNION ALL
    SELECT 'classes with a wrong enrolment', count(*)
    FROM classes c LEFT JOIN (SELECT class_id, count(*) AS n FROM students WHERE is_active GROUP BY 1) AS n ON n.class_id = c.id
    WHERE c.current_enrollment <> coalesce(n.n, 0)
    UNION ALL
    SELECT 'memberships in another year than their class', count(*)
    FROM student_class_history h JOIN classes c ON c.id = h.class_id WHERE h.academic_year_id <> c.academic_year_id
    UNION ALL
    SELECT 'memberships with a gap before them', count(*)
    FROM (SELECT from_date, reason, lag(to_date) OVER (PARTITION BY student_id ORDER BY from_date) AS before FROM student_class_history) AS h
    WHERE before IS NOT NULL AND reason <> 'RETURNED' AND from_date <> before + 1
    UNION ALL
    SELECT 'grades that do not say what their assessment says', count(*)
    FROM grades g JOIN assessments a ON a.id = g.assessment_id
    WHERE (g.class_id, g.subject_id, g.assessment_type_id, g.semester_id, g.assessment_date, g.is_published)
        IS DISTINCT FROM (a.class_id, a.subject_id, a.assessment_type_id, a.semester_id, a.assessment_date, a.published_at IS NOT NULL)
       OR g.percentage IS DISTINCT FROM (g.score * 100 / a.max_score)::numeric(7, 3)
    UNION ALL
    SELECT 'names whose sort key was not copied', count(*)
    FROM (SELECT user_id, sort_key FROM students UNION ALL SELECT user_id, sort_key FROM teachers UNION ALL SELECT user_id, sort_key FROM guardians) AS p
    JOIN users u ON u.id = p.user_id WHERE u.sort_key <> p.sort_key
    UNION ALL
    SELECT 'attendance in a class without a register', count(*)
    FROM (SELECT DISTINCT class_id, date, subject_id FROM attendance) AS a
    WHERE NOT EXISTS (SELECT FROM registers r WHERE r.class_id = a.class_id AND r.date = a.date AND r.subject_id IS NOT DISTINCT FROM a.subject_id)
) AS checks
WHERE broken > 0
