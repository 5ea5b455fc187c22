"""What stands in the log of a Delta table: files with their statistics, and entries as bytes."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from yuanmai.devices.store.columns import SECOND

if TYPE_CHECKING:
    pass

LOG = "_delta_log"
COPIES = "_copies"
POINTER = f"{LOG}/_last_checkpoint"


class LakeError(Exception):
    """The lake cannot do what was asked; nothing of it has happened."""


class Conflict(LakeError):  # noqa: N818
    """Somebody else has changed the same files meanwhile."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table with what its statistics say. `part` are its partition values; times in µs."""

    path: str
    size: int
    part: Mapping[str, str | None]
    rows: int
    first_point: int
    last_point: int
    begin: int
    end: int

    @property
    def level(self) -> int:
        """0 arrived, 1 sorted by day, 2 compacted; 2 for tables without levels."""
        return int(self.part.get("level") or 2)

    @property
    def day(self) -> date | None:
        """The local day whose rows it holds; None where they are of several."""
        value = self.part.get("day")
        return date.fromisoformat(value) if value else None

    @property
    def id(self) -> str:
        """What tells the file from all others: 20 hexadecimal digits."""
        return self.path.rsplit("/", 1)[-1].split("~")[-1].split("-", 1)[0]

    @property
    def written(self) -> float:
        """When it was written (s since 1970), as its name says."""
        return int(self.id[:12], 16) / 1000

    @property
    def source(self) -> str:
        """The id of what it was made from; empty where it was made from nothing."""
        name = self.path.rsplit("/", 1)[-1]
        return name.split("~", 1)[0] if "~" in name else ""

    @property
    def digest(self) -> str:
        """The first 32 hexadecimal digits of the SHA-256 of its bytes, as its name says them."""
        return self.path.rsplit("-", 1)[-1].removesuffix(".parquet")


@dataclass(slots=True)
class State:
    """A table at one version."""

    version: int = -1
    files: dict[str, DataFile] = field(default_factory=dict)
    transactions: dict[str, int] = field(default_factory=dict)
    checkpoint: int = -1  # version of the checkpoint it was read from


def _iso(moment: int) -> str:
    whole = datetime.fromtimestamp(moment // SECOND, UTC).replace(microsecond=moment % SECOND, tzinfo=None)
    return whole.isoformat(timespec="microseconds") + "Z"


def _micros(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.replace(microsecond=0).timestamp()) * SECOND + moment.microsecond


def add_action(file: DataFile, column: str = "time") -> dict[str, Any]:
    """Return the `add` action of a file; `column` is the one of its moments."""
    stats = {
        "numRecords": file.rows,
        "minValues": {"point": file.first_point, column: _iso(file.begin)},
        "maxValues": {"point": file.last_point, column: _iso(file.end)},
        "nullCount": {"point": 0, column: 0},
    }
    return {
        "path": file.path, "partitionValues": dict(file.part), "size": file.size,
        "modificationTime": int(time.time() * 1000), "dataChange": True, "stats": json.dumps(stats),
    }  # fmt: skip


def as_file(path: str, size: int, part: Mapping[str, str | None], stats: str | None, column: str) -> DataFile:
    """Return a file as an `add` action tells of it; `column` is the one of its moments."""
    told = json.loads(stats or "{}")
    least, most = told.get("minValues", {}), told.get("maxValues", {})
    return DataFile(
        path, size, {k: v or None for k, v in part.items()}, int(told.get("numRecords", 0)),
        int(least.get("point", -(2**31))), int(most.get("point", 2**31 - 1)),
        _micros(least[column]) if column in least else -(2**62), _micros(most[column]) if column in most else 2**62,
    )  # fmt: skip


def entry_path(version: int) -> str:
    """Return the name of a log entry."""
    return f"{LOG}/{version:020d}.json"


def checkpoint_path(version: int) -> str:
    """Return the name of a checkpoint."""
    return f"{LOG}/{version:020d}.checkpoint.parquet"


def checksum_path(version: int) -> str:
    """Return the name of the file that holds a checkpoint's SHA-256; it is written when the checkpoint is durable."""
    return f"{COPIES}/{version:020d}.checkpoint.sha256"


def encode(actions: Sequence[Mapping[str, Any]], operation: str) -> bytes:
    """Return the bytes of a log entry."""
    lines = [json.dumps(a, ensure_ascii=False, separators=(",", ":")) for a in actions]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    head = {
        "commitInfo": {
            "timestamp": int(time.time() * 1000), "operation": operation, "operationParameters": {},
            "engineInfo": "yuanmai", "sha256": digest,
        }
    }  # fmt: skip
    return ("\n".join([json.dumps(head), *lines]) + "\n").encode()


def decode(data: bytes) -> list[dict[str, Any]]:
    """Return the actions of a log entry. Raises `ValueError` when it is torn or altered."""
    lines = data.decode("utf-8").splitlines()
    actions = [json.loads(line) for line in lines]
    if not actions or not all(isinstance(a, dict) for a in actions):
        raise ValueError("no actions")
    told = actions[0].get("commitInfo", {}).get("sha256")
    if actions[0].get("commitInfo", {}).get("engineInfo") == "yuanmai" and told != hashlib.sha256("\n".join(lines[1:]).encode()).hexdigest():  # fmt: skip
        raise ValueError("its checksum does not fit")
    return actions


def copy_path(version: int) -> str:
    """Return the name of the second copy of a log entry."""
    return f"{COPIES}/{version:020d}.json"
