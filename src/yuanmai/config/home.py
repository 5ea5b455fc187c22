"""Where the data of this installation lies, and the secrets that live beside the database, never in it."""

import os
import secrets
from pathlib import Path


def data_home() -> Path:
    """Return the data directory (``YUANMAI_HOME``, default ``./yuanmai-data``), created when missing."""
    home = Path(os.environ.get("YUANMAI_HOME", "yuanmai-data")).expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    return home


def secret_key(home: Path) -> str:
    """Return the installation's secret key: ``YUANMAI_SECRET_KEY`` or a file made on first use (mode 0600)."""
    if key := os.environ.get("YUANMAI_SECRET_KEY"):
        return key
    path = home / "secret.key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        key = secrets.token_urlsafe(64)
        try:
            # Exclusive creation: of two processes starting at once, one writes and the other reads.
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(fd, "w") as file:
            file.write(key)
        return key


def flag(name: str, default: bool = False) -> bool:
    """Read a yes/no environment variable; ``1 true yes on`` mean yes."""
    value = os.environ.get(name)
    return default if value is None else value.strip().lower() in {"1", "true", "yes", "on"}
