"""The command line: quick, one JSON document where asked for, exit codes, and words instead of tracebacks."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from click.testing import CliRunner

from tests.installation import Installation, Installations
from yuanmai.cli import COMMANDS, cli


@pytest.fixture(scope="module")
def place(installations: Installations) -> Iterator[Installation]:
    made = installations.migrated()
    made.json("org", "add", "linzhou", "临州市", "--kind", "city")
    yield made
    made.stop()


def test_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "-m", "yuanmai", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_help_loads_neither_django_nor_a_room() -> None:
    code = (
        "import sys, yuanmai.cli; print([m for m in sys.modules if m.split('.')[0] in ('django', 'ninja')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def commands() -> Iterator[tuple[str, ...]]:
    """Every command, with those of the groups."""
    import importlib

    from yuanmai.cli import setup_django

    setup_django()
    for name, (module, attribute, _help) in COMMANDS.items():
        command = getattr(importlib.import_module(module), attribute)
        inner = getattr(command, "commands", None)
        if inner is None:
            yield (name,)
        else:
            yield from ((name, part) for part in inner)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself_and_offers_json(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0, result.output
    assert "--json" in result.output
    assert len(result.output.strip().splitlines()) > 3


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["org", "nothing"], ["figure"], ["org", "add", "x"], ["figures", "--x"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, arguments).exit_code == 2


def test_what_json_prints_is_one_document_and_nothing_else(place: Installation) -> None:
    done = place.run("org", "list", "--json")
    assert json.loads(done.stdout) == [{"code": "linzhou", "name": "临州市", "kind": "city", "depth": 1}]
    assert done.stderr == ""
    document = place.json("figure", "projects.count", "--scope", "linzhou", "--as-of", "2022-03-31")
    assert (document["code"], document["value"], document["as_of"]) == ("projects.count", 0, "2022-03-31")
    assert place.json("audit", "verify")["whole"] is True


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["figure", "projects.count", "--scope", "nowhere"], "linzhou"),
        (["figure", "projects.nothing"], "projects.count"),
        (["figure", "projects.count", "--scope", "linzhou", "--where", "colour=red"], "colour"),
        (["org", "add", "linzhou", "Again", "--kind", "city"], "linzhou"),
        (["org", "add", "x", "X", "--kind", "park", "--parent", "nowhere"], "nowhere"),
        (["user", "add", "somebody", "--role", "king", "--org", "linzhou"], "leader"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refused_input_is_a_problem_document_and_exit_code_1(
    place: Installation, arguments: list[str], hint: str
) -> None:
    document = place.json(*arguments, status=1)
    assert 400 <= document["status"] < 500
    assert hint in document["title"]
    plain = place.run(*arguments)
    assert plain.returncode == 1
    assert plain.stdout == ""
    assert hint in plain.stderr
    assert "Traceback" not in plain.stderr


def test_the_language_follows_the_terminal(place: Installation) -> None:
    arguments = ("org", "add", "linzhou", "Again", "--kind", "city")
    assert "already taken" in place.run(*arguments, YUANMAI_LANGUAGE="en_GB.UTF-8").stderr
    assert "已" in place.run(*arguments, YUANMAI_LANGUAGE="zh_CN.UTF-8").stderr
    assert "已" in place.run(*arguments, YUANMAI_LANGUAGE="fr_FR.UTF-8").stderr


def test_the_first_command_of_a_new_installation_sets_the_database_up(installations: Installations) -> None:
    done = installations.empty().run("org", "list", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_a_database_that_lacks_a_table_says_what_to_do(installations: Installations) -> None:
    place = installations.empty()
    place.database_url = f"sqlite:///{place.home}/yuanmai.sqlite3"
    shutil.copy(installations.file(), place.home / "yuanmai.sqlite3")
    with closing(sqlite3.connect(place.home / "yuanmai.sqlite3")) as database:
        database.execute("DROP TABLE people_post")
        database.execute("DROP TABLE people_organisation")
        database.commit()
    done = place.run("org", "list", "--json")
    assert done.returncode == 1, done.stderr
    assert "yuanmai migrate" in json.loads(done.stdout)["title"]
    assert "Traceback" not in done.stderr


def test_a_database_that_cannot_be_reached(installations: Installations) -> None:
    place = installations.empty()
    place.database_url = f"sqlite:///{place.home}/missing/folder/x.sqlite3"
    done = place.run("org", "list")
    assert done.returncode == 1
    assert "yuanmai doctor" in done.stderr
    assert "Traceback" not in done.stderr
