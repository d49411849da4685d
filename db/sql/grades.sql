-- The format of this file: README.md in this folder.

-- page: assessments
-- Assessments, by day.
SELECT a.id, a.class_id, a.subject_id, a.assessment_type_id, a.semester_id, a.created_by, a.assessment_date, a.title, a.max_score, a.extra_credit, a.weight,
    a.published_at, a.created_at, a.updated_at, a.version
FROM assessments a
WHERE @visible(assessments a)
-- key: a.id
-- order assessment_date date: a.assessment_date
-- filter class_ids: a.class_id = ANY($class_ids::uuid[])
-- filter subject_ids: a.subject_id = ANY($subject_ids::uuid[])
-- filter semester_ids: a.semester_id = ANY($semester_ids::uuid[])
-- filter assessment_type_ids: a.assessment_type_id = ANY($assessment_type_ids::uuid[])
-- flag is_published: a.published_at IS NOT NULL ELSE a.published_at IS NULL
-- filter from_date: a.assessment_date >= $from_date
-- filter to_date: a.assessment_date <= $to_date
-- per class: a.class_id = $parent
-- per subject: a.subject_id = $parent
-- per semester: a.semester_id = $parent
-- by id uuid: a.id

-- page: grades
-- Grades, by the day of their assessment.
SELECT g.id, g.student_id, g.assessment_id, g.class_id, g.subject_id, g.assessment_type_id, g.semester_id, g.recorded_by, g.assessment_date,
    g.is_published, g.state, g.score, g.percentage, g.letter, g.comment, g.created_at, g.updated_at, g.version
FROM grades g
WHERE @visible(grades g)
-- key: g.id
-- order assessment_date date: g.assessment_date
-- order percentage numeric needs student_ids, class_ids, assessment_ids: coalesce(g.percentage, -1)
-- filter student_ids: g.student_id = ANY($student_ids::uuid[])
-- filter class_ids: g.assessment_id IN (SELECT a.id FROM assessments a WHERE a.class_id = ANY($class_ids::uuid[]))
-- filter subject_ids: g.subject_id = ANY($subject_ids::uuid[])
-- filter semester_ids: g.semester_id = ANY($semester_ids::uuid[])
-- filter assessment_ids: g.assessment_id = ANY($assessment_ids::uuid[])
-- filter assessment_type_ids: g.assessment_type_id = ANY($assessment_type_ids::uuid[])
-- filter letters: g.letter = ANY($letters::text[])
-- filter states: g.state = ANY($states::text[])
-- flag failing: g.percentage < 60 ELSE g.percentage >= 60
-- flag scored: g.state = 'SCORED' ELSE g.state <> 'SCORED'
-- flag is_published: g.is_published
-- filter percentage_at_least: g.percentage >= $percentage_at_least
-- filter percentage_at_most: g.percentage <= $percentage_at_most
-- filter recorded_by_ids: g.recorded_by = ANY($recorded_by_ids::uuid[])
-- ids recorded_by_ids: users
-- filter from_date: g.assessment_date >= $from_date
-- filter to_date: g.assessment_date <= $to_date
-- per student: g.student_id = $parent
-- per assessment: g.assessment_id = $parent
-- by id uuid: g.id

-- record: assessments
-- What a class is marked on in a subject.
class_id subject_id assessment_type_id semester_id created_by assessment_date title max_score extra_credit weight

-- table: assessments
-- What a class is marked on in a subject.
class_id subject_id assessment_type_id semester_id assessment_date title max_score weight extra_credit published_at
-- personal technical staff: created_by; created_by; while the record exists

-- table: grades
-- Students' marks in assessments.
assessment_id class_id subject_id assessment_type_id semester_id assessment_date is_published
-- personal achievement student: state, score, percentage, letter, comment (free text); student_id -> students.user_id; 10 years after leaving
-- personal technical staff: recorded_by; recorded_by; while the record exists
