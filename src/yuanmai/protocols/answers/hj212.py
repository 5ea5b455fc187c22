"""Answers about HJ 212: frames, streams, records in packages, checksums, dialogues."""

from typing import Any

from yuanmai.protocols.bits import crc_modbus
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.crc import crc
from yuanmai.protocols.hj212.dialogue import Dialogue
from yuanmai.protocols.hj212.frame import STANDARD, Frame, Profile, decode
from yuanmai.protocols.hj212.messages import acknowledgement
from yuanmai.protocols.hj212.packages import DEDUPE_KEY, join
from yuanmai.protocols.hj212.stream import Decoder

Document = dict[str, Any]


def answer(given: Document) -> Document:
    """Return what is to be said to one line of input; raises KeyError, TypeError, ValueError where it is of no known form."""
    if "chunks" in given:
        return stream([_bytes(chunk) for chunk in given["chunks"]])
    if "chunks_hex" in given:
        return stream([bytes.fromhex(chunk) for chunk in given["chunks_hex"]])
    if "frames_ascii" in given:
        return packages([_bytes(text) for text in given["frames_ascii"]])
    if "strings" in given:
        return {"crc": [f"{crc(_bytes(text)):04X}" for text in given["strings"]]}
    if "platform_sends" in given:
        return dialogue(_bytes(given["platform_sends"]), [_bytes(text) for text in given["device_replies"]])
    raw = bytes.fromhex(given["hex"]) if "hex" in given else _bytes(given["ascii"])
    if "then" in given:
        after = given["then"] if isinstance(given["then"], list) else [given["then"]]
        again = [_bytes(str(text)) if str(text).startswith("##") else raw for text in after]
        return packages([raw, *again])
    return frame(raw, Profile(encoding=str(given.get("encoding", "auto"))))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def frame(raw: bytes, profile: Profile = STANDARD) -> Document:
    """Return the document of one frame, or the reason why it is none and what a tolerant profile would make of it."""
    found = decode(raw, profile)
    if isinstance(found, Frame):
        return frame_document(found)
    document: Document = {"valid": False, "reason": found.reason, "reply": None}
    if found.reason == "crc_mismatch":
        segment = raw[6 : 6 + int(raw[2:6])]
        modbus = f"{crc_modbus(segment):04X}"
        if found.details["crc"] == modbus:
            kindly = decode(raw, Profile(crc="modbus", encoding=profile.encoding))
            document |= {
                "strict": found.reason,
                "tolerant": {"crc_variant": "modbus", "valid": isinstance(kindly, Frame)},
                "crc_hj212": found.details["crc_expected"],
                "crc_modbus": modbus,
            }
    return document


def frame_document(found: Frame) -> Document:
    """Return the document of a frame: fields, parameters, factors, the flag taken apart and the answer it wants."""
    document: Document = {
        "valid": True,
        "length": found.length,
        "crc": found.crc,
        "fields": found.fields,
        "params": found.params,
        "factors": found.factors,
    }
    flag = found.flag
    if flag is not None:
        document["flag"] = {"version": flag.version, "packaged": flag.packaged, "needs_ack": flag.needs_ack}
    ack = acknowledgement(found)
    if ack is not None:
        document["ack_frame_ascii"] = ack.decode()
    return document


def stream(chunks: list[bytes]) -> Document:
    """Return the frames in these chunks and how many were refused; one that has not ended is not refused yet."""
    decoder = Decoder()
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)]
    found += decoder.settle()
    # What the time-out for an unfinished frame will bring: frames that a wrong length has hidden.
    refused = decoder.rejected
    hidden = [entry for entry in decoder.flush() if isinstance(entry, Frame)]
    return {
        "frames": [_text(entry.raw) for entry in [*found, *hidden] if isinstance(entry, Frame)],
        "rejected": decoder.rejected if hidden else refused,
    }


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "backslashreplace")


def packages(frames: list[bytes]) -> Document:
    """Return the record that these frames make, the answers to each, and how many records are stored of them."""
    found = [decode(raw) for raw in frames]
    good = [entry for entry in found if isinstance(entry, Frame)]
    acks = [ack.decode() for ack in map(acknowledgement, good) if ack is not None]
    records = join(good)
    document: Document = {
        "acks": len(acks),
        "acks_ascii": acks,
        "stored_records": len(records),
        "dedupe_key": list(DEDUPE_KEY),
    }
    faults = [entry.reason for entry in found if isinstance(entry, Fault)]
    if faults:
        document |= {"valid": False, "reason": faults[0], "rejected": len(faults)}
    if records:
        record = records[0]
        document["merged"] = {
            "MN": record.station,
            "CN": record.command,
            "DataTime": record.time,
            "factors": list(record.factors),
            "factors_set": sorted(record.factors),
            "complete": record.complete,
        }
    return document


def dialogue(sent: bytes, replies: list[bytes]) -> Document:
    """Return how a command went by the station's answers."""
    command = decode(sent)
    if isinstance(command, Fault):
        return {"valid": False, "reason": command.reason}
    course = Dialogue(command.get("MN"), command.get("CN"), command.get("QN"))
    for raw in replies:
        found = decode(raw)
        if isinstance(found, Frame):
            course.take(found)
    while course.resend():
        pass  # nothing more comes: the time-outs pass
    return {"result": course.result, "states": [state.value for state in course.states]}
