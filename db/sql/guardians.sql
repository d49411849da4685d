-- The format of this file: README.md in this folder.

-- page: guardians
-- Guardians, by their names.
SELECT g.id, g.user_id, g.is_active, g.created_at, g.updated_at, g.version,
    u.first_name, u.last_name, u.email, u.phone, u.address
FROM guardians g
-- Every one has an account; LEFT lets PostgreSQL leave it out where nothing of it is read.
LEFT JOIN users u ON u.id = g.user_id
WHERE @visible(guardians g)
-- key: g.id
-- order name text: g.sort_key
-- flag is_active: g.is_active
-- filter student_ids: g.id IN (SELECT gs.guardian_id FROM guardian_students gs WHERE gs.student_id = ANY($student_ids::uuid[]) AND @visible(guardianships gs))
-- filter name_prefix: g.sort_key >= fold_name($name_prefix) AND g.sort_key < (fold_name($name_prefix) || U&'\+10FFFF')
-- per student: g.id IN (SELECT gs.guardian_id FROM guardian_students gs WHERE gs.student_id = $parent)
-- by id uuid: g.id
-- by user uuid: g.user_id

-- page: guardianships
-- Who is whose guardian, and how they are related.
SELECT gs.id, gs.guardian_id, gs.student_id, gs.relationship, gs.is_primary, gs.created_at, gs.updated_at, gs.version
FROM guardian_students gs
WHERE @visible(guardianships gs)
-- key: gs.id
-- order created_at timestamptz: gs.created_at
-- per guardian: gs.guardian_id = $parent
-- per student: gs.student_id = $parent
-- by id uuid: gs.id

-- record: guardians
-- Guardians; their names are their user's.
user_id is_active

-- record: guardian_students
-- Who is whose guardian.
guardian_id student_id relationship is_primary

-- table: guardians
-- Guardians. Their names and contact data are in `users`.
-- personal identity guardian: user_id, is_active, sort_key; user_id; 1 year after leaving

-- table: guardian_students
-- Whose guardian somebody is, and in which relationship. A row concerns both.
-- personal identity guardian: student_id, relationship, is_primary; guardian_id -> guardians.user_id; 1 year after leaving
-- personal identity student: guardian_id, relationship, is_primary; student_id -> students.user_id; 1 year after leaving
