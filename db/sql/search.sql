-- The format of this file: README.md in this folder.

-- name: search
-- People, classes and subjects whose name begins with a text, or whose number or code is it: the ids, best first, no more than $limit of a type.
(SELECT 'stu' AS tag, s.id, 0 AS place, s.sort_key AS sort FROM students s
 WHERE @visible(students s) AND 'stu' = ANY($tags::text[]) AND s.student_number = $text LIMIT 1)
UNION ALL
(SELECT 'stu', s.id, 1, s.sort_key FROM students s
 WHERE @visible(students s) AND 'stu' = ANY($tags::text[])
   AND s.sort_key >= fold_name($text) AND s.sort_key < (fold_name($text) || U&'\+10FFFF') AND s.student_number <> $text
 ORDER BY s.sort_key, s.id LIMIT $limit::integer)
UNION ALL
(SELECT 'stu', s.id, 2, s.sort_key FROM users u JOIN students s ON s.user_id = u.id
 WHERE @visible(students s) AND 'stu' = ANY($tags::text[])
   AND lower(u.first_name) ~>=~ lower($text) AND lower(u.first_name) ~<~ (lower($text) || U&'\+10FFFF')
   AND NOT (s.sort_key >= fold_name($text) AND s.sort_key < (fold_name($text) || U&'\+10FFFF')) AND s.student_number <> $text
 ORDER BY s.sort_key, s.id LIMIT $limit::integer)
UNION ALL
(SELECT 'tea', t.id, 1, t.sort_key FROM teachers t
 WHERE 'tea' = ANY($tags::text[]) AND t.sort_key >= fold_name($text) AND t.sort_key < (fold_name($text) || U&'\+10FFFF')
 ORDER BY t.sort_key, t.id LIMIT $limit::integer)
UNION ALL
(SELECT 'gua', g.id, 1, g.sort_key FROM guardians g
 WHERE @visible(guardians g) AND 'gua' = ANY($tags::text[])
   AND g.sort_key >= fold_name($text) AND g.sort_key < (fold_name($text) || U&'\+10FFFF')
 ORDER BY g.sort_key, g.id LIMIT $limit::integer)
UNION ALL
(SELECT 'cls', c.id, 1, fold_name(c.name) FROM classes c
 WHERE 'cls' = ANY($tags::text[]) AND fold_name(c.name) >= fold_name($text) AND fold_name(c.name) < (fold_name($text) || U&'\+10FFFF')
 ORDER BY fold_name(c.name), c.id LIMIT $limit::integer)
UNION ALL
(SELECT 'sub', j.id, CASE WHEN j.code = upper($text) THEN 0 ELSE 1 END, lower(j.name) FROM subjects j
 WHERE 'sub' = ANY($tags::text[])
   AND (j.code = upper($text) OR lower(j.name) ~>=~ lower($text) AND lower(j.name) ~<~ (lower($text) || U&'\+10FFFF'))
 ORDER BY lower(j.name), j.id LIMIT $limit::integer)
ORDER BY place, sort, id
