-- check: current_class_is_the_open_membership
-- A student's class is that of the membership without an end.
SELECT s.id
FROM students s LEFT JOIN student_class_history h ON h.student_id = s.id AND h.to_date IS NULL
WHERE s.class_id IS DISTINCT FROM h.class_id

-- check: who_left_is_in_no_class
-- Who does not attend the school has no membership without an end.
SELECT s.id FROM students s WHERE NOT s.is_active AND EXISTS (SELECT FROM student_class_history h WHERE h.student_id = s.id AND h.to_date IS NULL)

-- check: enrolment_is_counted_right
-- A class's enrolment is the number of its active students.
SELECT c.id
FROM classes c LEFT JOIN (SELECT class_id, count(*) AS n FROM students WHERE is_active GROUP BY 1) AS n ON n.class_id = c.id
WHERE c.current_enrollment <> coalesce(n.n, 0)

-- check: memberships_are_of_their_classs_year
-- A membership is of the academic year of its class.
SELECT h.id FROM student_class_history h JOIN classes c ON c.id = h.class_id WHERE h.academic_year_id <> c.academic_year_id

-- check: history_is_gapless
-- Within one enrolment a membership begins the day after the one before it ended, and none begins before that.
SELECT h.id
FROM (SELECT id, from_date, reason, lag(to_date, 1, '-infinity') OVER w AS ended, row_number() OVER w AS place
      FROM student_class_history WINDOW w AS (PARTITION BY student_id ORDER BY from_date)) AS h
WHERE h.place > 1 AND (h.ended IS NULL OR h.from_date <= h.ended OR (h.reason <> 'RETURNED' AND h.from_date <> h.ended + 1))

-- check: sort_keys_are_copied
-- The name that a person is sorted by is their user's.
SELECT p.id
FROM (SELECT id, user_id, sort_key FROM students
      UNION ALL SELECT id, user_id, sort_key FROM teachers
      UNION ALL SELECT id, user_id, sort_key FROM guardians) AS p
JOIN users u ON u.id = p.user_id WHERE u.sort_key <> p.sort_key
