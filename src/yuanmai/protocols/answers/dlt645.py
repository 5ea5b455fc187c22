"""Answers about DL/T 645: frames and streams."""

from collections.abc import Iterable
from typing import Any

from yuanmai.protocols.dlt645.frame import Decoder, Frame, decode
from yuanmai.protocols.dlt645.items import address_of, item_of
from yuanmai.protocols.faults import Fault

Document = dict[str, Any]


def answer(given: Document) -> Document:
    """Return what is to be said to one line of input; raises KeyError, TypeError, ValueError where it is of no known form."""
    if "chunks_hex" in given:
        return stream(bytes.fromhex(chunk) for chunk in given["chunks_hex"])
    found = decode(bytes.fromhex(given["hex"]))
    if isinstance(found, Fault):
        return {"valid": False, "reason": found.reason}
    return frame_document(found)


def frame_document(found: Frame) -> Document:
    """Return the document of a frame and of the data item in it."""
    document: Document = {
        "valid": True,
        "preamble": found.preamble,
        "address": found.address,
        "control": f"0x{found.control:02X}",
        "direction": "response" if found.reply else "request",
        "abnormal": found.abnormal,
        "follow": found.follow,
        "func": f"0x{found.function:02X}",
        "length": len(found.data),
        "data_hex": found.data.hex(),
        "cs_received": f"{found.checksum:02X}",
        "cs_ok": True,
        "end_ok": True,
    }
    address = address_of(found)
    if address is not None:
        document["address_in_data"] = address
    if found.abnormal and found.data:
        document |= {"error_word": f"0x{found.data[0]:02X}", "errors": found.errors}
    item = item_document(found)
    if item is not None:
        document["item"] = item
    return document


def item_document(found: Frame) -> Document | None:
    """Return the document of the data item; one without a readable value says so."""
    item = item_of(found)
    if item is None:
        return None
    document: Document = {"di": item.di}
    kind = item.kind
    if kind is not None and item.text:
        return document | {"name": kind.name, "text": item.text}
    if kind is None or not item.values:
        return document
    document |= {"name": kind.name, "unit": kind.unit}
    if None in item.values:
        document["non_bcd"] = True
    if kind.block:
        document["values"] = list(item.values)
    elif item.values[0] is not None:
        document["value"] = item.values[0]
    if item.times:
        document["times"] = [time or None for time in item.times]
    return document | {"digits": kind.size * 2, "decimals": kind.decimals}


def stream(chunks: Iterable[bytes]) -> Document:
    """Return the frames in these chunks without the FE before them, and where an echo stands before it, which is the reply.

    Nothing comes after the last chunk: what stands behind the beginning of a frame that never ended is looked at, too.
    """
    decoder = Decoder()
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)] + decoder.flush()
    good = [entry for entry in found if isinstance(entry, Frame)]
    document: Document = {"frames_hex": [entry.raw.hex() for entry in good]}
    replies = [place for place, entry in enumerate(good) if entry.reply]
    if replies and not good[0].reply:
        document["reply_index"] = replies[0]
    return document
