"""What strangers say is shown as people can read it."""

import pytest

from yuanmai.devices.store.records import Kind, Record
from yuanmai.gateway.ingest.decode import readable


@pytest.mark.parametrize(
    ("kind", "payload", "shown"),
    [
        (Kind.MQTT, b'\x00\x05a/b/c{"t": 21.5}', 'a/b/c {"t": 21.5}'),
        (Kind.SPARKPLUG, b"\x00\x03s/n\x08\x80\xff\x01", "s/n 08 80 ff 01"),
        (Kind.JT808, bytes.fromhex("7e0200001c0139"), "7e 02 00 00 1c 01 39"),
        (Kind.HJ212, "##0060QN=1;MN=排口\r\n".encode(), "##0060QN=1;MN=排口\r\n"),
        (Kind.HJ212, "排".encode() * 101, "排" * 100),
        (Kind.MQTT, b"\x00", " "),
    ],
)
def test_samples_are_readable(kind: Kind, payload: bytes, shown: str) -> None:
    assert readable(Record(1, 0, kind, "key", payload)) == shown
