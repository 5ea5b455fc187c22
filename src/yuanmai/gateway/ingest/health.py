"""How the ingest process does: numbers for Prometheus and for the pages, troubles in the log once, room on the disk."""

import json
import logging
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from yuanmai.gateway.ingest.follow import Ingest

logger = logging.getLogger(__name__)
TELL_EVERY = 2.0
NAME = ".ingest-health.json"  # beside the journals
DISK_WARNING, DISK_CRITICAL = 0.85, 0.95  # of what may be used


class Health:
    """Counts since the start, and what is wrong at the moment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records = self.readings = self.written = self.damages = 0
        self.received = 0  # arrival of the newest record decoded, µs
        self.troubles: dict[str, str] = {}
        self.disk = "ok"
        self._at = float("-inf")
        self._before = (0, 0, time.monotonic())

    def trouble(self, where: str, error: Exception) -> None:
        """Note that something does not work; the log hears of it once."""
        text = f"{type(error).__name__}: {error}"[:300]
        if where not in self.troubles:
            logger.error("ingest cannot use the %s; readings wait in the journals: %s", where, text)
        self.troubles[where] = text

    def ok(self, where: str) -> None:
        """Note that it works."""
        if self.troubles.pop(where, None) is not None:
            logger.warning("ingest can use the %s again", where)

    def tell(self, ingest: "Ingest") -> None:
        """Write the numbers where pages and metrics find them."""
        now = time.monotonic()
        if now - self._at < TELL_EVERY:
            return
        self._at = now
        told = self.numbers(ingest, now)
        self._before = (self.records, self.readings, now)
        try:
            _write(self.root / NAME, json.dumps(told))
            folder = Path(settings.HOME) / "metrics"
            folder.mkdir(exist_ok=True)
            _write(folder / "ingest.prom", prometheus(told))
        except OSError:
            pass  # a full disk must not stop the reading of journals

    def numbers(self, ingest: "Ingest", now: float) -> dict[str, Any]:
        """Return how things stand."""
        records, readings, since = self._before
        seconds = max(now - since, 1e-3)
        behind = {
            reader.folder.name: max(reader.durable() - ingest.positions.get(stream, 0), 0)
            for stream, reader in ingest.readers.items()
        }
        used = self._used()
        moment = time.time()
        return {
            "at": moment,
            "records": self.records,
            "readings": self.readings,
            "records_per_second": round((self.records - records) / seconds, 1),
            "readings_per_second": round((self.readings - readings) / seconds, 1),
            "backlog_records": sum(behind.values()),
            "backlog": behind,
            "lag_seconds": round(max(moment - self.received / 1e6, 0.0), 3) if any(behind.values()) else 0.0,
            "rows_not_in_lake": ingest.buffer.rows,
            "rows_written": self.written,
            "damages": self.damages,
            "overflow": ingest.decoder.tally.overflow,
            "troubles": dict(self.troubles),
            "disk_used": round(used, 4),
            "disk": self.disk,
        }

    def _used(self) -> float:
        """Return the used share of the fullest disk of journals and lake; log when it changes for the worse or better."""
        used = 0.0
        for place in {str(self.root), *([settings.LAKE] if "://" not in settings.LAKE else [])}:
            path = Path(place)
            if path.exists():
                space = shutil.disk_usage(path)
                used = max(used, space.used / max(space.used + space.free, 1))
        state = "critical" if used >= DISK_CRITICAL else "warning" if used >= DISK_WARNING else "ok"
        if state != self.disk:
            say = logger.warning if state == "ok" else logger.error
            say("the disk of journals and lake is %.0f %% full (%s)", used * 100, state)
            self.disk = state
        return used


def read_health(root: Path) -> dict[str, Any] | None:
    """Return what the ingest process told last, nothing where it never ran."""
    try:
        told = json.loads((root / NAME).read_text())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def prometheus(told: dict[str, Any]) -> str:
    """Return the numbers in Prometheus' text form."""
    kinds = {
        "records": "counter", "readings": "counter", "rows_written": "counter", "damages": "counter",
        "backlog_records": "gauge", "lag_seconds": "gauge", "rows_not_in_lake": "gauge", "disk_used": "gauge",
        "overflow": "counter",
    }  # fmt: skip
    lines: list[str] = []
    for name, kind in kinds.items():
        suffix = "_total" if kind == "counter" else ""
        lines += [
            f"# TYPE yuanmai_ingest_{name}{suffix} {kind}",
            f"yuanmai_ingest_{name}{suffix} {told[name]}",
        ]
    lines += ["# TYPE yuanmai_ingest_troubles gauge", f"yuanmai_ingest_troubles {len(told['troubles'])}"]
    return "\n".join(lines) + "\n"


def _write(target: Path, text: str) -> None:
    beside = target.with_name(f"{target.name}.{os.getpid()}.new")
    beside.write_text(text)
    beside.replace(target)
