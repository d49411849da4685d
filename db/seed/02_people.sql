-- People: users, teachers, students, guardians and whose they are.

CREATE TEMPORARY TABLE seed_names ON COMMIT DROP AS
SELECT ARRAY['Ada','Amira','Aisha','Alejandro','Alma','Amélie','Anders','Andrzej','Anna','Antonia','Ayşe','Ben','Björn','Camille','Carla','Chiara','Chloé','Clara',
    'Daniel','David','Elif','Elena','Emil','Emma','Émile','Enzo','Esra','Eva','Fatima','Felix','Finn','François','Frida','Gabriel','Giulia','Greta','Hana','Hannah',
    'Hugo','Ida','Ilse','Ines','Ingrid','Isaac','Ivan','Jakub','Jana','Jasmin','João','Johanna','Jonas','José','Julia','Jürgen','Kai','Karim','Katarzyna','Kofi','Lara',
    'Lars','Laura','Lea','Leila','Leon','Liam','Lina','Linh','Lotte','Louis','Lucía','Luka','Łukasz','Magda','Malik','Marek','María','Marie','Mateo','Matthias','Maya',
    'Mehmet','Mei','Mia','Milan','Mila','Minh','Mohammed','Nadia','Naomi','Nele','Niklas','Nina','Noah','Noor','Nour','Olga','Oliver','Omar','Óscar','Otto','Paul','Paula',
    'Pedro','Petra','Priya','Rafael','Rania','Rosa','Ruth','Sami','Samuel','Sara','Selin','Sofía','Søren','Stella','Tariq','Teodor','Theo','Tilda','Tomáš','Tuan','Uma',
    'Valentina','Vera','Viktor','Yara','Yuki','Yusuf','Zoé','Zofia'] AS first_names,
  ARRAY['Abdi','Acar','Adams','Ahmed','Åberg','Almeida','Álvarez','Andersen','Bauer','Becker','Bell','Benali','Berg','Bergström','Bianchi','Braun','Brown','Çelik',
    'Chen','Costa','Cruz','Dąbrowski','Demir','Diallo','Dubois','Dvořák','Eriksson','Esposito','Evans','Fernández','Ferrari','Fischer','Fontaine','Fuchs','García','Gomez',
    'Gruber','Haddad','Hansen','Hartmann','Hoang','Hoffmann','Horváth','Ibrahim','Ivanova','Jansen','Johansson','Jones','Kaya','Keller','Khalil','Khan','Kim','Klein','Koch',
    'Kováč','Kowalski','Krause','Krüger','Lange','Larsen','Lefèvre','Lehmann','Lewis','Li','Lindqvist','López','Maier','Mancini','Martin','Martínez','Mensah','Meyer','Moreau',
    'Moretti','Müller','Muñoz','Nagy','Neumann','Nguyen','Nielsen','Novák','Nowak','O''Brien','Okafor','Öztürk','Park','Patel','Pereira','Petersen','Petrov','Pham','Popescu',
    'Ramos','Richter','Rossi','Roth','Ruiz','Sahin','Sanchez','Santos','Schmidt','Schneider','Schröder','Schulz','Silva','Singh','Sørensen','Suzuki','Svensson','Szabó','Tanaka',
    'Torres','Tran','Vargas','Vogel','Wagner','Weber','Weiß','Wójcik','Wolf','Yıldız','Zhang','Zimmermann','Zorn'] AS last_names;

-- Where student i sits now: level and section; alumni have gone a level past the last. `first_year` is the first of the four years they were here.
CREATE TEMPORARY TABLE seed_students ON COMMIT DROP AS
SELECT i, level, section, i > scale.students AS alumnus, ((i - 1) % families) + 1 AS family,
    greatest(0, 4 - level)::integer AS first_year,
    settled AND i <= scale.students AND i > 10 AND pg_temp.chance(11, i) < 0.02 AND scale.sections > 1 AS moved,
    settled AND i <= scale.students AND i > 10 AND pg_temp.chance(12, i) < 0.008 AS gone
FROM scale,
    -- In a year's first days nobody has moved or left yet.
    (SELECT current_setting('seed.date')::date >= start_date + 20 AS settled FROM seed_years WHERE y = 3) AS this_year,
    LATERAL (
    SELECT i, (i - 1) % classes / sections + 1 AS level, (i - 1) % classes % sections AS section, (students * 7 / 10) AS families FROM generate_series(1, students) AS i
    UNION ALL
    SELECT students + a, levels + 1, (a - 1) % sections, (students * 7 / 10) FROM generate_series(1, alumni) AS a
) AS placed;

-- Everyone with a name. kind: 1 staff, 2 teacher, 3 student, 4 guardian; n counts within the kind.
CREATE TEMPORARY TABLE seed_people ON COMMIT DROP AS
SELECT *, pg_temp.seed_id(20 + kind, n, since) AS user_id
FROM (
    SELECT 1 AS kind, n, role, first_name, last_name, (SELECT start_date FROM seed_years WHERE y = 0) + time '08:00' AT TIME ZONE 'UTC' AS since, true AS active
    FROM (VALUES (1, 'ADMIN', 'Adela', 'Núñez'), (2, 'BURSAR', 'Bruno', 'Sauer')) AS staff (n, role, first_name, last_name)
    UNION ALL
    SELECT 2, t, 'TEACHER', first_names[1 + floor(pg_temp.chance(13, t) * cardinality(first_names))::integer], last_names[1 + floor(pg_temp.chance(14, t) * cardinality(last_names))::integer],
        (y.start_date + time '08:00') AT TIME ZONE 'UTC', t <= 20 OR t < scale.teachers AND pg_temp.chance(15, t) > 0.02
    FROM scale, seed_names, seed_years y, generate_series(1, scale.teachers) AS t WHERE y.y = 0
    UNION ALL
    SELECT 3, s.i, 'STUDENT', first_names[1 + floor(pg_temp.chance(16, s.i) * cardinality(first_names))::integer],
        last_names[1 + floor(pg_temp.chance(17, s.family) * cardinality(last_names))::integer],
        (y.start_date + time '09:00') AT TIME ZONE 'UTC' - interval '60 days', NOT s.alumnus AND NOT s.gone
    FROM seed_names, seed_students s JOIN seed_years y ON y.y = s.first_year
    UNION ALL
    SELECT 4, (f.family - 1) * 2 + parent, 'GUARDIAN', first_names[1 + floor(pg_temp.chance(18, f.family * 2 + parent) * cardinality(first_names))::integer],
        CASE WHEN parent = 2 AND pg_temp.chance(19, f.family) < 0.25 THEN last_names[1 + floor(pg_temp.chance(20, f.family) * cardinality(last_names))::integer]
             ELSE last_names[1 + floor(pg_temp.chance(17, f.family) * cardinality(last_names))::integer] END,
        (y.start_date + time '09:00') AT TIME ZONE 'UTC' - interval '60 days', true
    FROM seed_names, (SELECT family, min(first_year) AS first_year FROM seed_students GROUP BY family) AS f
    JOIN seed_years y ON y.y = f.first_year, generate_series(1, 2) AS parent
    WHERE parent = 1 OR pg_temp.chance(21, f.family) < 0.75
) AS everyone;

INSERT INTO users (id, alt_id, role, first_name, last_name, email, phone, address, password_hash, password_changed_at, is_active, created_at, updated_at)
SELECT p.user_id, row_number() OVER (ORDER BY p.kind, p.n), p.role, p.first_name, p.last_name,
    CASE
        WHEN p.n = 1 AND p.kind > 1 OR p.kind = 1 THEN lower(p.role) || '@demo.school'
        ELSE lower(p.role) || p.n || '@' || current_setting('seed.scale') || '.school'
    END,
    CASE WHEN p.kind IN (2, 4) THEN '+49 30 ' || lpad((pg_temp.chance(22, p.kind * 1000000 + p.n) * 9999999)::integer::text, 7, '0') END,
    CASE WHEN p.kind = 4 THEN (ARRAY['Lindenstraße','Gartenweg','Schulstraße','Am Markt','Birkenallee','Mühlenweg','Rosenweg','Hauptstraße'])[1 + p.n / 2 % 8] || ' ' || (1 + p.n / 16 % 120) || ', 10115 Berlin' END,
    CASE WHEN p.n = 1 AND p.kind > 1 OR p.kind = 1 THEN current_setting('seed.password_hash') END,
    CASE WHEN p.n = 1 AND p.kind > 1 OR p.kind = 1 THEN p.since END,
    p.active, p.since, p.since
FROM seed_people p;
SELECT setval(pg_get_serial_sequence('users', 'alt_id'), (SELECT max(alt_id) FROM users));

INSERT INTO teachers (id, alt_id, user_id, employee_number, specialization, joining_date, is_active, sort_key, created_at, updated_at)
SELECT pg_temp.seed_id(30, p.n, p.since), p.n, p.user_id, 'T' || lpad(p.n::text, 5, '0'), (SELECT name FROM subjects j WHERE j.id = pg_temp.seed_id(5, (p.n - 1) % scale.subjects + 1, y.start_date)),
    y.start_date - (pg_temp.chance(23, p.n) * 5000)::integer, p.active, u.sort_key, p.since, p.since
FROM scale, seed_people p JOIN users u ON u.id = p.user_id, seed_years y WHERE p.kind = 2 AND y.y = 0;
SELECT setval(pg_get_serial_sequence('teachers', 'alt_id'), (SELECT max(alt_id) FROM teachers));

-- Each teacher can teach a first subject and a second.
INSERT INTO teacher_subjects (id, teacher_id, subject_id, created_at)
SELECT pg_temp.seed_id(31, t.alt_id * 2 + n, t.created_at), t.id, pg_temp.seed_id(5, (t.alt_id - 1 + n * 5) % scale.subjects + 1, y.start_date), t.created_at
FROM scale, teachers t, generate_series(0, 1) AS n, seed_years y WHERE y.y = 0;

INSERT INTO students (id, alt_id, user_id, class_id, student_number, birth_date, enrollment_date, is_active, sort_key, created_at, updated_at)
SELECT pg_temp.seed_id(40, s.i, p.since), s.i, p.user_id, NULL, 'S' || lpad(s.i::text, 6, '0'),
    now_year.start_date - (365.25 * (s.level + 5))::integer - (pg_temp.chance(24, s.i) * 364)::integer,
    y.start_date, p.active, u.sort_key, p.since, p.since
FROM seed_students s JOIN seed_people p ON p.kind = 3 AND p.n = s.i JOIN users u ON u.id = p.user_id
JOIN seed_years y ON y.y = s.first_year, seed_years now_year WHERE now_year.y = 3;
SELECT setval(pg_get_serial_sequence('students', 'alt_id'), (SELECT max(alt_id) FROM students));

INSERT INTO guardians (id, user_id, is_active, sort_key, created_at, updated_at)
SELECT pg_temp.seed_id(50, p.n, p.since), p.user_id, true, u.sort_key, p.since, p.since
FROM seed_people p JOIN users u ON u.id = p.user_id WHERE p.kind = 4;

INSERT INTO guardian_students (id, guardian_id, student_id, relationship, is_primary, created_at, updated_at)
SELECT pg_temp.seed_id(51, p.n * 8 + row_number() OVER (PARTITION BY p.n ORDER BY s.i), st.created_at), pg_temp.seed_id(50, p.n, p.since), st.id,
    CASE WHEN pg_temp.chance(25, p.n) < 0.04 THEN 'GRANDPARENT' WHEN pg_temp.chance(25, p.n) < 0.06 THEN 'LEGAL_GUARDIAN'
         WHEN p.n % 2 = 1 THEN 'MOTHER' ELSE 'FATHER' END,
    p.n % 2 = 1, st.created_at, st.created_at
FROM seed_people p JOIN seed_students s ON s.family = (p.n + 1) / 2 JOIN students st ON st.alt_id = s.i WHERE p.kind = 4;

-- Teachers with a child at the school: one person, one account, two links.
INSERT INTO guardians (id, user_id, is_active, sort_key, created_at, updated_at)
SELECT pg_temp.seed_id(50, 1000000 + t.alt_id, t.created_at), t.user_id, true, t.sort_key, t.created_at, t.created_at FROM teachers t WHERE t.alt_id % 30 = 2;
INSERT INTO guardian_students (id, guardian_id, student_id, relationship, is_primary, created_at, updated_at)
SELECT pg_temp.seed_id(51, 8000000 + t.alt_id, t.created_at), pg_temp.seed_id(50, 1000000 + t.alt_id, t.created_at), s.id, 'OTHER', false, s.created_at, s.created_at
FROM teachers t JOIN students s ON s.alt_id = t.alt_id + 3 WHERE t.alt_id % 30 = 2;
