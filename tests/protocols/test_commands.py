"""``yuanmai decode`` at the terminal: quick, without Django, patient with nonsense."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from yuanmai.protocols.commands import PROTOCOLS, decode


def lines(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "7",
        "null",
        "{}",
        '{"hex": "zz"}',
        '{"hex": 5}',
        '{"chunks_hex": 3}',
        '{"input": []}',
        "\xff",
    ],
)
def test_a_line_of_no_known_form_is_said_and_does_not_end_the_rest(protocol: str, line: str) -> None:
    good = {"topic": "STATE/a"} if protocol == "sparkplug" else {"hex": "7e7e"}
    result = CliRunner().invoke(decode, [protocol], input=f"{line}\n\n{json.dumps(good)}\n")
    first, second = lines(result.output)
    assert first["error"] == "input"
    assert first["line"] == 1
    assert "error" not in second
    assert result.exit_code == 1


def test_a_missing_file_is_wrong_usage() -> None:
    result = CliRunner().invoke(decode, ["jt808", "/nowhere/frames.jsonl"])
    assert result.exit_code == 2
    assert "frames.jsonl" in result.output


def test_no_django_is_loaded() -> None:
    code = "import sys; from yuanmai.protocols import commands; from yuanmai.protocols.answers import hj212, jt808; print('django' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "False"
