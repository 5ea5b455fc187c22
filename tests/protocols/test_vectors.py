"""Every worked vector of the protocols, compared with what ``yuanmai decode`` prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT.parent / "shared" / "examples" / "protocols"
PROTOCOLS = ("hj212", "jt808", "dlt645", "cjt188", "sparkplug")
# What a vector remarks for people: whence it is, and which fields of an answer must be as shown.
REMARKS = {"traccar_assertion", "must_match"}


def vectors(protocol: str) -> list[dict[str, Any]]:
    path = EXAMPLES / f"{protocol}.json"
    return json.loads(path.read_text(encoding="utf-8"))["vectors"] if path.exists() else []


ALL = [(protocol, vector) for protocol in PROTOCOLS for vector in vectors(protocol)]
if not ALL:
    pytest.skip("the worked vectors are not on this machine", allow_module_level=True)


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """What is expected and not found so; an answer may say more than a vector does."""
    if isinstance(expected, dict) and isinstance(found, dict):
        wanted = {key: value for key, value in expected.items() if key not in REMARKS}
        return [
            line
            for key, value in wanted.items()
            for line in (
                differences(value, found[key], f"{path}.{key}")
                if key in found
                else [f"{path}.{key} is missing"]
            )
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for place, pair in enumerate(zip(expected, found, strict=True))
            for line in differences(*pair, f"{path}[{place}]")
        ]
    same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return [] if same else [f"{path}: {expected!r} expected, {found!r} found"]


@pytest.mark.parametrize(("protocol", "vector"), ALL, ids=[vector["id"] for _protocol, vector in ALL])
def test_vector(protocol: str, vector: dict[str, Any]) -> None:
    answer = import_module(f"yuanmai.protocols.answers.{protocol}").answer
    found = json.loads(json.dumps(answer(vector["input"])))
    assert differences(vector["expect"], found) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_command_answers_line_by_line(protocol: str, tmp_path: Path) -> None:
    given = vectors(protocol)
    lines = [json.dumps(vector if place % 2 else vector["input"]) for place, vector in enumerate(given)]
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "yuanmai", "decode", protocol, str(path)]
    run = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": "src"}, cwd=ROOT
    )
    answers = [json.loads(line) for line in run.stdout.decode().splitlines()]
    assert len(answers) == len(given)
    assert [differences(vector["expect"], found) for vector, found in zip(given, answers, strict=True)] == [
        [] for _vector in given
    ]


def test_every_name_of_the_list_is_one_we_print() -> None:
    """The reasons that are named there can all come from us."""
    names = json.loads((EXAMPLES / "field-names.json").read_text(encoding="utf-8"))
    sources = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/yuanmai/protocols").rglob("*.py")
    )
    assert [reason for reason in names["reasons"] if f'"{reason}"' not in sources] == []
