-- The format of this file: README.md in this folder.

-- name: charge_category
-- What is to be charged for.
SELECT f.default_amount, f.currency, f.is_active FROM fee_categories f WHERE f.id = $fee_category_id::uuid

-- name: lock_charge_category
-- Holds a fee category until the transaction ends: of two charge runs for it, the later one sees what the earlier one charged.
SELECT f.id FROM fee_categories f WHERE f.id = $fee_category_id::uuid FOR NO KEY UPDATE

-- name: charge_year
-- The academic year that a charge belongs to: the one that is named, else the one of its due date.
SELECT y.id FROM academic_years y
WHERE CASE WHEN $academic_year_id::uuid IS NULL THEN $due_date::date BETWEEN y.start_date AND y.end_date ELSE y.id = $academic_year_id::uuid END

-- name: class_to_charge
-- Who is in a class now; no row when there is no such class.
SELECT ARRAY(SELECT s.id FROM students s WHERE s.class_id = c.id AND s.is_active) AS student_ids FROM classes c WHERE c.id = $class_id::uuid

-- name: school_to_charge
-- Everyone who is in a class now, of one grade level or of all.
SELECT s.id FROM classes c JOIN students s ON s.class_id = c.id
WHERE s.is_active AND ($grade_level::integer IS NULL OR c.grade_level = $grade_level::integer)

-- name: category_to_charge
-- Everyone who is in a class now and has a charge of this category that stands and fell due within the year before.
SELECT DISTINCT p.student_id AS id FROM payments p JOIN students s ON s.id = p.student_id JOIN classes c ON c.id = s.class_id
WHERE p.fee_category_id = $fee_category_id::uuid AND p.cancelled_at IS NULL AND p.due_date > ($due_date::date - interval '1 year')
    AND s.is_active AND ($grade_level::integer IS NULL OR c.grade_level = $grade_level::integer)

-- name: charge_candidates
-- Students who may be charged, by class and name, and a charge that stands and is the same: of the category, due that day, or so described in the year.
SELECT s.id AS student_id, s.is_active, same.id AS repeats
FROM unnest($student_ids::uuid[]) AS asked (id) JOIN students s ON s.id = asked.id LEFT JOIN classes c ON c.id = s.class_id
LEFT JOIN LATERAL (
    SELECT p.id FROM payments p
    WHERE p.student_id = s.id AND p.fee_category_id = $fee_category_id::uuid AND p.cancelled_at IS NULL
        AND (p.due_date = $due_date::date OR (p.academic_year_id = $academic_year_id::uuid AND lower(btrim(p.description)) = lower(btrim($description::text))))
    ORDER BY p.due_date, p.id LIMIT 1
) AS same ON true
ORDER BY c.grade_level, c.section, s.sort_key, s.id

-- name: create_charges
-- Charges, one for each student, all in one statement.
INSERT INTO payments (student_id, fee_category_id, academic_year_id, created_by, due_date, amount, currency, description, created_at, updated_at)
SELECT asked.id, $fee_category_id::uuid, $academic_year_id::uuid, $user_id::uuid, $due_date::date, $amount::numeric, $currency::text, $description::text,
    school_now(), school_now()
FROM unnest($student_ids::uuid[]) WITH ORDINALITY AS asked (id, n)
ORDER BY asked.n
RETURNING id

-- name: lock_charge
-- A charge, locked until the transaction ends, and the school's clock.
SELECT p.id, p.student_id, p.currency, p.balance, p.amount, p.paid_total, p.refunded_total, p.waived_total, p.cancelled_at, p.due_date, p.description, p.version
FROM payments p WHERE p.id = $id::uuid FOR UPDATE

-- name: cancel_charge
-- Takes a charge back.
UPDATE payments SET cancelled_at = school_now(), cancel_reason = $reason::text WHERE id = $id::uuid

-- name: change_charge
-- Changes what may change of a charge.
UPDATE payments SET due_date = $due_date::date, description = $description::text WHERE id = $id::uuid
