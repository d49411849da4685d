-- The format of this file: README.md in this folder.

-- name: search
-- People, classes and subjects by their names, numbers and codes, best first: the ids, no more than $limit of a type for each of a type's parts.
-- Places: 0 the whole name, number or code; 1 the beginning of the name, last name first; 2 its beginning, first name first; 3 each word of the text
-- begins a word. How folded names are compared, and why in these parts: docs/decisions/089-folded-names.md.
WITH asked AS MATERIALIZED (
    SELECT f.folded, f.folded || U&'\+10FFFF' AS beyond, word_starts(f.folded) AS starts, strpos(f.folded, ' ') > 0 AS has_many_words
    FROM (SELECT fold_name($text) AS folded) AS f
    WHERE f.folded <> ''
),
-- Each person's table has an index in the order of the sort key, so a page of names that begin with the text is read and no more.
-- The words are looked for when that page is not full, and when the text has several words, which few names have.
students_begun AS MATERIALIZED (
    SELECT s.id, CASE WHEN s.sort_key = (SELECT folded FROM asked) || E'\x01' THEN 0 ELSE 1 END AS place, s.sort_key AS sort
    FROM students s
    WHERE @visible(students s) AND 'stu' = ANY($tags::text[])
      AND s.sort_key >= (SELECT folded FROM asked) AND s.sort_key < (SELECT beyond FROM asked)
    ORDER BY s.sort_key, s.id LIMIT $limit::integer
),
students_found AS MATERIALIZED (
    SELECT s.id,
        CASE
            WHEN (SELECT folded FROM asked) IN (n.last_first, n.first_last) THEN 0
            WHEN starts_with(n.last_first, (SELECT folded FROM asked)) THEN 1
            WHEN starts_with(n.first_last, (SELECT folded FROM asked)) THEN 2
            ELSE 3
        END AS place,
        s.sort_key AS sort
    FROM users u JOIN students s ON s.user_id = u.id,
        LATERAL (SELECT replace(s.sort_key, E'\x01', ' ') AS last_first,
            split_part(s.sort_key, E'\x01', 2) || ' ' || split_part(s.sort_key, E'\x01', 1) AS first_last) AS n
    WHERE @visible(students s) AND 'stu' = ANY($tags::text[])
      AND name_words(u.first_name || ' ' || u.last_name) @@ (SELECT starts FROM asked)
      AND NOT (s.sort_key >= (SELECT folded FROM asked) AND s.sort_key < (SELECT beyond FROM asked))
      AND ((SELECT has_many_words FROM asked) OR (SELECT count(*) FROM students_begun) < $limit)
    ORDER BY place, s.sort_key, s.id LIMIT $limit::integer
),
teachers_begun AS MATERIALIZED (
    SELECT t.id, CASE WHEN t.sort_key = (SELECT folded FROM asked) || E'\x01' THEN 0 ELSE 1 END AS place, t.sort_key AS sort
    FROM teachers t
    WHERE 'tea' = ANY($tags::text[])
      AND t.sort_key >= (SELECT folded FROM asked) AND t.sort_key < (SELECT beyond FROM asked)
    ORDER BY t.sort_key, t.id LIMIT $limit::integer
),
teachers_found AS MATERIALIZED (
    SELECT t.id,
        CASE
            WHEN (SELECT folded FROM asked) IN (n.last_first, n.first_last) THEN 0
            WHEN starts_with(n.last_first, (SELECT folded FROM asked)) THEN 1
            WHEN starts_with(n.first_last, (SELECT folded FROM asked)) THEN 2
            ELSE 3
        END AS place,
        t.sort_key AS sort
    FROM users u JOIN teachers t ON t.user_id = u.id,
        LATERAL (SELECT replace(t.sort_key, E'\x01', ' ') AS last_first,
            split_part(t.sort_key, E'\x01', 2) || ' ' || split_part(t.sort_key, E'\x01', 1) AS first_last) AS n
    WHERE 'tea' = ANY($tags::text[])
      AND name_words(u.first_name || ' ' || u.last_name) @@ (SELECT starts FROM asked)
      AND NOT (t.sort_key >= (SELECT folded FROM asked) AND t.sort_key < (SELECT beyond FROM asked))
      AND ((SELECT has_many_words FROM asked) OR (SELECT count(*) FROM teachers_begun) < $limit)
    ORDER BY place, t.sort_key, t.id LIMIT $limit::integer
),
guardians_begun AS MATERIALIZED (
    SELECT g.id, CASE WHEN g.sort_key = (SELECT folded FROM asked) || E'\x01' THEN 0 ELSE 1 END AS place, g.sort_key AS sort
    FROM guardians g
    WHERE @visible(guardians g) AND 'gua' = ANY($tags::text[])
      AND g.sort_key >= (SELECT folded FROM asked) AND g.sort_key < (SELECT beyond FROM asked)
    ORDER BY g.sort_key, g.id LIMIT $limit::integer
),
guardians_found AS MATERIALIZED (
    SELECT g.id,
        CASE
            WHEN (SELECT folded FROM asked) IN (n.last_first, n.first_last) THEN 0
            WHEN starts_with(n.last_first, (SELECT folded FROM asked)) THEN 1
            WHEN starts_with(n.first_last, (SELECT folded FROM asked)) THEN 2
            ELSE 3
        END AS place,
        g.sort_key AS sort
    FROM users u JOIN guardians g ON g.user_id = u.id,
        LATERAL (SELECT replace(g.sort_key, E'\x01', ' ') AS last_first,
            split_part(g.sort_key, E'\x01', 2) || ' ' || split_part(g.sort_key, E'\x01', 1) AS first_last) AS n
    WHERE @visible(guardians g) AND 'gua' = ANY($tags::text[])
      AND name_words(u.first_name || ' ' || u.last_name) @@ (SELECT starts FROM asked)
      AND NOT (g.sort_key >= (SELECT folded FROM asked) AND g.sort_key < (SELECT beyond FROM asked))
      AND ((SELECT has_many_words FROM asked) OR (SELECT count(*) FROM guardians_begun) < $limit)
    ORDER BY place, g.sort_key, g.id LIMIT $limit::integer
),
classes_begun AS MATERIALIZED (
    SELECT c.id, fold_name(c.name) AS sort FROM classes c
    WHERE 'cls' = ANY($tags::text[]) AND fold_name(c.name) >= (SELECT folded FROM asked) AND fold_name(c.name) < (SELECT beyond FROM asked)
    ORDER BY fold_name(c.name), c.id LIMIT $limit::integer
)
SELECT 'stu' AS tag, id, place, sort FROM students_begun
UNION ALL
SELECT 'stu', id, place, sort FROM students_found
UNION ALL
-- A student whose name is found as well is found once, by the number.
(SELECT 'stu', s.id, -1, s.sort_key FROM students s
 WHERE @visible(students s) AND 'stu' = ANY($tags::text[]) AND fold_name(s.student_number) = (SELECT folded FROM asked)
 ORDER BY s.sort_key, s.id LIMIT $limit::integer)
UNION ALL
SELECT 'tea', id, place, sort FROM teachers_begun
UNION ALL
SELECT 'tea', id, place, sort FROM teachers_found
UNION ALL
SELECT 'gua', id, place, sort FROM guardians_begun
UNION ALL
SELECT 'gua', id, place, sort FROM guardians_found
UNION ALL
SELECT 'cls', id, CASE WHEN sort = (SELECT folded FROM asked) THEN 0 ELSE 1 END, sort FROM classes_begun
UNION ALL
(SELECT 'cls', c.id, 3, fold_name(c.name) FROM classes c
 WHERE 'cls' = ANY($tags::text[]) AND name_words(c.name) @@ (SELECT starts FROM asked) AND (SELECT count(*) FROM classes_begun) < $limit
   AND NOT (fold_name(c.name) >= (SELECT folded FROM asked) AND fold_name(c.name) < (SELECT beyond FROM asked))
 ORDER BY 4, 2 LIMIT $limit::integer)
UNION ALL
(SELECT 'sub', j.id,
    CASE WHEN (SELECT folded FROM asked) IN (fold_name(j.code), fold_name(j.name)) THEN 0
         WHEN starts_with(fold_name(j.name), (SELECT folded FROM asked)) THEN 1 ELSE 3 END AS place,
    fold_name(j.name) AS sort
 FROM subjects j
 WHERE 'sub' = ANY($tags::text[])
   AND (fold_name(j.code) = (SELECT folded FROM asked) OR name_words(j.name) @@ (SELECT starts FROM asked))
 ORDER BY place, sort, j.id LIMIT $limit::integer)
ORDER BY place, sort, id
