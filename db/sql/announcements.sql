-- The format of this file: README.md in this folder.

-- page: announcements
-- Announcements, by the moment at which they are published.
SELECT n.id, n.class_id, n.author_id, n.title, n.body, n.published_at, n.created_at, n.updated_at, n.version
FROM announcements n
WHERE @visible(announcements n)
-- key: n.id
-- order published_at timestamptz: n.published_at
-- filter class_ids: n.class_id = ANY($class_ids::uuid[])
-- flag is_school_wide: n.class_id IS NULL ELSE n.class_id IS NOT NULL
-- flag is_published: n.published_at <= school_now() ELSE n.published_at > school_now()
-- by id uuid: n.id

-- name: class_to_announce_to
-- A class, and whether a user is one of its teachers today: its own, or one who teaches a subject in it this semester.
SELECT c.id,
    EXISTS (SELECT FROM teachers t WHERE t.user_id = $user_id::uuid AND t.is_active AND t.id = c.teacher_id)
    OR EXISTS (
        SELECT FROM class_subjects cs JOIN semesters m ON m.id = cs.semester_id JOIN teachers t ON t.id = cs.teacher_id
        WHERE t.user_id = $user_id::uuid AND t.is_active AND cs.class_id = c.id AND school_today() BETWEEN m.start_date AND m.end_date
    ) AS is_teacher
FROM classes c
WHERE c.id = $class_id::uuid

-- name: announcement_to_write
-- The class of an announcement that the viewer may see.
SELECT n.class_id FROM announcements n WHERE n.id = $id::uuid AND @visible(announcements n)

-- record: announcements
-- Announcements to a class, or to the whole school.
class_id author_id title body published_at
-- constraint announcements_title_check: INVALID title Must have 1 to 200 characters that are not all blanks.
-- constraint announcements_body_check: INVALID body Must have 1 to 5,000 characters that are not all blanks.

-- table: announcements
-- Announcements to a class, or to the whole school.
class_id published_at
-- personal technical staff: title (free text), body (free text), author_id; author_id; while the record exists
