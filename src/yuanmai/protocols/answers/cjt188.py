"""Answers about CJ/T 188: frames and streams."""

from collections.abc import Iterable
from typing import Any

from yuanmai.protocols.cjt188.frame import Decoder, Frame, decode
from yuanmai.protocols.cjt188.reading import data_item, reading_of, state_of
from yuanmai.protocols.faults import Fault

Document = dict[str, Any]
REFUSAL = 3  # bytes of data of an abnormal answer: the serial number and two bytes of state


def answer(given: Document) -> Document:
    """Return what is to be said to one line of input; raises KeyError, TypeError, ValueError where it is of no known form."""
    if "chunks_hex" in given:
        return stream(bytes.fromhex(chunk) for chunk in given["chunks_hex"])
    found = decode(bytes.fromhex(given["hex"]))
    if isinstance(found, Fault):
        return {"valid": False, "reason": found.reason, **found.details}
    return frame_document(found)


def frame_document(found: Frame) -> Document:
    """Return the document of a frame and of the reading in it."""
    document: Document = {
        "valid": True,
        "preamble": found.preamble,
        "type": f"0x{found.kind:02X}",
        "address": found.address,
        "control": f"0x{found.control:02X}",
        "length": len(found.data),
        "cs_received": f"{found.checksum:02X}",
        "cs_calc": f"{found.checksum:02X}",
        "cs_ok": True,
        "end_ok": True,
        "trailing": found.trailing,
    }
    named = data_item(found)
    if named is not None and not found.abnormal:
        document |= {"di_wire": named[0], "ser": named[2], "di": named[1]}
    if found.abnormal and len(found.data) == REFUSAL:
        return document | {"ser": found.data[0], "status_hex": found.data[1:].hex()}
    reading = reading_of(found)
    if reading is None:
        state = state_of(found)
        if state is not None:
            document |= {
                "status_hex": state.status.hex(),
                "valve": state.valve,
                "battery_low": state.battery_low,
            }
        return document
    for name, quantity in reading.quantities.items():
        document |= {name: quantity.value, f"{name}_unit": quantity.unit}
    document |= reading.extra
    document |= {
        "time_raw": reading.time_raw,
        "time": reading.time or None,
        "status_hex": reading.status.hex(),
        "valve": reading.valve,
        "battery_low": reading.battery_low,
    }
    return document


def stream(chunks: Iterable[bytes]) -> Document:
    """Return the frames in these chunks without the FE before them, and what is left of one that has not ended.

    Nothing comes after the last chunk: frames behind the beginning of one that never ended are found, too; then it is none.
    """
    decoder = Decoder()
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)]
    rejected, pending = decoder.rejected, decoder.pending
    behind = [entry for entry in decoder.flush() if isinstance(entry, Frame)]
    if behind:
        rejected, pending = decoder.rejected, b""
    return {
        "frames_hex": [entry.raw.hex() for entry in [*found, *behind] if isinstance(entry, Frame)],
        "rejected": rejected,
        "pending_hex": pending.hex(),
    }
