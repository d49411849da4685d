-- record: subjects
-- What is taught.
code name description credits is_active

-- record: assessment_types
-- How students are assessed.
code name weight is_active

-- record: fee_categories
-- What is charged for.
code name description default_amount currency is_active

-- record: academic_years
-- School years.
name start_date end_date is_current

-- record: semesters
-- Parts of a school year.
academic_year_id name start_date end_date is_current posting_opens_at posting_closes_at

-- record: holidays
-- Days without school.
academic_year_id name start_date end_date

-- record: periods
-- The periods of a school day.
name start_time end_time

-- record: classes
-- Classes of a school year.
academic_year_id teacher_id name grade_level section room capacity is_active

-- record: class_subjects
-- What is taught in a class in a semester, and by whom.
class_id subject_id teacher_id semester_id

-- record: teacher_subjects
-- What a teacher can teach.
teacher_id subject_id

-- record: users
-- People with a name, who may have an account.
role first_name last_name email phone address is_active

-- record: students
-- Students; their names are their user's, their class is their history's.
user_id student_number birth_date enrollment_date is_active

-- record: teachers
-- Teachers; their names are their user's.
user_id employee_number specialization joining_date is_active

-- record: guardians
-- Guardians; their names are their user's.
user_id is_active

-- record: guardian_students
-- Who is whose guardian.
guardian_id student_id relationship is_primary

-- record: student_class_history
-- Which class a student was in, from when to when.
student_id class_id from_date to_date reason end_reason note

-- record: school_settings
-- The school's name, clock, currency and policies.
name time_zone currency full_day_minutes rounding_mode rounding_decimals missing_counts_as shows_rank school_days

-- record: assessments
-- What a class is marked on in a subject.
class_id subject_id assessment_type_id semester_id created_by assessment_date title max_score extra_credit weight

-- record: grading_scales
-- Grading scales; their bounds are written beside them.
name is_default
