-- check: grades_say_what_their_assessment_says
-- A grade's class, subject, type, semester, day, publication and percentage are its assessment's.
SELECT g.id
FROM grades g JOIN assessments a ON a.id = g.assessment_id
WHERE (g.class_id, g.subject_id, g.assessment_type_id, g.semester_id, g.assessment_date, g.is_published)
    IS DISTINCT FROM (a.class_id, a.subject_id, a.assessment_type_id, a.semester_id, a.assessment_date, a.published_at IS NOT NULL)
   OR g.percentage IS DISTINCT FROM (g.score * 100 / a.max_score)::numeric(7, 3)
