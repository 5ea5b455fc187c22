"""A cache in two floors: the memory of the process and, for what is dear to compute, files that all processes share.

Computed figures are kept under the versions of the rooms they depend on, so a value never becomes wrong, only unasked-for:
processes need not tell each other anything. Without the shared floor every web process would compute every figure again
after every change.
"""

import logging
import os
import pickle
import tempfile
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

logger = logging.getLogger(__name__)

SHARED = ("figure:", "cockpit:", "library-rows:")  # prefixes of keys that are worth a file
SWEEP_EVERY = 300  # writes of one process between two sweeps of files that have run out


class SharedCache(LocMemCache):
    """Memory first; a miss of a shared key looks into the files. Only this installation's account can write there.

    `LOCATION` is a folder; it is made with access for nobody else (its files are pickles, which must come from nobody
    else), and where that cannot be had the cache is memory alone.
    """

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        self.folder = self._own(Path(name)) if name else None
        self.written = 0

    @staticmethod
    def _own(folder: Path) -> Path | None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.stat()
            if found.st_uid != os.geteuid():
                logger.warning(
                    "%s belongs to another account: computed figures are kept in memory only", folder
                )
                return None
            if found.st_mode & 0o077:
                folder.chmod(0o700)
        except OSError as error:
            logger.warning("%s: computed figures are kept in memory only", error)
            return None
        return folder

    def _file(self, key: str) -> Path | None:
        if self.folder is None or not key.startswith(SHARED):
            return None
        return self.folder / blake2b(key.encode(), digest_size=20).hexdigest()

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return a value from memory or, for a shared key, from the files."""
        nothing = object()
        found = super().get(key, nothing, version)
        if found is not nothing:
            return found
        file = self._file(str(key))
        if file is None:
            return default
        try:
            content = file.read_bytes()
            until, stored_key, value = pickle.loads(content)  # noqa: S301  # our own folder, closed to others
        except FileNotFoundError:
            return default
        except Exception:  # a torn or foreign file is as good as none
            logger.warning("%s cannot be read and is dropped", file)
            with suppress(OSError):
                file.unlink()
            return default
        left = until - time.time()
        if stored_key != key or left <= 0:
            return default
        super().set(key, value, left, version)
        return value

    def set(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Keep a value in memory and, under a shared key, in a file."""
        super().set(key, value, timeout, version)
        file = self._file(str(key))
        if file is None:
            return
        until = self.get_backend_timeout(timeout)
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="new-", dir=file.parent)
            with os.fdopen(handle, "wb") as target:
                target.write(pickle.dumps((until or 2**40, key, value), pickle.HIGHEST_PROTOCOL))
            Path(name).replace(file)
        except OSError as error:  # a full disk must not stop anybody from reading a page
            logger.warning("a computed figure could not be kept: %s", error)
            return
        self.written += 1
        if self.written % SWEEP_EVERY == 1:
            self._sweep()

    def _sweep(self) -> None:
        """Remove files that are older than any value lives."""
        assert self.folder is not None
        limit = time.time() - 2 * (self.default_timeout or 600)
        for entry in os.scandir(self.folder):
            with suppress(OSError):
                if entry.stat().st_mtime < limit:
                    Path(entry.path).unlink()

    def clear(self) -> None:
        """Forget everything, on both floors."""
        super().clear()
        if self.folder is not None:
            for entry in os.scandir(self.folder):
                with suppress(OSError):
                    Path(entry.path).unlink()
