"""What is done about damage: at opening, and whenever it is found.

A power cut damages nothing: data files and entries of the log are synced before anybody can see them. What remains is damage by
disks and people. An entry of the log is healed from its copy; without one it is written anew from the data files that nothing
else names, so no rows are lost (rows that come back twice are told apart by their keys). A damaged data file is put into
quarantine; were its rows the last that came, the journals' positions go back to before them, so that they are read again.
"""

import contextlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from yuanmai.devices.store import parquet
from yuanmai.devices.store.entries import LOG, DataFile, LakeError, add_action, decode, encode, entry_path
from yuanmai.devices.store.log import Log

if TYPE_CHECKING:
    from yuanmai.devices.store.table import Table

TAIL = 8  # entries whose arrivals are read against their checksums at opening; of all others only the sizes are looked at


def rebuild(log: Log, version: int, reason: str) -> list[dict[str, Any]]:
    """Write a lost entry anew from the data files that no entry names; return its actions.

    Compacted files come back as sorted ones: they may overlap with what the lost entry had replaced.
    """
    files = log.files
    named: set[str] = set(log.state.files)
    for entry in files.listing(LOG):
        if entry.path.endswith(".json") and entry.path != entry_path(version):
            with contextlib.suppress(OSError, ValueError):
                for action in decode(files.read(entry.path)):
                    for kind in ("add", "remove"):
                        if kind in action:
                            named.add(action[kind]["path"])
    actions = log.first_actions() if version == 0 else []
    first = len(actions)
    for entry in files.listing(""):
        if entry.path.startswith("_") or entry.path in named or not entry.path.endswith(".parquet"):
            continue
        found = describe(log, entry.path)
        if found is not None:
            actions.append({"add": add_action(found, log.moment)})
    detail = f"{reason}; written anew from {len(actions) - first} files that nothing else names"
    log.on_fault("log_entry_rebuilt", entry_path(version), detail)
    with contextlib.suppress(OSError):
        files.write(f"_quarantine/{version:020d}.json", files.read(entry_path(version)))
    files.delete(entry_path(version))
    if not files.create(entry_path(version), encode(actions, "REBUILD")):
        return decode(files.read(entry_path(version)))
    return actions


def describe(log: Log, path: str) -> DataFile | None:
    """Return what the log has to know of a data file that it has lost sight of; None when its bytes are damaged."""
    part: dict[str, str | None] = {}
    for piece in path.split("/")[:-1]:
        name, _, value = piece.partition("=")
        part[name] = None if value == "__HIVE_DEFAULT_PARTITION__" else value
    if set(part) != set(log.partition):
        return None
    try:
        data = log.files.read(path)
        rows = pq.read_table(pa.BufferReader(data), columns=["point", log.moment], partitioning=None)
    except (OSError, pa.ArrowException):
        return None
    if part.get("level") == "2":
        part["level"] = "1"
    points, span = pc.min_max(rows["point"]).as_py(), pc.min_max(rows[log.moment].cast(pa.int64())).as_py()
    if not len(rows):
        return None
    file = DataFile(path, len(data), part, len(rows), points["min"], points["max"], span["min"], span["max"])
    return None if parquet.damage(log.files, file) else file


def origin(log: Log, path: str) -> tuple[int, dict[str, int]] | None:
    """Return the version that added a file, and to what the transactions set with it stood before; None if forgotten."""
    version = log.state.version
    while version >= 0:
        try:
            actions = decode(log.files.read(entry_path(version)))
        except (OSError, ValueError):
            return None
        if any(action.get("add", {}).get("path") == path for action in actions):
            break
        version -= 1
    if version < 0:
        return None
    apps = {action["txn"]["appId"] for action in actions if "txn" in action}
    before: dict[str, int] = {}
    for earlier in range(version - 1, -1, -1):
        if apps == set(before):
            break
        try:
            actions = decode(log.files.read(entry_path(earlier)))
        except (OSError, ValueError):
            break
        for action in actions:
            if "txn" in action and action["txn"]["appId"] in apps:
                before.setdefault(action["txn"]["appId"], action["txn"]["version"])
    return version, {app: before.get(app, 0) for app in apps}


def check(table: "Table") -> None:
    """Look over a table at opening: sizes of all files, checksums of the arrivals of the last entries."""
    snapshot = table.snapshot()
    sizes = {entry.path: entry.size for entry in table.files.listing("") if not entry.path.startswith("_")}
    recent: set[str] = set()
    for version in range(max(0, snapshot.version - TAIL + 1), snapshot.version + 1):
        with contextlib.suppress(OSError, ValueError):
            recent |= {
                action["add"]["path"]
                for action in decode(table.files.read(entry_path(version)))
                if "add" in action and action["add"]["partitionValues"].get("level") == "0"
            }
    for file in snapshot.files:
        if sizes.get(file.path) != file.size or file.path in recent:
            reason = parquet.damage(table.files, file)
            if reason:
                table.quarantine(file, reason)


def take_out(table: "Table", log: Log, file: DataFile, reason: str) -> None:
    """Put a damaged file into quarantine; if it is one of arrivals, let the positions go back to before it."""
    back: dict[str, int] = {}
    if file.part.get("level") == "0":
        found = origin(log, file.path)
        back = found[1] if found else {}
    told = "".join(f"; {app} goes back to {position}" for app, position in sorted(back.items()))
    table.fault("file_damaged", file.path, f"{reason} ({file.rows} rows){told}")
    with contextlib.suppress(OSError):
        table.files.write(f"_quarantine/{file.path.replace('/', '_')}", table.files.read(file.path))
    with contextlib.suppress(LakeError):  # somebody else was quicker
        log.commit((), [file.path], back, operation="QUARANTINE")


def forget(table: "Table", before: float) -> int:
    """Delete what is in quarantine from before a moment (s since 1970); return how many files went."""
    count = 0
    for entry in table.files.listing("_quarantine"):
        if entry.changed < before:
            table.files.delete(entry.path)
            count += 1
    return count
