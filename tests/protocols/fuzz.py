"""Coverage-guided fuzzing of every decoder: ``make fuzz``, or ``python tests/protocols/fuzz.py jt808 -max_total_time=600``.

Any exception that a decoder lets out, any difference between a stream in one piece and the same stream cut, any input that
takes more than a second or more memory than `MEMORY` ends the run.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed here (Linux on x86-64 and Python below 3.14 only): nothing is fuzzed")

MEMORY = 2 << 30  # bytes of data of this process
PROTOCOLS = ("hj212", "jt808", "dlt645", "cjt188", "sparkplug", "mqtt", "json", "modbus")
STREAMS = {
    "hj212": "yuanmai.protocols.hj212.stream",
    "jt808": "yuanmai.protocols.jt808.stream",
    "dlt645": "yuanmai.protocols.dlt645.frame",
    "cjt188": "yuanmai.protocols.cjt188.frame",
}


def heard(decoder: Any, chunks: list[bytes]) -> list[tuple[str, bytes]]:
    """What comes out of a decoder: `frame` or the reason of a fault, with its bytes."""
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)] + decoder.flush()
    return [(getattr(entry, "reason", "frame"), entry.raw) for entry in found]


def mqtt(data: bytes) -> None:
    """Packets of a client or a broker, whole and cut."""
    stream = import_module("yuanmai.protocols.mqtt.stream")
    how, cut, data = data[0] if data else 0, data[1] if len(data) > 1 else 0, data[2:]
    whole, pieces = (stream.Decoder((0, 4, 5, 3)[how & 3], server=not how & 4) for _number in range(2))
    found = whole.feed(data) + whole.flush()
    if found != pieces.feed(data[:cut]) + pieces.feed(data[cut:]) + pieces.flush():
        raise AssertionError(f"cut at {cut}: {found}")


def json(data: bytes) -> None:
    """Bodies of JSON by several mappings."""
    mapping = import_module("yuanmai.devices.engine.mapping")
    for profile in (
        {},
        {"by_device": True},
        {"rows": "a", "key": "b.c", "time": "t", "time_unit": "text"},
        {"values": "a[0]", "name": "n", "units": {"m": 2.0}},
    ):
        mapping.read_json("devices/k/telemetry", data, profile)


def modbus(data: bytes) -> None:
    """Both kinds of stream, requests, answers to every kind of request."""
    frame, pdu = (import_module(f"yuanmai.protocols.modbus.{name}") for name in ("frame", "pdu"))
    cut = data[0] if data else 0
    for decoder in (frame.TcpDecoder(), frame.RtuDecoder(), frame.RtuDecoder(master=False)):
        for piece in (data[:cut], data[cut:]):
            decoder.feed(piece)
        decoder.flush()
    request = pdu.decode_request(data)
    if isinstance(request, pdu.Request) and pdu.encode(request) != data:
        raise AssertionError(f"{request} is encoded otherwise")
    for number in sorted(pdu.READS | pdu.WRITES):
        pdu.decode(pdu.Request(number, 0, 1, (1,)), data)


# What to try with the bytes, and the modules to watch.
OWN = {
    "mqtt": (mqtt, ["yuanmai.protocols.mqtt.stream"]),
    "json": (json, ["yuanmai.devices.engine.mapping"]),
    "modbus": (modbus, ["yuanmai.protocols.modbus.frame", "yuanmai.protocols.modbus.pdu"]),
}


def main() -> None:
    """Fuzz one protocol; the other arguments are libFuzzer's."""
    protocol = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1] in PROTOCOLS else "jt808"
    if not any(option.startswith("-timeout") for option in sys.argv):
        sys.argv.append("-timeout=1")
    # libFuzzer's own limit looks at the peak that Linux hands down from the process that started this one: under a test
    # worker that once was large it ends every run. The limit of the system counts this process alone; beyond it there is a
    # MemoryError.
    sys.argv.append("-rss_limit_mb=0")
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    if protocol in OWN:
        one, watched = OWN[protocol]
        with atheris.instrument_imports(include=["yuanmai.protocols", "yuanmai.devices.engine"]):
            for name in watched:
                import_module(name)
    else:
        one = frames(protocol)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


def frames(protocol: str) -> Callable[[bytes], None]:
    """What to try with the bytes of a protocol that `yuanmai decode` knows: the answer to them, and their stream whole and cut."""
    with atheris.instrument_imports(include=["yuanmai.protocols"]):
        answer = import_module(f"yuanmai.protocols.answers.{protocol}").answer
        stream = import_module(STREAMS[protocol]) if protocol in STREAMS else None
        bodies = import_module("yuanmai.protocols.jt808.bodies")

    def one(data: bytes) -> None:
        answer({"hex": data.hex()})
        if protocol == "jt808" and len(data) > 2:
            bodies.decode_body(data[0] << 8 | data[1], data[2:], (2011, 2013, 2019)[len(data) % 3])
        if stream is not None:
            cut = data[0] if data else 0
            whole, pieces = heard(stream.Decoder(), [data]), heard(stream.Decoder(), [data[:cut], data[cut:]])
            if whole != pieces:
                raise AssertionError(f"cut at {cut}: {whole} is not {pieces}")

    return one


if __name__ == "__main__":
    main()
