"""Where the lake's bytes stand: a folder with fsync, or an object store through `deltalake`."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.fs


class Entry(NamedTuple):
    """A file below the root: relative path, bytes, time of last change (s since 1970)."""

    path: str
    size: int
    changed: float


class Files(Protocol):
    """Files below one root, named by relative paths with `/`."""

    root: str
    local: bool

    def read(self, path: str) -> bytes:
        """Return a file's bytes. Raises `FileNotFoundError`."""

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a file; when this returns it survives a power cut."""

    def create(self, path: str, data: bytes) -> bool:
        """Write a file that must be new, whole or not at all; False when it exists."""

    def delete(self, path: str) -> None:
        """Remove a file; a missing one is fine."""

    def listing(self, folder: str) -> list[Entry]:
        """Return all files below a folder, at any depth; nothing for a missing folder."""

    def exists(self, path: str) -> bool:
        """Return whether there is such a file."""

    def uri(self, path: str) -> str:
        """Return the name under which DuckDB or pyarrow open the file."""

    def filesystem(self) -> tuple[pa.fs.FileSystem | None, str]:
        """Return pyarrow's file system (None: the local one) and the prefix for paths in it."""

    def lock(self, name: str, *, wait: bool = True) -> contextlib.AbstractContextManager[None]:
        """Hold an exclusive lock among the processes of this machine (no-op on object stores).

        Without `wait` raises `BlockingIOError` when somebody holds it.
        """


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class LocalFiles:
    """A folder on this machine. Every write is fsynced, the file first, then the folder's entry."""

    local = True

    def __init__(self, root: Path) -> None:
        root = root.absolute()
        self._make(root)
        self.root = str(root)
        self._path = root

    @staticmethod
    def _make(folder: Path) -> None:
        """Create a folder and make its name, and those of new parents, durable."""
        if folder.is_dir():
            return
        LocalFiles._make(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        sync_folder(folder.parent)

    def read(self, path: str) -> bytes:
        """See `Files`."""
        return (self._path / path).read_bytes()

    def _fill(self, target: Path, data: bytes | pa.Buffer) -> None:
        view = memoryview(data)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        except BaseException:
            with contextlib.suppress(OSError):
                target.unlink()
            raise
        finally:
            os.close(handle)

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        """See `Files`."""
        target = self._path / path
        self._make(target.parent)
        self._fill(target, data)
        sync_folder(target.parent)

    def create(self, path: str, data: bytes) -> bool:
        """See `Files`: filled and fsynced under another name, then linked: nobody ever sees half of it."""
        target = self._path / path
        self._make(target.parent)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=target.parent)
        os.close(handle)
        half = Path(name)
        try:
            self._fill(half, data)
            try:
                os.link(half, target)
            except FileExistsError:
                return False
        finally:
            with contextlib.suppress(OSError):
                half.unlink()
        sync_folder(target.parent)
        return True

    def write_quickly(self, path: str, data: bytes) -> None:
        """Write a file that may be lost or torn by a power cut."""
        target = self._path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def sync(self, path: str) -> None:
        """Make a file that somebody else wrote durable, and its name."""
        handle = os.open(self._path / path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder((self._path / path).parent)

    def sync_folder(self, folder: str) -> None:
        """Make the names in a folder durable."""
        sync_folder(self._path / folder)

    def delete(self, path: str) -> None:
        """See `Files`."""
        (self._path / path).unlink(missing_ok=True)

    def listing(self, folder: str) -> list[Entry]:
        """See `Files`."""
        return sorted(self._walk(self._path / folder if folder else self._path))

    def _walk(self, folder: Path) -> Iterator[Entry]:
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path))
            elif not entry.name.startswith(".new-"):
                with contextlib.suppress(FileNotFoundError):
                    info = entry.stat()
                    yield Entry(entry.path[len(self.root) + 1 :], info.st_size, info.st_mtime)

    def exists(self, path: str) -> bool:
        """See `Files`."""
        return (self._path / path).exists()

    def uri(self, path: str) -> str:
        """See `Files`."""
        return f"{self.root}/{path}"

    def filesystem(self) -> tuple[pa.fs.FileSystem | None, str]:
        """See `Files`."""
        return None, f"{self.root}/"

    @contextlib.contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """See `Files`."""
        import fcntl

        target = self._path / "_locks" / name
        self._make(target.parent)
        handle = os.open(target, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)


class ObjectFiles:
    """An object store (`s3://bucket/folder`) through the client that `deltalake` brings along; a finished put is durable."""

    local = False

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        from deltalake.fs import DeltaStorageHandler

        self.root = url.rstrip("/")
        self.options = dict(options or {})
        self._handler = DeltaStorageHandler(self.root, self.options)
        self._fs = pa.fs.PyFileSystem(self._handler)

    def read(self, path: str) -> bytes:
        """See `Files`."""
        with self._fs.open_input_file(path) as stream:
            return bytes(stream.read())

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        """See `Files`."""
        # Its stream takes bytes only, pyarrow's own wrapper hands it something else.
        stream = self._handler._handler.open_output_stream(path, None)
        stream.write(data if isinstance(data, bytes) else data.to_pybytes())
        stream.close()  # type: ignore[attr-defined]

    def create(self, path: str, data: bytes) -> bool:
        """See `Files`. Only for names nobody else makes: entries of the log go through `deltalake`."""
        if self.exists(path):
            return False
        self.write(path, data)
        return True

    def delete(self, path: str) -> None:
        """See `Files`."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.delete_file(path)

    def listing(self, folder: str) -> list[Entry]:
        """See `Files`."""
        chooser = pa.fs.FileSelector(folder, recursive=True, allow_not_found=True)
        found = [f for f in self._fs.get_file_info(chooser) if f.type == pa.fs.FileType.File]
        return sorted(Entry(f.path, f.size or 0, f.mtime.timestamp() if f.mtime else 0.0) for f in found)

    def exists(self, path: str) -> bool:
        """See `Files`."""
        return bool(self._fs.get_file_info([path])[0].type == pa.fs.FileType.File)

    def uri(self, path: str) -> str:
        """See `Files`."""
        return f"{self.root}/{path}"

    def filesystem(self) -> tuple[pa.fs.FileSystem | None, str]:
        """See `Files`."""
        return self._fs, ""

    @contextlib.contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """See `Files`: the log's own put-if-absent is what decides."""
        yield


def open_files(url: str, options: Mapping[str, str] | None = None) -> LocalFiles | ObjectFiles:
    """Return the files below a folder's path, a `file://` address, or an object store's address."""
    parsed = urlparse(url)
    if parsed.scheme in ("", "file") or len(parsed.scheme) == 1:
        return LocalFiles(Path(unquote(parsed.path)) if parsed.scheme == "file" else Path(url))
    return ObjectFiles(url, options)
