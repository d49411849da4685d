-- check: marks_belong_to_a_register
-- A mark that a teacher entered is of a register that was taken. The office marks without one.
SELECT a.id
FROM attendance a
WHERE a.source = 'TEACHER'
  AND NOT EXISTS (
    SELECT FROM registers r
    WHERE r.class_id = a.class_id AND r.date = a.date
      -- A day's register has no subject. Equality can be hashed, IS NOT DISTINCT FROM cannot.
      AND coalesce(r.subject_id, r.class_id) = coalesce(a.subject_id, a.class_id)
  )

-- check: marks_are_of_who_was_in_the_class
-- Who is marked in a class was in it on that day.
SELECT a.id
FROM attendance a
WHERE NOT EXISTS (
    SELECT FROM student_class_history h
    WHERE h.student_id = a.student_id AND h.class_id = a.class_id AND h.from_date <= a.date AND (h.to_date IS NULL OR h.to_date >= a.date)
)

-- check: registers_lie_inside_their_year
-- A register is of a day of its class's academic year.
SELECT r.id FROM registers r JOIN classes c ON c.id = r.class_id JOIN academic_years y ON y.id = c.academic_year_id
WHERE r.date NOT BETWEEN y.start_date AND y.end_date
