-- The format of this file: README.md in this folder.

-- Who sees which rows: one rule a noun, used by every statement on its table. The table in words: docs/access.md.
-- The arrays are the viewer's reach (reach.sql). Who sees all rows of a noun does not pass here: the rule is compiled away.

-- visible: students s
-- Self, child, taught, homeroom.
s.id = ANY($reach_students::uuid[])
-- unrestricted: ADMIN BURSAR

-- visible: students.birth_date s
-- Self, child, and the current class's own teacher.
s.id = ANY($reach_own_students::uuid[]) OR s.class_id = ANY($reach_homeroom_classes::uuid[])
-- unrestricted: ADMIN

-- visible: students.contact s
-- Self, child, and the current class's own teacher.
s.id = ANY($reach_own_students::uuid[]) OR s.class_id = ANY($reach_homeroom_classes::uuid[])
-- unrestricted: ADMIN BURSAR

-- visible: students.guardians s
-- Self, child, and the current class's own teacher.
s.id = ANY($reach_own_students::uuid[]) OR s.class_id = ANY($reach_homeroom_classes::uuid[])
-- unrestricted: ADMIN BURSAR

-- visible: guardians g
-- Self, a student's own, and those of the students of one's homeroom class.
g.id = ANY($reach_guardians::uuid[])
-- unrestricted: ADMIN BURSAR

-- visible: teachers.private t
-- Self.
t.id = ANY($reach_teachers::uuid[])
-- unrestricted: ADMIN

-- visible: class_history h
-- Of every student in reach.
h.student_id = ANY($reach_students::uuid[])
-- unrestricted: ADMIN

-- visible: attendance a
-- Self and child; homeroom: all of the class; taught: own subject and whole-day rows.
a.student_id = ANY($reach_own_students::uuid[])
OR a.class_id = ANY($reach_homeroom_classes::uuid[])
OR (a.class_id = ANY($reach_taught_classes::uuid[])
    AND a.student_id = ANY($reach_taught_students::uuid[])
    AND (a.subject_id IS NULL
         OR (a.class_id, a.subject_id) IN (SELECT * FROM unnest($reach_taught_classes::uuid[], $reach_taught_subjects::uuid[]))))
-- unrestricted: ADMIN

-- visible: registers r
-- Homeroom: all of the class; taught: own subject and whole-day registers.
r.class_id = ANY($reach_homeroom_classes::uuid[])
OR (r.class_id = ANY($reach_taught_classes::uuid[])
    AND (r.subject_id IS NULL
         OR (r.class_id, r.subject_id) IN (SELECT * FROM unnest($reach_taught_classes::uuid[], $reach_taught_subjects::uuid[]))))
-- unrestricted: ADMIN

-- visible: assessments a
-- Homeroom: all of the class; taught: own subject; self and child: published, in their classes.
a.class_id = ANY($reach_homeroom_classes::uuid[])
OR (a.class_id = ANY($reach_taught_classes::uuid[])
    AND (a.class_id, a.subject_id) IN (SELECT * FROM unnest($reach_taught_classes::uuid[], $reach_taught_subjects::uuid[])))
OR (a.class_id = ANY($reach_own_classes::uuid[]) AND a.published_at IS NOT NULL)
-- unrestricted: ADMIN

-- visible: grades g
-- Self and child: published; homeroom: all of the class; taught: own subject.
(g.student_id = ANY($reach_own_students::uuid[]) AND g.is_published)
OR g.class_id = ANY($reach_homeroom_classes::uuid[])
OR (g.class_id = ANY($reach_taught_classes::uuid[])
    AND g.student_id = ANY($reach_taught_students::uuid[])
    AND (g.class_id, g.subject_id) IN (SELECT * FROM unnest($reach_taught_classes::uuid[], $reach_taught_subjects::uuid[])))
-- unrestricted: ADMIN

-- visible: final_grades f
-- Self and child; homeroom and taught: all subjects of the class, as a report has them.
f.student_id = ANY($reach_own_students::uuid[])
OR f.class_id = ANY($reach_homeroom_classes::uuid[])
OR (f.class_id = ANY($reach_taught_classes::uuid[]) AND f.student_id = ANY($reach_taught_students::uuid[]))
-- unrestricted: ADMIN

-- visible: grade_reopenings r
-- Nobody but administrators.
false
-- unrestricted: ADMIN

-- visible: payments p
-- Self and child.
p.student_id = ANY($reach_own_students::uuid[])
-- unrestricted: ADMIN BURSAR

-- visible: gateway_events e
-- Nobody but administrators and bursars.
false
-- unrestricted: ADMIN BURSAR

-- visible: users u
-- Self.
u.id = ANY($reach_users::uuid[])
-- unrestricted: ADMIN BURSAR

-- visible: users.private u
-- Self: all but the names.
u.id = ANY($reach_users::uuid[])
-- unrestricted: ADMIN

-- visible: guardianships gs
-- Of students whose guardians the viewer may see (students.guardians), to guardians in reach. That both ends are visible is not enough: a teacher may
-- know a guardian from the homeroom class, and teach a sibling whose guardians are not for them.
gs.guardian_id = ANY($reach_guardians::uuid[])
AND (gs.student_id = ANY($reach_own_students::uuid[])
     OR EXISTS (SELECT FROM students pupil WHERE pupil.id = gs.student_id AND pupil.class_id = ANY($reach_homeroom_classes::uuid[])))
-- unrestricted: ADMIN BURSAR

-- visible: audit_log l
-- Nobody but administrators.
false
-- unrestricted: ADMIN

-- visible: sessions s
-- One's own.
s.user_id = ANY($reach_users::uuid[])
-- unrestricted: ADMIN

-- visible: service_tokens t
-- Nobody but administrators.
false
-- unrestricted: ADMIN

-- visible: announcements n
-- Before it is published: its author. From then on, school-wide: every signed-in user; to a class: homeroom and taught, and self and child who are
-- in the class, or were in it when it was published.
n.author_id = ANY($reach_users::uuid[])
OR (n.published_at <= school_now()
    AND (n.class_id IS NULL
         OR n.class_id = ANY($reach_homeroom_classes::uuid[])
         OR n.class_id = ANY($reach_taught_classes::uuid[])
         OR EXISTS (
             SELECT FROM student_class_history h
             WHERE h.class_id = n.class_id AND h.student_id = ANY($reach_own_students::uuid[])
                 AND (h.to_date IS NULL
                      OR h.to_date >= (n.published_at AT TIME ZONE coalesce((SELECT time_zone FROM school_settings), 'UTC'))::date)
         )))
-- unrestricted: ADMIN
