"""Tests starting the server as people do: on an empty folder, several side by side, with wrong settings, as an ordinary user."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from db.postgres_binaries import reachable
from tests.server_process import ROOT, Program, postmaster, until_gone

pytestmark = pytest.mark.processes

# It stood in this repository once.
PUBLIC = "rollcall-development-secret-not-for-production"


CURL = f"""#!{sys.executable}
import sys, urllib.request
url, options = sys.argv[2], list(zip(sys.argv[3::2], sys.argv[4::2]))
assert sys.argv[1] == "-s" and {{name for name, _ in options}} == {{"-H", "-d"}}, sys.argv
headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
[body] = [value for name, value in options if name == "-d"]
print(urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)).read().decode())
"""


def with_curl(folder: Path) -> Path:
    """Creates a folder with a minimal curl for the printed commands, since the machine may not have one."""
    made = folder_below(folder, "bin")
    (made / "curl").write_text(CURL)
    (made / "curl").chmod(0o755)
    return made


def test_from_nothing_to_a_schools_graph_and_again(start, folder):
    first = start()
    first.ready()
    said = first.said()
    for role in ("admin", "bursar", "teacher", "student", "guardian"):
        assert f"{role}@demo.school" in said
    assert "rollcall-demo" in said
    # Runs the commands that the greeting says to paste.
    script = "\n".join(line.strip() for line in said.splitlines() if re.match(r" +(TOKEN=|curl )", line))
    path = os.environ["PATH"] if shutil.which("curl") else f"{with_curl(folder)}:{os.environ['PATH']}"
    pasted = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=os.environ | {"PATH": path})
    promised = re.search(r"```json\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert json.loads(pasted.stdout) == json.loads(promised[1]), "the README's answer"
    postgres = postmaster(folder)
    assert first.stop() == 0
    assert until_gone(postgres), "Ctrl-C stops both"
    second = start()
    second.ready()
    assert "Applied" not in second.said()[len(said) :], "nothing is applied or seeded twice"
    assert second.ask("{ students { totalCount } }", second.token())["students"]["totalCount"] == 350


def test_two_run_side_by_side(start, folder):
    """Checks that each server has its own users, created while both run, as `make admin` creates them."""
    names = ("one", "two")
    programs = {name: start(folder=folder_below(folder, name), DEMO_DATA="false") for name in names}
    sign_in = (
        'mutation {{ signIn(input: {{email: "head@{}.example", password: "{}"}}) {{ session {{ accessToken }} userErrors {{ code }} }} }}'
    )
    passwords = {}
    for name in names:
        programs[name].ready()
        passwords[name] = make_administrator(programs[name], f"head@{name}.example")
    for name in names:
        for other in names:
            got = programs[name].ask(sign_in.format(other, passwords[other]))["signIn"]
            if name == other:
                assert programs[name].ask("{ viewer { role } }", got["session"]["accessToken"]) == {"viewer": {"role": "ADMIN"}}
            else:
                assert got["session"] is None
                assert got["userErrors"]


def make_administrator(program: Program, email: str) -> str:
    """Runs the command that creates an administrator while the server runs, and returns the password."""
    command = [sys.executable, "-m", "auth.administrator", "--email", email, "--generate-password"]
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(program.log.parent / "data")}
    said = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    return said.split()[-1]


def folder_below(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    made.chmod(0o777)
    return made


def test_the_same_folder_twice_is_said_to_be_in_use(start, school):
    start().ready()
    second = start()
    assert second.process.wait(30) != 0
    assert "Another server runs on" in second.said()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_it_works_as_an_ordinary_user(start, folder):
    os.chown(folder, 65534, 65534)
    (folder / "program.log").touch()
    os.chown(folder / "program.log", 65534, 65534)
    # This interpreter, or the system's of the same version if an ordinary user cannot execute this one.
    candidates = [Path(sys.executable), Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")]
    found = [each for each in candidates if each.exists() and reachable(each.resolve())]
    if not found:
        pytest.skip("no interpreter of this version is where an ordinary user can reach it")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    program = start(user=65534, interpreter=str(found[0]), PYTHONPATH=packages)
    program.ready()
    assert program.token()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"ENVIRONMENT": "production"}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": PUBLIC}, "SECRET_KEY"),
        ({"ENVIRONMENT": "production", "SECRET_KEY": "s" * 40, "SECRET_KEY_PREVIOUS": PUBLIC}, "SECRET_KEY_PREVIOUS"),
        ({"ENVIRONMENT": "production", "SECRET_KEY": "s" * 40, "DEMO_DATA": "true"}, "DEMO_DATA"),
        ({"PORT": "many", "WORKERS": "0"}, "WORKERS"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"PGBOUNCER": "true", "DATABASE_URL": "postgresql://x/y"}, "DIRECT_DATABASE_URL"),
        ({"POOL_MIN_SIZE": "30"}, "POOL_MIN_SIZE"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "cannot be reached"),
        ({"DATA_DIR": "/dev/null/data"}, "DATA_DIR"),
        ({"HOST": "192.0.2.1"}, "HOST and PORT"),
    ],
)
def test_wrong_settings_are_refused_by_name(start, settings, named):
    program = start(**settings)
    assert program.process.wait(30) == 1
    assert "Rollcall did not start" in program.said()
    assert named in program.said()
    assert "Traceback" not in program.said()


def test_pools_that_the_server_cannot_hold_are_refused(start, fresh_database_url):
    program = start(DATABASE_URL=fresh_database_url, WORKERS="64", POOL_MAX_SIZE="100")
    assert program.process.wait(30) == 1
    assert "64 × 100 = 6400" in program.said()


def test_with_a_database_url_nothing_embedded_starts_and_no_demo_is_written(start, folder, blank_database_url):
    program = start(DATABASE_URL=blank_database_url)
    program.ready()
    assert [path.name for path in (folder / "data").iterdir()] == ["secret_key"]
    assert "demo.school" not in program.said()
    assert program.ask("{ viewer { role } }") == {"viewer": None}


@pytest.mark.parametrize(
    "settings", [{"PORT": "many"}, {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, {"DATA_DIR": "/dev/null/data"}]
)
@pytest.mark.parametrize(
    "command", [["db.migrate", "list"], ["db.migrate", "up"], ["db.seed"], ["auth.administrator", "--email", "a@school.example"]]
)
def test_commands_that_cannot_do_their_work_say_why_in_a_line(command, settings):
    environment = {"PATH": os.environ["PATH"], **settings}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_the_former_name_runs_the_launcher_and_says_that_it_is_deprecated():
    environment = {"PATH": os.environ["PATH"], "PORT": "many"}
    done = subprocess.run([sys.executable, "-m", "serve"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    deprecation, refusal = done.stderr.splitlines()
    assert "deprecated" in deprecation
    assert "python -m launcher" in deprecation
    assert refusal.startswith("Rollcall did not start: ")
    assert done.returncode == 1


def test_a_port_that_is_taken_is_said_to_be_before_anything_is_started(start, folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        program = start(PORT=str(other.getsockname()[1]))
        assert program.process.wait(30) == 1
    assert "PORT" in program.said()
    assert "Traceback" not in program.said()
    assert not (folder / "data").exists()
