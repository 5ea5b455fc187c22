"""The journal: what devices said, kept before they are told so. The point of durability, the evidence and the source of replay.

A journal is a folder with one writer (a process; held by `flock`) and any number of readers in other processes::

    lock                       held by the writer
    stream                     32 hex digits: the random identity of this journal, by which positions in the lake name it
    mark                       how far readers may read (see below)
    00000000000000000001.seg   segments, named by the sequence of their first record
    quarantine/                bytes that did not match their checksum, as `<segment>-<offset>.bin`

Segment, all numbers little-endian: a header of 48 bytes — `YMJ1SEGM`, u32 version (1), 16 bytes stream, u64 sequence of the first
record, i64 begun (microseconds since 1970), u32 CRC-32 of what stands before — then records without padding. Record: 40 bytes —
`F5 59 4D 52`, u32 length of the payload, u64 sequence, i64 received, u32 place in its group (0 is the first), u16 length of the
key, u16 kind, u32 CRC-32 of key and payload, u32 CRC-32 of the 36 bytes before — then the key (UTF-8) and the payload. Both record
checksums begin from the CRC-32 of the stream, so that nothing a device sends can pass for a record.

**Groups.** What is synced together is a group: one write, one `fdatasync`; only then is any of it acknowledged or shown to readers. The
next group is written only after that. So, after a crash, whatever stands before the group of the last legible record was durable.

**Torn tail.** Recovery reads the last segment. An illegible place in its last group, beyond the mark, is a write that was cut: the file is
cut there (nothing of it was acknowledged). An illegible place before that is damage: it stays, is copied to `quarantine/`, is reported,
and readers go on behind it. Legible records of the last group stay and are synced before they are shown.

**Mark.** Two slots of 40 bytes (at 0 and 512, written in turn): `YMRK`, u32 0, u64 sequence, u64 segment, u64 offset, u32 0, u32 CRC-32. It
is written after the sync and never synced itself: after a power cut it may be old, never ahead; opening the journal renews it.

**Segments.** A new one begins when the last has reached its size, and after a failed sync or write: pages a failed `fsync` has dropped
cannot be told from written ones, so nothing more is put behind them. A record counts only where the next segment does not begin at
or before its sequence; so the tail of a segment given up needs no repair. Headers and the folder are synced before a record stands
in a new segment. `prune` removes whole segments, never the last.

**Full disk.** A group that would eat into the reserve, or meets ENOSPC, is refused as a whole (`JournalFull`), the file is cut back to its
durable length, its numbers are given again. The next group tries anew: no restart is needed when there is room.
"""

from yuanmai.devices.store.journal.errors import JournalBroken, JournalError, JournalFull, JournalLocked
from yuanmai.devices.store.journal.files import journals
from yuanmai.devices.store.journal.format import Damage
from yuanmai.devices.store.journal.group import GroupCommit, write_durable
from yuanmai.devices.store.journal.reader import Reader
from yuanmai.devices.store.journal.writer import Journal, recover

__all__ = [
    "Damage",
    "GroupCommit",
    "Journal",
    "JournalBroken",
    "JournalError",
    "JournalFull",
    "JournalLocked",
    "Reader",
    "journals",
    "recover",
    "write_durable",
]
