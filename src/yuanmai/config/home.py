"""Where the data of this installation lies, and the secrets that live beside the database, never in it."""

import contextlib
import os
import secrets
import tempfile
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
    if not path.exists():
        # Written aside and linked into place: of two processes starting at once one wins, and none reads half a key.
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=".secret-", delete=False) as file:
            file.write(secrets.token_urlsafe(64))
        try:
            Path(file.name).chmod(0o600)
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)
        finally:
            Path(file.name).unlink()
    return path.read_text().strip()


def flag(name: str, default: bool = False) -> bool:
    """Read a yes/no environment variable; ``1 true yes on`` mean yes."""
    value = os.environ.get(name)
    return default if value is None else value.strip().lower() in {"1", "true", "yes", "on"}
