"""The journal of this process: where readings stand before their sender hears that they were taken."""

import atexit
import os
import threading
import time

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.conf import settings
from django.utils.translation import gettext as _

from yuanmai.core.api.problems import Problem
from yuanmai.devices.store.journal import Journal, JournalError, JournalFull, write_durable
from yuanmai.devices.store.records import Kind, Record

SCHEMA = pa.schema(
    [
        pa.field("point", pa.int32(), nullable=False),
        pa.field("time", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("quality", pa.int16(), nullable=False),
    ]
)
MOST_WAITING = 8 << 30  # bytes of this journal that the ingest process has not taken yet
LOOK_EVERY = 5.0  # seconds
WAIT = "30"  # seconds a sender is told to wait


class _Own:
    """The journal of this process (not of the one that it was forked from), opened when it is first wanted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.journal: Journal | None = None
        self.process = 0
        self.looked = float("-inf")
        self.waiting = 0

    def get(self) -> Journal:
        """Return the journal. Raises OSError or JournalError where the folder cannot be used."""
        with self.lock:
            if self.journal is None or self.process != os.getpid():
                self.journal = Journal.claim(settings.JOURNAL_ROOT, "web")
                self.process = os.getpid()
            return self.journal

    def close(self) -> None:
        """Let go of the journal."""
        with self.lock:
            if self.journal is not None and self.process == os.getpid():
                self.journal.close()
            self.journal = None

    def behind(self, journal: Journal) -> bool:
        """Return whether too much waits for the ingest process; looked at every few seconds."""
        now = time.monotonic()
        if now - self.looked >= LOOK_EVERY:
            self.looked = now
            self.waiting = sum(path.stat().st_size for path in journal.folder.glob("*.seg"))
        return self.waiting > MOST_WAITING


OWN = _Own()
atexit.register(OWN.close)


def keep(
    sender: str,
    point: npt.NDArray[np.int32],
    time_: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.int16],
) -> None:
    """Make readings durable. Raises `Problem`: 507 where the disk is full, 503 where it is broken or ingest is far behind."""
    batch = pa.record_batch(
        [
            pa.array(point, pa.int32()), pa.array(time_, pa.int64()).view(SCHEMA.field("time").type),
            pa.array(value, pa.float64()), pa.array(quality, pa.int16()),
        ],
        schema=SCHEMA,
    )  # fmt: skip
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_batch(batch)
    payload = sink.getvalue().to_pybytes()
    try:
        journal = OWN.get()
        if OWN.behind(journal):
            raise Problem(
                503,
                _("More readings wait than can be taken in. Send this batch again later."),
                code="behind",
                headers={"Retry-After": WAIT},
            )
        write_durable(journal, [Record(0, time.time_ns() // 1000, Kind.READINGS, sender, payload)])
    except JournalFull:
        raise Problem(
            507,
            _("The disk is full: nothing of this batch was taken. Send it again when there is room."),
            code="full",
            headers={"Retry-After": WAIT},
        ) from None
    except (JournalError, OSError) as error:
        raise Problem(
            503,
            _("The journal cannot be written: nothing of this batch was taken. (%(why)s)") % {"why": error},
            code="journal",
            headers={"Retry-After": WAIT},
        ) from None
