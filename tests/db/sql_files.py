"""Builds a catalogue from a text: one file with a small noun, `notes`."""

import pytest

from db.sql_catalog import Queries

TABLE = """-- table: notes
-- What somebody wrote down.
is_open
-- personal identity user: title (free text); owner; 1 year after leaving

"""
PAGE = (
    TABLE
    + """-- visible: notes n
-- One's own.
n.owner = ANY($reach_users::uuid[])

-- page: notes
-- Notes, by title.
SELECT n.id, n.title
FROM notes n
WHERE @visible(notes n)
-- key: n.id
-- order title text: n.title
-- filter owner: n.owner = $owner
-- per owner: n.owner = $parent
-- by id uuid: n.id
"""
)


def load(folder, text):
    (folder / "notes.sql").write_text(text)
    return Queries(folder)


def refused(folder, text):
    with pytest.raises(ValueError, match=r"notes\.sql:\d+: ") as error:
        load(folder, text)
    return str(error.value)
