"""The first run of a real installation: no accounts are shipped, a page protected by a token makes the first three.

The token lies in ``YUANMAI_HOME/setup.token`` and is printed by `yuanmai serve`, so only who can read this machine's console
can take the installation over.
"""

import hmac
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from yuanmai.people.models import User

_done = False  # accounts never go away again, so the answer is asked for only until there is one


def needed() -> bool:
    """Whether this installation has no account yet and is no demonstration."""
    global _done
    if _done or settings.DEMO:
        return False
    _done = User.objects.exists()
    return not _done


def forget() -> None:
    """Ask the database again (after a restore; in tests)."""
    global _done
    _done = False


def token_path() -> Path:
    """Where the token lies."""
    return Path(settings.HOME) / "setup.token"


def token() -> str:
    """Return the token, made on first use (mode 0600)."""
    path = token_path()
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        text = secrets.token_urlsafe(18)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        return text


def fits(text: str) -> bool:
    """Whether this is the token."""
    return hmac.compare_digest(text.strip().encode(), token().encode())


def used() -> None:
    """The set-up is done: the token is gone."""
    token_path().unlink(missing_ok=True)


def console_lines(address: str) -> list[str]:
    """Return what the console says at the start of an installation that has no accounts yet."""
    if not needed():
        return []
    return [
        f"First run / 首次运行: {address}{reverse('people:setup')}",
        f"Set-up token / 安装口令: {token()}",
    ]
