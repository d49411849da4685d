-- The format of this file: README.md in this folder.

-- page: students
-- Students, by their names, with what of them the viewer may see.
SELECT
    s.id, s.alt_id, s.user_id, s.class_id, s.student_number, s.birth_date, s.enrollment_date, s.is_active,
    s.created_at, s.updated_at, s.version,
    u.first_name, u.last_name, u.email, u.phone, u.address,
    @visible(students.birth_date s) AS birth_date_visible,
    @visible(students.contact s) AS contact_visible,
    @visible(students.guardians s) AS guardians_visible
FROM students s
-- Every one has an account; LEFT lets PostgreSQL leave it out where nothing of it is read.
LEFT JOIN users u ON u.id = s.user_id
WHERE @visible(students s)
-- key: s.id
-- order name text: s.sort_key
-- order student_number text: s.student_number
-- order enrollment_date date: s.enrollment_date
-- filter class_ids: s.class_id = ANY($class_ids::uuid[])
-- flag is_active: s.is_active
-- filter grade_levels: s.class_id IN (SELECT c.id FROM classes c WHERE c.grade_level = ANY($grade_levels::integer[]))
-- filter academic_year_ids: s.class_id IN (SELECT c.id FROM classes c WHERE c.academic_year_id = ANY($academic_year_ids::uuid[]))
-- filter enrolled_from: s.enrollment_date >= $enrolled_from
-- filter enrolled_to: s.enrollment_date <= $enrolled_to
-- filter name_prefix: s.sort_key >= fold_name($name_prefix) AND s.sort_key < (fold_name($name_prefix) || U&'\+10FFFF')
-- per class: s.class_id = $parent
-- per guardian: s.id IN (SELECT gs.student_id FROM guardian_students gs WHERE gs.guardian_id = $parent AND @visible(guardianships gs))
-- by id uuid: s.id
-- by number text: s.student_number
-- by user uuid: s.user_id

-- page: class_history
-- Which classes students were in, from when to when.
SELECT h.id, h.student_id, h.class_id, h.academic_year_id, h.from_date, h.to_date, h.reason, h.end_reason, h.note,
    h.created_at, h.updated_at, h.version
FROM student_class_history h
WHERE @visible(class_history h)
-- key: h.id
-- order from_date date: h.from_date
-- filter academic_year_ids: h.academic_year_id = ANY($academic_year_ids::uuid[])
-- filter on: h.from_date <= $on AND (h.to_date IS NULL OR h.to_date >= $on)
-- flag is_open: h.to_date IS NULL ELSE h.to_date IS NOT NULL
-- per student: h.student_id = $parent
-- per class: h.class_id = $parent
-- by id uuid: h.id

-- record: students
-- Students; their names are their user's, their class is their history's.
user_id student_number birth_date enrollment_date is_active

-- record: student_class_history
-- Which class a student was in, from when to when.
student_id class_id from_date to_date reason end_reason note

-- table: students
-- Students. Their names and contact data are in `users`.
-- personal identity student: alt_id, user_id, student_number, birth_date, sort_key; user_id; 10 years after leaving
-- personal enrolment student: class_id, enrollment_date, is_active; user_id; 10 years after leaving

-- table: student_class_history
-- Which class a student was in, from when to when.
-- personal enrolment student: class_id, academic_year_id, from_date, to_date, reason, end_reason, note (free text); student_id -> students.user_id; 10 years after leaving
