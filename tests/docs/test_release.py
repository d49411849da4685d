"""What clients of the last release rely on stays: the schema is compared with that of the release."""

import subprocess
import sys

import pytest
from graphql import build_schema

from docs import generate, release
from tests.graphql_school import SCHEMA
from tests.server_process import ROOT

OLD = """
type Query { pupil(id: ID!, on: String = "now"): Pupil, pupils: [Pupil!]!, room: Room @deprecated(reason: "Use `class`.") }
type Pupil { name: String!, mark: Mark, nick(short: Boolean @deprecated(reason: "Has no effect.")): String }
type Room { name: String }
enum Mark { GOOD, BAD, OLD @deprecated(reason: "Use `BAD`.") }
input PupilFilter { name: String, size: Int @deprecated(reason: "Nobody has one.") }
type Mutation { rename(filter: PupilFilter!): Pupil }
"""


def _changes(*replaced):
    new = OLD
    for old, text in replaced:
        assert old in new
        new = new.replace(old, text)
    return release.changes(build_schema(OLD), build_schema(new))


def test_the_schema_breaks_no_client_of_the_last_release():
    last = release.last_release()
    assert last is not None
    assert release.problems(SCHEMA.as_str()) == [], release.ADVICE


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pupils: [Pupil!]!, ", "", "Field Query.pupils was removed."),
        ("name: String!, mark", "name: String, mark", "Field Pupil.name changed type from String! to String."),
        ("GOOD, BAD, ", "GOOD, ", "Enum value Mark.BAD was removed."),
        (
            "input PupilFilter { name: String",
            "input PupilFilter { name: String!",
            "Field PupilFilter.name changed type from String to String!.",
        ),
        ("pupil(id: ID!, ", "pupil(id: ID!, by: ID!, ", "A required argument Query.pupil(by:) was added."),
        ('on: String = "now"', 'on: String = "today"', "Query.pupil(on:) has changed defaultValue"),
    ],
)
def test_what_breaks_clients_is_found(old, new, said):
    [found] = _changes((old, new))
    assert found.startswith(said)


def test_additions_pass():
    added = [("GOOD, BAD", "GOOD, FAIR, BAD"), ("mark: Mark", "mark: Mark, age: Int"), ("size: Int", "age: Int, size: Int")]
    assert _changes(*added, ("pupil(id: ID!", "pupil(id: ID!, by: ID")) == []


def test_what_the_release_had_deprecated_may_go():
    gone = [
        (', room: Room @deprecated(reason: "Use `class`.")', ""),
        ("type Room { name: String }", ""),
        (', OLD @deprecated(reason: "Use `BAD`.")', ""),
    ]
    gone += [('(short: Boolean @deprecated(reason: "Has no effect."))', ""), (', size: Int @deprecated(reason: "Nobody has one.")', "")]
    assert _changes(*gone) == []


def test_the_last_release_is_the_highest_number_not_the_last_word(tmp_path, monkeypatch):
    for name in ("0.9", "0.10", "0.2"):
        (tmp_path / f"{name}.graphql").write_text(OLD)
    monkeypatch.setattr(release, "_FOLDER", tmp_path)
    assert release.last_release().stem == "0.10"


def test_verifying_fails_on_a_change_that_breaks_clients_and_says_what_to_do(tmp_path, monkeypatch, capsys):
    (tmp_path / "0.1.graphql").write_text(SCHEMA.as_str().replace("type Query {", "type Query {\n  pupils: Int", 1))
    monkeypatch.setattr(release, "_FOLDER", tmp_path)
    assert generate.main(["--check"]) == 1
    printed = capsys.readouterr().out
    assert "Query.pupils was removed." in printed
    assert release.ADVICE in printed


def test_the_command_writes_the_schema_of_the_version(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(release, "_FOLDER", tmp_path / "releases")
    monkeypatch.setattr(release, "_ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.7.3"\n')
    monkeypatch.setattr(sys, "argv", ["release"])
    release.main()
    assert capsys.readouterr().out == "wrote releases/0.7.graphql\n"
    assert (tmp_path / "releases" / "0.7.graphql").read_text() == (ROOT / "schema" / "school.graphql").read_text()


def test_the_check_by_itself_passes():
    done = subprocess.run([sys.executable, "-m", "docs.release", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
