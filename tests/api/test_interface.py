"""What programs rely on, written down: a change of the interface is a change of ``interface.txt`` in the same commit.

    YUANMAI_UPDATE_INTERFACE=1 python -m pytest tests/api/test_interface.py

writes the file anew.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yuanmai.config.api import api
from yuanmai.core.api.views import type_of

FILE = Path(__file__).with_name("interface.txt")


def content_of(holder: dict[str, Any]) -> str:
    """The type of a body or answer."""
    types = [type_of(content["schema"]) for content in holder.get("content", {}).values()]
    return " | ".join(types) or "nothing"


def described() -> Iterator[str]:
    """One line for each operation and each field."""
    document = api.description_document
    for path, methods in sorted(document["paths"].items()):
        for method, details in sorted(methods.items()):
            yield f"{method.upper()} {path} [{details['x-permission'] or 'signed in'}]"
            for parameter in sorted(details["parameters"], key=lambda p: (p["in"], p["name"])):
                star = "*" if parameter["required"] else ""
                yield f"  {parameter['in']} {parameter['name']}{star}: {type_of(parameter['schema'])}"
            if "requestBody" in details:
                yield f"  body: {content_of(details['requestBody'])}"
            for status, answer in details["responses"].items():
                if int(status) < 400:
                    yield f"  {status}: {content_of(answer)}"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"{name}: {type_of(schema)}"
        for field, part in schema.get("properties", {}).items():
            star = "*" if field in schema.get("required", ()) else ""
            yield f"  {field}{star}: {type_of(part)}"


def test_the_interface_is_as_written_down() -> None:
    now = "\n".join(described()) + "\n"
    if os.environ.get("YUANMAI_UPDATE_INTERFACE"):
        FILE.write_text(now)
    before = FILE.read_text() if FILE.exists() else ""
    difference = "\n".join(
        difflib.unified_diff(before.splitlines(), now.splitlines(), "written", "now", lineterm="", n=1)
    )
    assert not difference, (
        f"{difference}\n\nIf this is meant, set YUANMAI_UPDATE_INTERFACE=1 and commit {FILE.name}."
    )
