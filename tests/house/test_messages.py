"""Every message that a page can show is translated, once and in one voice; and the tool that says so finds what is wrong."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest

from yuanmai.common import messages

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'


def room(package: Path, name: str, po: str, **files: str) -> Path:
    """A room in a made-up package, with a Chinese catalogue and sources given as ``models_py="…"``."""
    folder = package / name
    catalog = folder / "locale" / "zh_Hans" / "LC_MESSAGES"
    catalog.mkdir(parents=True)
    (catalog / "django.po").write_text(HEADER + po, "utf-8")
    for key, source in files.items():
        stem, suffix = key.rsplit("_", 1)
        path = folder / ("templates" if suffix == "html" else "") / f"{stem}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, "utf-8")
    return folder


def test_the_translations_of_the_house_are_complete() -> None:
    problems = messages.check()
    assert not problems, "\n".join(map(str, problems))


def test_every_way_to_mark_a_message_is_found(tmp_path: Path) -> None:
    folder = room(
        tmp_path,
        "places",
        "",
        models_py='_("Park")\npgettext_lazy("land", "Plot")\nngettext("%(n)d park", "%(n)d parks", n)\ngettext_lazy("Zone")',
        page_html=(
            "{% translate 'Cell' %}\n<p>{% blocktranslate trimmed with n=park.name %}\n  Park {{ n }}\n"
            "{% endblocktranslate %}</p>\n<c-card :title=\"_('Map')\">{{ _('Area') }}</c-card>\n"
            '{% translate "Plot" context "story" %}'
        ),
    )
    assert set(messages.used_messages(folder)) == {
        (None, "Park"),
        ("land", "Plot"),
        (None, "%(n)d park"),
        (None, "Zone"),
        (None, "Cell"),
        (None, "Park %(n)s"),
        (None, "Map"),
        (None, "Area"),
        ("story", "Plot"),
    }


@pytest.mark.parametrize(
    ("po", "source", "what"),
    [
        ("", '_("Park")', "not translated into zh_Hans"),
        ('msgid "Park"\nmsgstr ""\n', '_("Park")', "empty translation"),
        ('#, fuzzy\nmsgid "Park"\nmsgstr "园区"\n', '_("Park")', "marked fuzzy"),
        ('msgid "{n} parks"\nmsgstr "园区"\n', '_("{n} parks")', "a placeholder is lost in the translation"),
        (
            'msgid "Park %(a)s"\nmsgstr "园区%(b)s%(a)s"\n',
            '_("Park %(a)s")',
            "a placeholder that the message does not have",
        ),
    ],
)
def test_each_fault_is_named(tmp_path: Path, po: str, source: str, what: str) -> None:
    room(tmp_path, "places", po, models_py=source)
    assert what in [problem.what for problem in messages.check(tmp_path)]


def test_two_rooms_may_not_translate_one_message_differently(tmp_path: Path) -> None:
    room(tmp_path, "funds", 'msgid "Plan"\nmsgstr "规划"\n')
    room(tmp_path, "projects", 'msgid "Plan"\nmsgstr "计划"\n', models_py='_("Plan")')
    (problem,) = messages.check(tmp_path)
    assert problem.room == "projects"
    assert "funds" in problem.what


def test_a_message_may_be_translated_by_another_room(tmp_path: Path) -> None:
    room(tmp_path, "core", 'msgid "Save"\nmsgstr "保存"\n')
    room(tmp_path, "projects", "", models_py='_("Save")')
    assert messages.check(tmp_path) == []


def test_compiling_writes_what_gettext_reads_and_only_what_is_older(tmp_path: Path) -> None:
    folder = room(tmp_path, "places", 'msgid "Park"\nmsgstr "园区"\n')
    (target,) = messages.compile_all(tmp_path)
    with target.open("rb") as stream:
        assert gettext.GNUTranslations(stream).gettext("Park") == "园区"
    assert messages.compile_all(tmp_path) == []
    assert messages.compile_all(tmp_path, force=True) == [target]
    assert target.parent == folder / "locale" / "zh_Hans" / "LC_MESSAGES"
