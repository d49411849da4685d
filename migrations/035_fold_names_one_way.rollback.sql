-- Takes back 035_fold_names_one_way. Stored sort keys stay as they are until their names are written again: only names with apostrophes, dashes
-- and letters of other scripts are folded in another way by the function before.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP FUNCTION word_starts(text);
DROP FUNCTION name_words(text);
CREATE OR REPLACE FUNCTION fold_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(
        replace(replace(replace(replace(replace(replace(
            translate(
                regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g'),
                'ØøĐđÐðŁłŦŧĦħıŊŋ', 'OoDdDdLlTtHhiNn'),
            'ß', 'ss'), 'Æ', 'ae'), 'æ', 'ae'), 'Œ', 'oe'), 'œ', 'oe'), 'þ', 'th')
    ) COLLATE "C"
$$;
