"""Answers about HJ 212: frames, streams, records in packages, checksums, dialogues."""

import re
from typing import Any

from yuanmai.protocols.bits import crc_modbus
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.crc import crc
from yuanmai.protocols.hj212.dialogue import Dialogue, State
from yuanmai.protocols.hj212.frame import HEAD, STANDARD, STANDARD_LENGTH, Frame, Profile, decode, wrap
from yuanmai.protocols.hj212.messages import acknowledgement
from yuanmai.protocols.hj212.packages import DEDUPE_KEY, join
from yuanmai.protocols.hj212.stream import Decoder

Document = dict[str, Any]
# A frame whose length is written otherwise than it is, for one that looks at && and the checksum only.
ANY_LENGTH = re.compile(rb"##\d{1,4}(\D.*&&)([0-9A-Fa-f]{4})(?![0-9A-Fa-f])", re.DOTALL)
# How a dialogue went, in one word; which answer it was stands beside it.
ENDS = {State.REFUSED: "refused", State.FAILED: "failed"}


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
        return followed(raw, given["then"] if isinstance(given["then"], list) else [given["then"]])
    return frame(raw, Profile(encoding=str(given.get("encoding", "auto"))))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def frame(raw: bytes, profile: Profile = STANDARD) -> Document:
    """Return the document of one frame, or the reason why it is none and what a tolerant profile would make of it."""
    found = decode(raw, profile)
    if isinstance(found, Frame):
        return frame_document(found)
    return {"valid": False, "reason": found.reason, "reply": None} | kindly(raw, found, profile)


def kindly(raw: bytes, fault: Fault, profile: Profile) -> Document:
    """Return what one who knows the habits of makers would read in these bytes: nothing where nobody could.

    Habits: the MODBUS checksum, blanks that were counted neither in the length nor in the checksum, a length that is written
    wrong while the checksum is right, items without `=`.
    """
    if fault.reason == "crc_mismatch":
        modbus = f"{crc_modbus(raw[6 : 6 + int(raw[2:6])]):04X}"
        if fault.details["crc"] == modbus:
            found = decode(raw, Profile(crc="modbus", encoding=profile.encoding))
            return {
                "strict": fault.reason,
                "tolerant": {"crc_variant": "modbus", "valid": isinstance(found, Frame)},
                "crc_hj212": fault.details["crc_expected"],
                "crc_modbus": modbus,
            }
    if fault.reason == "syntax":
        loose = decode(raw, Profile(encoding=profile.encoding, stray_items="drop"))
        return {"strict": "syntax", "tolerant": {"valid": True}} if isinstance(loose, Frame) else {}
    if isinstance(decode(raw.translate(None, b" \t"), profile), Frame):
        return {"strict": fault.reason, "tolerant": {"valid": True}}
    whole = ANY_LENGTH.match(raw)
    if whole is not None and 0 < len(whole[1]) <= 9999:
        again = wrap(whole[1])
        if again[-6:-2] == whole[2].upper() and isinstance(decode(again, profile), Frame):
            return {"strict": fault.reason, "tolerant": {"valid": True, "length": len(whole[1])}}
    return {}


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
    ack = acknowledged(found)
    if ack:
        document["ack_frame_ascii"] = ack
    if found.length > STANDARD_LENGTH:
        document |= {"strict": "length_too_long", "tolerant": {"valid": True, "length": found.length}}
    elif found.raw[HEAD + found.length + 4 :] != b"\r\n":
        document |= {"strict": "end_mark", "tolerant": {"valid": True}}
    return document


def acknowledged(found: Frame) -> str:
    """Return the answer a frame wants, or an empty text: also where its QN or password holds signs that separate."""
    try:
        ack = acknowledgement(found)
    except ValueError:
        return ""
    return ack.decode() if ack is not None else ""


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


def followed(raw: bytes, after: list[Any]) -> Document:
    """Return the document of a frame after which the same comes again (said in words) or others do.

    Of a frame that is none: why, and which frames are found behind it; words say only that nothing more comes.
    """
    texts = [str(text) for text in after]
    if isinstance(decode(raw), Frame):
        return packages([raw, *(_bytes(text) if text.startswith("##") else raw for text in texts)])
    return frame(raw) | stream([raw, *(_bytes(text) for text in texts if "##" in text)])


def packages(frames: list[bytes]) -> Document:
    """Return the record that these frames make, the answers to each, and how many records are stored of them."""
    found = [decode(raw) for raw in frames]
    good = [entry for entry in found if isinstance(entry, Frame)]
    acks = [ack for ack in map(acknowledged, good) if ack]
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
        document["complete"] = record.complete
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
    course = Dialogue(command.get("MN"), command.get("CN"), command.request)
    for raw in replies:
        found = decode(raw)
        if isinstance(found, Frame):
            course.take(found)
    while course.resend():
        pass  # nothing more comes: the time-outs pass
    result = ENDS.get(course.states[-1], course.result)
    document: Document = {"result": result, "states": [state.value for state in course.states]}
    if result != course.result:
        document["answer"] = course.result
    if course.uploads:
        document["uploads"] = course.uploads
    if course.sent > 1:
        document["resends"] = course.sent - 1
    return document
