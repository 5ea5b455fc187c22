"""Uploaded workbooks on disk: below MEDIA_ROOT, which no server serves, under their own hash, never under their own name."""

import hashlib
import os
from pathlib import Path

from django.conf import settings

from yuanmai.core.workbooks.engine.faults import BookError


def digest_of(data: bytes) -> str:
    """SHA-256 of a file's content, as hex."""
    return hashlib.sha256(data).hexdigest()


def path_of(digest: str) -> Path:
    """Where a file of this content lies."""
    if len(digest) != 64 or not all(c in "0123456789abcdef" for c in digest):
        raise ValueError("not a digest")
    return Path(settings.MEDIA_ROOT) / "imports" / digest[:2] / digest


def keep(data: bytes) -> str:
    """Write a file once and return its digest; a second file of the same content is the same file."""
    digest = digest_of(data)
    path = path_of(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o640)
        part.replace(path)
    return digest


def load(digest: str) -> bytes:
    """Content of a kept file. Raises BookError `gone` when it is no longer there, `corrupt` when it was changed."""
    try:
        data = path_of(digest).read_bytes()
    except FileNotFoundError:
        raise BookError("gone") from None
    if digest_of(data) != digest:
        raise BookError("corrupt")
    return data
