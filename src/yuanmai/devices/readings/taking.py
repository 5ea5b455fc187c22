"""A batch from its bytes to its answer: the same for the quick way in and for the declared route."""

import hashlib
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from yuanmai.core.api.problems import Fault, Faulty, Problem
from yuanmai.devices.readings import journaling
from yuanmai.devices.readings.documents import read_json
from yuanmai.devices.readings.lines import read_lines
from yuanmai.devices.readings.places import PLACES
from yuanmai.devices.readings.senders import Sender
from yuanmai.devices.readings.tables import read_arrow, read_csv

READERS = {
    "application/json": read_json,
    "text/csv": read_csv,
    "text/plain": read_lines,
    "application/vnd.apache.arrow.stream": read_arrow,
    "application/vnd.apache.arrow.file": read_arrow,
}
MOST_BYTES = 32 << 20  # as sent, and once more after unpacking
MOST_UNPACKED = 128 << 20
LONGEST_KEY = 120
MOST_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken."""

    accepted: int
    points: int

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"accepted": self.accepted, "points": self.points}


def take(body: bytes, content_type: str, encoding: str, sender: Sender) -> Taken:
    """Take a batch whole and durably, or refuse it whole. Raises `Problem`."""
    kind = content_type.partition(";")[0].strip().lower()
    read = READERS.get(kind)
    if read is None:
        known = ", ".join(READERS)
        raise Problem(
            415,
            _("Send the body as %(type)s.") % {"type": known},
            code="media_type",
            headers={"Accept": known},
        )
    rows = read(unpacked(body, encoding), not sender.device)
    rows.check()
    number = PLACES.resolve(rows, sender)
    rows.faults.settle()
    if not len(rows):
        return Taken(0, 0)
    quality = rows.quality if rows.quality is not None else np.zeros(len(rows), np.int16)
    journaling.keep(sender.name, number, rows.time, rows.value, quality)
    return Taken(len(rows), len(np.unique(number)))


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return the body without gzip. Raises `Problem` for other packings, broken ones and too large ones."""
    if len(body) > MOST_BYTES:
        raise too_large()
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Problem(
            415,
            _("Pack the body with gzip or not at all."),
            code="media_type",
            headers={"Accept-Encoding": "gzip"},
        )
    engine = zlib.decompressobj(31)
    try:
        found = engine.decompress(body, MOST_UNPACKED)
    except zlib.error as error:
        raise Problem(400, _("This is no gzip: %(why)s") % {"why": error}, code="bad_request") from None
    if engine.unconsumed_tail:
        raise too_large()
    if not engine.eof or engine.unused_data:
        raise Problem(400, _("This is no gzip: %(why)s") % {"why": "truncated"}, code="bad_request")
    return found


def too_large() -> Problem:
    """Return the refusal of a body that is too large."""
    return Problem(
        413,
        _("At most %(most)s MB in one request. Send the readings in several.") % {"most": MOST_BYTES >> 20},
        code="too_large",
    )


class Repeated:
    """Answers to requests with an `Idempotency-Key`, in this process's memory.

    Elsewhere they stand in the database. Here they need not: a reading is known by its point and time, so a batch that is
    taken twice, by another process or after a restart, leaves the lake as it was.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, Taken]] = OrderedDict()

    def once(
        self, key: str, body: bytes, content_type: str, encoding: str, sender: Sender
    ) -> tuple[Taken, bool]:
        """Take a batch unless this key has been used for it; return what was taken, and whether that was before."""
        if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
            message = _("An Idempotency-Key has 1 to %(length)s printable ASCII characters.")
            raise Faulty([Fault(message % {"length": LONGEST_KEY}, "key", parameter="Idempotency-Key")])
        digest = hashlib.blake2b(body, digest_size=16).digest()
        name = (sender.name, key)
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None:
            if kept[0] != digest:
                raise Problem(
                    422, _("This Idempotency-Key was used for another request."), code="idempotency"
                )
            return kept[1], True
        taken = take(body, content_type, encoding, sender)
        with self._lock:
            self._kept[name] = (digest, taken)
            while len(self._kept) > MOST_KEYS:
                self._kept.popitem(last=False)
        return taken, False


REPEATED = Repeated()
