"""The language of the terminal, and the sentences of a room in it, for commands that run without Django."""

import gettext
import os
from pathlib import Path


def console_language() -> str:
    """Return the language of the terminal: English where the environment says so, Chinese where unknown."""
    tag = os.environ.get("YUANMAI_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "en" if tag.lower().startswith("en") else "zh-hans"


def room_messages(room: Path) -> gettext.NullTranslations:
    """Return the translations that lie in the folder `room` into the terminal's language; English where there are none."""
    if console_language() == "en":
        return gettext.NullTranslations()
    return gettext.translation("django", room / "locale", languages=["zh_Hans"], fallback=True)
