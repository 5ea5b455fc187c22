"""What sessions must not forget over a restart: subscriptions, messages for clients that are away, halves of QoS 2, retained ones.

One SQLite file, written by one thread in groups. The loop never waits for it; who needs to know that something is kept (PUBREC)
is told so.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yuanmai.protocols.mqtt.packets import Publish

logger = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS session (client TEXT PRIMARY KEY, owner TEXT NOT NULL, expiry INTEGER NOT NULL, left REAL NOT NULL, filters TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS queued (client TEXT NOT NULL, number INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, retain INTEGER NOT NULL,
  properties TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (client, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS received (client TEXT NOT NULL, packet INTEGER NOT NULL, PRIMARY KEY (client, packet)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retained (topic TEXT PRIMARY KEY, payload BLOB NOT NULL, qos INTEGER NOT NULL, properties TEXT NOT NULL, until REAL NOT NULL);
"""
Statement = tuple[str, tuple[Any, ...]]
Kept = Callable[[Exception | None], None]


class Store:
    """The file. `write` is called in the loop; `kept` is called in the loop again."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._work: list[tuple[Statement, Kept | None]] = []
        self._wake = threading.Condition()
        self._stop = False
        self._call: Callable[..., Any] = lambda function, *given: function(*given)
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.executescript(SCHEMA)
        self._thread: threading.Thread | None = None

    def start(self, call: Callable[..., Any]) -> None:
        """Begin to write; `call` has something called in the loop (`loop.call_soon_threadsafe`)."""
        self._call = call
        self._thread = threading.Thread(target=self._run, name="mqtt sessions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._thread is not None:
            with self._wake:
                self._stop = True
                self._wake.notify()
            self._thread.join(10)
        self._base.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the file held before anything is written in this run."""
        return self._base.execute(query).fetchall()

    def write(self, statement: str, *given: Any, kept: Kept | None = None) -> None:
        """Have a statement executed; `kept` is told when it is durable (None), or why it is not."""
        with self._wake:
            self._work.append(((statement, given), kept))
            if len(self._work) == 1:
                self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._work and not self._stop:
                    self._wake.wait()
                work, self._work = self._work, []
                if not work:
                    return
            error: Exception | None = None
            try:
                self._base.execute("BEGIN")
                for (statement, given), _kept in work:
                    self._base.execute(statement, given)
                self._base.execute("COMMIT")
            except sqlite3.Error as failure:
                error = failure
                logger.error("sessions of MQTT are not kept: %s", failure)
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
            told = [kept for _statement, kept in work if kept is not None]
            if told:
                self._tell(told, error)

    def _tell(self, told: list[Kept], error: Exception | None) -> None:
        def all_of_them() -> None:
            for kept in told:
                kept(error)

        try:
            self._call(all_of_them)
        except RuntimeError:  # the loop has ended
            return


def pack_properties(properties: dict[str, Any] | None) -> str:
    """Return properties as text."""
    return json.dumps(properties or {}, default=lambda value: {"hex": value.hex()})


def unpack_properties(text: str) -> dict[str, Any] | None:
    """Return properties of a text of `pack_properties`."""
    found: dict[str, Any] = json.loads(text)
    for name, value in found.items():
        if isinstance(value, dict):
            found[name] = bytes.fromhex(value["hex"])
        elif name == "user_property":
            found[name] = [tuple(pair) for pair in value]
    return found or None


def message(topic: str, payload: bytes, qos: int, retain: bool, properties: str) -> Publish:
    """Return a message of the file."""
    return Publish(topic, bytes(payload), qos, retain, properties=unpack_properties(properties))
