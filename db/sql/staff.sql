-- The format of this file: README.md in this folder.

-- page: teachers
-- Teachers, by their names, with what of them the viewer may see.
SELECT t.id, t.alt_id, t.user_id, t.employee_number, t.specialization, t.joining_date, t.is_active, t.created_at, t.updated_at, t.version,
    u.first_name, u.last_name, u.email, u.phone, u.address,
    @visible(teachers.private t) AS private_visible
FROM teachers t
-- Every one has an account; LEFT lets PostgreSQL leave it out where nothing of it is read.
LEFT JOIN users u ON u.id = t.user_id
WHERE true
-- public: every member of the school may know its teachers; what is private has rules of its own above
-- key: t.id
-- order name text: t.sort_key
-- order joining_date date: t.joining_date
-- flag is_active: t.is_active
-- filter specializations: t.specialization = ANY($specializations::text[])
-- filter subject_ids: t.id IN (SELECT ts.teacher_id FROM teacher_subjects ts WHERE ts.subject_id = ANY($subject_ids::uuid[]))
-- filter joined_from: t.joining_date >= $joined_from
-- filter joined_to: t.joining_date <= $joined_to
-- filter name_prefix: t.sort_key >= fold_name($name_prefix) AND t.sort_key < (fold_name($name_prefix) || U&'\+10FFFF')
-- per subject: t.id IN (SELECT ts.teacher_id FROM teacher_subjects ts WHERE ts.subject_id = $parent)
-- by id uuid: t.id
-- by user uuid: t.user_id

-- name: remove_teacher_subject
-- Takes back that a teacher can teach a subject.
DELETE FROM teacher_subjects WHERE teacher_id = $teacher_id::uuid AND subject_id = $subject_id::uuid RETURNING id

-- record: teacher_subjects
-- What a teacher can teach.
teacher_id subject_id

-- record: teachers
-- Teachers; their names are their user's.
user_id employee_number specialization joining_date is_active

-- table: teachers
-- Teachers. Their names and contact data are in `users`.
-- personal identity teacher: alt_id, user_id, employee_number, sort_key; user_id; 10 years after leaving
-- personal employment teacher: specialization (free text), joining_date, is_active; user_id; 10 years after leaving

-- table: teacher_subjects
-- Which subjects teachers may teach.
-- personal employment teacher: subject_id; teacher_id -> teachers.user_id; 1 year after leaving
