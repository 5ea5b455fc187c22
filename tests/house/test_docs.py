"""The documentation names what exists: every variable, every linked file, every picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.files import ROOT, having, text

VARIABLE = re.compile(r"\b(?:YUANMAI_[A-Z][A-Z_]*|DATABASE_URL)\b")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Set by tests and developers' scripts only.
FOR_TESTS = {"YUANMAI_TEST_DATABASE"}


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    read = {
        name
        for path in having(".py", under="src/")
        for name in re.findall(r'["\'](YUANMAI_[A-Z_]+|DATABASE_URL)["\']', text(path))
    }
    documented = set(VARIABLE.findall(text(Path("docs/configuration.md"))))
    assert read - documented - FOR_TESTS == set()
    assert documented - read == set()


@pytest.mark.parametrize("path", having(".md"), ids=str)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = [link for link in LINK.findall(text(path)) if not re.match(r"[a-z]+:", link)]
    assert [link for link in targets if not (ROOT / path.parent / link).exists()] == []


@pytest.mark.parametrize("path", having(".md"), ids=str)
def test_documents_mention_no_file_of_the_source_that_is_gone(path: Path) -> None:
    named = re.findall(
        r"`((?:src|tests|docs|bench|scripts|requirements|frontend)/[\w./-]+\.\w+)`", text(path)
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_glossary_row_has_both_languages() -> None:
    rows = [
        line.split("|")[1:-1] for line in text(Path("docs/glossary.md")).splitlines() if line.startswith("|")
    ]
    entries = [row for row in rows if not row[0].strip().startswith(("---", "中文"))]
    assert len(entries) > 60
    assert [row for row in entries if not re.search(r"[\u4e00-\u9fff]", row[0]) or not row[1].strip()] == []
