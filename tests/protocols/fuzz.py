"""Coverage-guided fuzzing of every decoder: ``make fuzz``, or ``python tests/protocols/fuzz.py jt808 -max_total_time=600``.

Any exception that a decoder lets out, any difference between a stream in one piece and the same stream cut, ends the run.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed here (Linux on x86-64 and Python below 3.14 only): nothing is fuzzed")

PROTOCOLS = ("hj212", "jt808", "dlt645", "cjt188", "sparkplug")
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


def main() -> None:
    """Fuzz one protocol; the other arguments are libFuzzer's."""
    protocol = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1] in PROTOCOLS else "jt808"
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

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
