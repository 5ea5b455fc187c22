"""``yuanmai decode``: what a captured frame says. Runs without Django and without a database."""

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import click

PROTOCOLS = ("hj212", "jt808", "dlt645", "cjt188", "sparkplug")
LONGEST_LINE = 64 << 20


@click.command()
@click.argument("protocol", type=click.Choice(PROTOCOLS))
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@click.option("--json", "_as_json", is_flag=True, help="Answers are JSON in any case, one document a line.")
def decode(protocol: str, file: str, _as_json: bool) -> None:
    """Decode what each line of FILE (standard input if none is named) holds, one JSON document for one.

    A line is {"hex": "…"}, {"ascii": "…"}, {"body_hex": "…", "msg_id": "0x0200", "standard": 2019}, {"chunks_hex": […]},
    {"frames_hex": […]}, {"topic": "…"} and so on, or a document with such a one under "input".
    """
    answer = import_module(f"yuanmai.protocols.answers.{protocol}").answer
    wrong = 0
    try:
        with click.open_file(file, "rb") as source:
            for number, line in enumerate(lines(source), 1):
                document, known = respond(line, number, answer)
                wrong += not known
                sys.stdout.write(
                    json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
                    + "\n"
                )
    except OSError as error:
        raise click.UsageError(f"{Path(file).name}: {error.strerror}") from None
    sys.exit(1 if wrong else 0)


def lines(source: IO[bytes]) -> Iterator[bytes]:
    """Return the lines that hold something."""
    while line := source.readline(LONGEST_LINE):
        if line.strip():
            yield line


def respond(
    line: bytes, number: int, answer: Callable[[dict[str, Any]], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Return the answer to a line, and whether it was of a known form; a line that is not gets a document that says so."""
    try:
        given = json.loads(line)
        if isinstance(given, dict) and isinstance(given.get("input"), dict):
            given = given["input"]
        if not isinstance(given, dict):
            raise TypeError("not an object")
        return answer(given), True
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        text = f"no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        return {
            "error": "input",
            "line": number,
            "message": f"line {number} is no input of a known form: {text}",
        }, False
