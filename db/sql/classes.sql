-- The format of this file: README.md in this folder.

-- page: classes
-- Classes, by year, grade level and section.
SELECT c.id, c.academic_year_id, c.teacher_id, c.name, c.grade_level, c.section, c.room, c.capacity, c.current_enrollment, c.is_active,
    c.created_at, c.updated_at, c.version
FROM classes c
WHERE true
-- public: every member of the school may know its classes and who leads them
-- key: c.id
-- order grade_level text: lpad(c.grade_level::text, 2, '0') || c.section
-- order name text: c.name
-- order current_enrollment integer: c.current_enrollment
-- filter academic_year_ids: c.academic_year_id = ANY($academic_year_ids::uuid[])
-- filter teacher_ids: c.teacher_id = ANY($teacher_ids::uuid[])
-- flag is_active: c.is_active
-- filter grade_levels: c.grade_level = ANY($grade_levels::integer[])
-- filter sections: c.section = ANY($sections::text[])
-- filter enrollment_at_least: c.current_enrollment >= $enrollment_at_least
-- filter enrollment_at_most: c.current_enrollment <= $enrollment_at_most
-- per academic_year: c.academic_year_id = $parent
-- per teacher: c.teacher_id = $parent
-- by id uuid: c.id

-- page: class_subjects
-- Who teaches what in which class and semester.
SELECT cs.id, cs.class_id, cs.subject_id, cs.teacher_id, cs.semester_id, cs.created_at, cs.updated_at, cs.version
FROM class_subjects cs
WHERE true
-- public: every member of the school may know who teaches what
-- key: cs.id
-- order created_at timestamptz: cs.created_at
-- filter semester_ids: cs.semester_id = ANY($semester_ids::uuid[])
-- filter subject_ids: cs.subject_id = ANY($subject_ids::uuid[])
-- filter teacher_ids: cs.teacher_id = ANY($teacher_ids::uuid[])
-- filter on: cs.semester_id IN (SELECT m.id FROM semesters m WHERE m.start_date <= $on AND m.end_date >= $on)
-- per class: cs.class_id = $parent
-- per subject: cs.subject_id = $parent
-- per teacher: cs.teacher_id = $parent
-- per semester: cs.semester_id = $parent
-- by id uuid: cs.id

-- record: classes
-- Classes of a school year.
academic_year_id teacher_id name grade_level section room capacity is_active

-- record: class_subjects
-- What is taught in a class in a semester, and by whom.
class_id subject_id teacher_id semester_id

-- table: classes
-- Classes of an academic year, and their class teachers.
academic_year_id name grade_level section room capacity current_enrollment is_active
-- personal employment teacher: teacher_id; teacher_id -> teachers.user_id; while the record exists

-- table: class_subjects
-- Who teaches which subject in which class.
class_id subject_id semester_id
-- personal employment teacher: teacher_id; teacher_id -> teachers.user_id; while the record exists
