-- Announcements of the current year: to the whole school by the office, to each class by its own teacher, and one of each that is still to come.

INSERT INTO announcements (id, class_id, author_id, title, body, published_at, created_at, updated_at)
SELECT pg_temp.seed_id(93, row_number() OVER (ORDER BY a.published_at, a.class_id), a.created_at), a.class_id, a.author_id, a.title, a.body, a.published_at,
    a.created_at, a.created_at
FROM (
    SELECT NULL::uuid AS class_id, office.user_id AS author_id, text.title, text.body, at.published_at, at.published_at - interval '2 days' AS created_at
    FROM (SELECT id AS user_id FROM users WHERE role = 'ADMIN' ORDER BY id LIMIT 1) AS office,
        (VALUES (-60, 'Open day', 'The school is open to visitors on Saturday from 10 to 14.'),
                (-20, 'New library hours', 'The library now stays open until 17:00.'),
                (14, 'Summer fair', 'Helpers for the summer fair meet in the hall.')) AS text (days, title, body),
        LATERAL (SELECT (current_setting('seed.date')::date + text.days) + time '08:00' AT TIME ZONE 'UTC' AS published_at) AS at
    UNION ALL
    SELECT c.id, t.user_id, text.title, text.body, at.published_at, at.published_at - interval '1 day'
    FROM classes c JOIN teachers t ON t.id = c.teacher_id,
        (VALUES (-10, 'Class trip', 'Please bring the signed form by Friday.'), (7, 'Parents'' evening', 'We meet in the classroom at 19:00.')) AS text (days, title, body),
        LATERAL (SELECT (current_setting('seed.date')::date + text.days) + time '12:00' AT TIME ZONE 'UTC' AS published_at) AS at
    WHERE c.is_active
) AS a;
