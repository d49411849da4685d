"""Defines the statements of each screen: one that returns the whole JSON, and a few whose rows are combined in Python."""

__all__ = ["JSON", "ROWS"]

# PostgreSQL's json_build_object keeps the order of its arguments, of which it takes at most 100.
JSON = {
    "small": """
        SELECT json_build_object('data', json_build_object('student', (
            SELECT json_build_object(
                'id', 'stu_' || replace(s.id::text, '-', ''), 'studentNumber', s.student_number,
                'enrollmentDate', s.enrollment_date, 'isActive', s.is_active,
                'user', json_build_object('id', 'usr_' || replace(u.id::text, '-', ''), 'firstName', u.first_name, 'lastName', u.last_name),
                'class', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', 'cls_' || replace(c.id::text, '-', ''), 'name', c.name,
                    'gradeLevel', c.grade_level, 'section', c.section, 'room', c.room) END)
            FROM students s JOIN users u ON u.id = s.user_id LEFT JOIN classes c ON c.id = s.class_id
            WHERE s.id = $1::uuid)))::text""",
    "medium": """
        SELECT json_build_object('data', json_build_object('class', (
            SELECT json_build_object('id', 'cls_' || replace(c.id::text, '-', ''), 'name', c.name, 'gradeLevel', c.grade_level, 'section', c.section,
                'students', json_build_object('nodes', (
                    SELECT coalesce(json_agg(json_build_object(
                        'id', 'stu_' || replace(s.id::text, '-', ''), 'studentNumber', s.student_number, 'isActive', s.is_active,
                        'grades', json_build_object('nodes', (
                            SELECT coalesce(json_agg(json_build_object(
                                'id', 'gra_' || replace(g.id::text, '-', ''), 'assessmentDate', g.assessment_date,
                                'percentage', g.percentage::text, 'letter', g.letter,
                                'subject', json_build_object('id', 'sub_' || replace(j.id::text, '-', ''), 'name', j.name)
                                ) ORDER BY g.assessment_date DESC, g.id DESC), '[]')
                            FROM (SELECT * FROM grades WHERE student_id = s.id ORDER BY assessment_date DESC, id DESC LIMIT 5) AS g
                            JOIN subjects j ON j.id = g.subject_id))
                        ) ORDER BY s.sort_key, s.id), '[]')
                    FROM (SELECT * FROM students WHERE class_id = c.id ORDER BY sort_key, id LIMIT 25) AS s)))
            FROM classes c WHERE c.id = $1::uuid)))::text""",
    "large": """
        SELECT json_build_object('data', json_build_object('students', json_build_object('nodes', (
            SELECT coalesce(json_agg(json_build_object(
                'id', 'stu_' || replace(s.id::text, '-', ''), 'studentNumber', s.student_number, 'isActive', s.is_active,
                'user', json_build_object('id', 'usr_' || replace(u.id::text, '-', ''), 'firstName', u.first_name, 'lastName', u.last_name),
                'class', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', 'cls_' || replace(c.id::text, '-', ''), 'name', c.name,
                    'gradeLevel', c.grade_level, 'section', c.section) END,
                'attendance', json_build_object('nodes', (
                    SELECT coalesce(json_agg(json_build_object(
                        'id', 'att_' || replace(a.id::text, '-', ''), 'date', a.date, 'status', a.status, 'excused', a.excused,
                        'minutesLate', a.minutes_late) ORDER BY a.date DESC, a.id DESC), '[]')
                    FROM (SELECT * FROM attendance WHERE student_id = s.id ORDER BY date DESC, id DESC LIMIT 10) AS a))
                ) ORDER BY s.sort_key, s.id), '[]')
            FROM (SELECT * FROM students ORDER BY sort_key, id LIMIT $1::integer) AS s
            JOIN users u ON u.id = s.user_id LEFT JOIN classes c ON c.id = s.class_id))))::text""",
}
ROWS = {
    "small": """
        SELECT s.id, s.student_number, s.enrollment_date, s.is_active, u.id AS user_id, u.first_name, u.last_name,
            c.id AS class_id, c.name, c.grade_level, c.section, c.room
        FROM students s JOIN users u ON u.id = s.user_id LEFT JOIN classes c ON c.id = s.class_id WHERE s.id = $1::uuid""",
    "class": "SELECT id, name, grade_level, section FROM classes WHERE id = $1::uuid",
    "class_students": "SELECT id, student_number, is_active FROM students WHERE class_id = $1::uuid ORDER BY sort_key, id LIMIT 25",
    "grades": """
        SELECT asked.key, g.id, g.assessment_date, g.percentage, g.letter, j.id AS subject_id, j.name
        FROM unnest($1::uuid[]) AS asked (key) CROSS JOIN LATERAL (
            SELECT id, assessment_date, percentage, letter, subject_id FROM grades
            WHERE student_id = asked.key ORDER BY assessment_date DESC, id DESC LIMIT 5) AS g
        JOIN subjects j ON j.id = g.subject_id ORDER BY asked.key, g.assessment_date DESC, g.id DESC""",
    "students": """
        SELECT s.id, s.student_number, s.is_active, u.id AS user_id, u.first_name, u.last_name,
            c.id AS class_id, c.name, c.grade_level, c.section
        FROM (SELECT * FROM students ORDER BY sort_key, id LIMIT $1::integer) AS s
        JOIN users u ON u.id = s.user_id LEFT JOIN classes c ON c.id = s.class_id ORDER BY s.sort_key, s.id""",
    "attendance": """
        SELECT asked.key, a.id, a.date, a.status, a.excused, a.minutes_late
        FROM unnest($1::uuid[]) AS asked (key) CROSS JOIN LATERAL (
            SELECT id, date, status, excused, minutes_late FROM attendance
            WHERE student_id = asked.key ORDER BY date DESC, id DESC LIMIT 10) AS a""",
}
