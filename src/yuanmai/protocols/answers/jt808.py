"""Answers about JT/T 808: frames, bodies, streams, packages, escapes, identities."""

import re
from collections.abc import Iterator
from typing import Any

from yuanmai.protocols.bits import xor_sum
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.bodies import BODIES, decode_body
from yuanmai.protocols.jt808.frame import (
    MARK,
    VERSIONED,
    Frame,
    Header,
    decode,
    escape,
    identify,
    unescape,
    unescape_kindly,
)
from yuanmai.protocols.jt808.items import imei_of
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.jt808.packages import Assembler, Parts
from yuanmai.protocols.jt808.session import acknowledge
from yuanmai.protocols.jt808.stream import Decoder

Document = dict[str, Any]
PIECE = 65536
ANSWERS = 0x8000  # from here on messages come from the platform
CONNECTION = "keep open; count the error; do not ack as success"
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
MOST_GENERATED = 1 << 28
# Messages of every day, whose bodies are told by name alone; of all others the bytes are shown as well.
EVERYDAY = frozenset(
    {0x0001, 0x0002, 0x0003, 0x0100, 0x0102, 0x0107, 0x0200, 0x0201, 0x0702, 0x0704, 0x0800, 0x0801, 0x0900, 0x0901}
    | {0x8001, 0x8003, 0x8100, 0x8103, 0x8104, 0x8105, 0x8202, 0x8300, 0x8800, 0x8801, *range(0x8600, 0x8609)}
)  # fmt: skip


def answer(given: Document) -> Document:
    """Return what is to be said to one line of input; raises KeyError, TypeError, ValueError where it is of no known form."""
    if "body_hex" in given:
        standard = int(given.get("standard", 2013))
        number = given["msg_id"]
        msg_id = number if isinstance(number, int) else int(str(number), 16)
        return body(msg_id, bytes.fromhex(given["body_hex"]), standard)
    if "chunks_hex" in given:
        return stream(bytes.fromhex(chunk) for chunk in given["chunks_hex"])
    if "frames_hex" in given:
        return packages([bytes.fromhex(text) for text in given["frames_hex"]])
    if "generator" in given:
        return endless(given["generator"], bytes.fromhex(given.get("then_hex", "")))
    if "payload_hex" in given:
        return escaping(given)
    if "phone_bcd" in given:
        return phone(given["phone_bcd"])
    return frame(bytes.fromhex(given["hex"]))


def frame(raw: bytes) -> Document:
    """Return the document of one frame, or why it is none and what could be read of it all the same."""
    found = decode(raw)
    if isinstance(found, Frame):
        return frame_document(found) | versions(found)
    document: Document = {"valid": False, "reason": found.reason, "connection": CONNECTION}
    header = found.details.get("header")
    if header is not None:
        document |= {
            "standard": header.standard,
            "header": header_document(header, found.details["checksum"]),
        }
    kindly = decode(raw, tolerant=True)
    if isinstance(kindly, Fault):
        kindly = next((entry for entry in Decoder().feed(raw) if isinstance(entry, Frame)), kindly)
    plain = unescape_kindly(raw[1:-1])
    if isinstance(kindly, Fault) and (found.reason == "truncated" or len(plain) < 3):
        return document
    document["strict"] = found.reason
    if isinstance(kindly, Frame):
        document["tolerant"] = tolerated(kindly.header.msg_id, kindly.checksum, right=True)
    else:
        number = int.from_bytes(plain[:2], "big")
        document["tolerant"] = tolerated(number, plain[-1], right=xor_sum(plain) == 0)
    return document


def tolerated(msg_id: int, checksum: int, *, right: bool) -> Document:
    """Return what can be read where less is asked than the standard asks."""
    return {"msg_id": f"0x{msg_id:04X}", "bcc": checksum, "bcc_ok": right}


def versions(found: Frame) -> Document:
    """Return what the standard says to a frame that has the flag of 2019 and the header of 2013; nothing for other frames."""
    header = found.header
    if header.version is not None or not header.properties & VERSIONED:
        return {}
    # The header of 2019 is five bytes longer.
    return {
        "strict": "too_short" if len(found.body) < 5 else "length_mismatch",
        "tolerant": tolerated(header.msg_id, found.checksum, right=True),
    }


def header_document(header: Header, checksum: int) -> Document:
    """Return the document of a header with the checksum of its frame."""
    document: Document = {
        "msg_id": f"0x{header.msg_id:04X}",
        "body_len": header.body_length,
        "encrypt_bits": header.encryption,
        "subpackaged": header.packaged,
        "version_flag": bool(header.properties & 0x4000),
        "phone_bcd": header.phone,
        "phone": header.phone.lstrip("0"),
        "serial": header.serial,
        "bcc": checksum,
    }
    if header.version is not None:
        document["protocol_version"] = header.version
    if header.packaged:
        document |= {"package_total": header.total, "package_no": header.number}
    return document


def frame_document(found: Frame) -> Document:
    """Return the document of a frame: header and body, or the fragment of a body."""
    header = found.header
    document: Document = {
        "valid": True,
        "standard": header.standard,
        "header": header_document(header, found.checksum),
    }
    if header.packaged:
        return document | {"fragment_hex": found.body.hex()}
    if header.encryption:
        return document | {"body_policy": "opaque", "body": {"raw_hex": found.body.hex()}}
    if found.body and BODIES.get(header.msg_id) == ():
        document["body_policy"] = "ignore"
    document |= body(header.msg_id, found.body, header.standard)
    reply = (
        None if header.msg_id >= ANSWERS else acknowledge(found, header.serial, auth_code=code_for(header))
    )
    if reply is not None and document["valid"]:
        document |= {"request": {"header": document["header"], "body": document["body"]}}
        document |= {"reply_example_hex": reply.hex(), "reply": _reply(reply)}
    return document


def code_for(header: Header) -> str:
    """Return the code with which the example of an answer registers a terminal: its number without the zeros in front."""
    return header.phone.lstrip("0") or header.phone


def _reply(raw: bytes) -> Document:
    found = decode(raw)
    assert isinstance(found, Frame)
    values = decode_body(found.header.msg_id, found.body, found.header.standard)
    return {"header": header_document(found.header, found.checksum), "body": values}


def body(msg_id: int, content: bytes, standard: int) -> Document:
    """Return the document of a body, with what is odd about it beside it."""
    values = decode_body(msg_id, content, standard)
    if isinstance(values, Fault):
        return {"valid": False, "reason": values.reason}
    if msg_id == 0x0200:
        location = values["location"]
        return {"valid": True, "body": location_document(location), **oddities(location)}
    document: Document = {"valid": True, "body": _plain(values, full=msg_id not in (0x0801, 0x0802))}
    if msg_id not in EVERYDAY:
        document["body"]["raw_hex"] = content.hex()
    if msg_id == 0x0704:
        document |= {"items_present": len(values["items"]), "items_announced": values["count"]}
    if isinstance(values.get("location"), Location):
        document |= oddities(values["location"])
    return document


def _plain(value: Any, *, full: bool) -> Any:
    if isinstance(value, Location):
        return location_document(value, full=full)
    if isinstance(value, dict):
        return {name: _plain(entry, full=full) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry, full=full) for entry in value]
    return value


def location_document(given: Location, *, full: bool = True) -> Document:
    """Return the document of a position, with its items unless it stands in media (28 bytes only)."""
    document: Document = {
        "alarm": given.alarm,
        "status": given.status,
        "lat_raw": given.lat_raw,
        "lng_raw": given.lng_raw,
        "altitude_m": given.altitude,
        "speed_01kmh": given.speed,
        "direction_deg": given.direction,
        "time": given.time,
        "lat": given.latitude,
        "lng": given.longitude,
    }
    if full:
        document["extras"] = [
            {"id": number, "len": length, "hex": content.hex(), "complete": len(content) == length}
            for number, length, content in given.extras
        ]
        document["trailing"] = len(given.tail)
    return document


def oddities(given: Location) -> Document:
    """Return whether time and place of a position can be, and where its items break off."""
    plausible = given.plausible and bool(given.lat_raw or given.lng_raw)
    document: Document = {"time_valid": given.time_valid, "position_plausible": plausible}
    if not plausible or not given.time_valid:
        document |= {"lat_raw": given.lat_raw, "lng_raw": given.lng_raw}
    imei = imei_of(given.extras)
    if imei:
        document["imei"] = imei
    whole = [entry for entry in given.extras if len(entry[2]) == entry[1]]
    if given.tail or len(whole) < len(given.extras):
        document["good_items"] = [{"id": number, "hex": content.hex()} for number, _length, content in whole]
        broken = [bytes((number, length)) + content for number, length, content in given.extras[len(whole) :]]
        document["broken_tail_hex"] = (b"".join(broken) + given.tail).hex()
    return document


def stream(chunks: Iterator[bytes]) -> Document:
    """Return the frames in these chunks, good and bad, and what has not ended."""
    decoder = Decoder()
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)]
    shown = [entry for entry in found if isinstance(entry, Frame) or entry.reason != "length_too_long"]
    return {
        "frames_hex": [entry.raw.hex() for entry in shown],
        "valid": [isinstance(entry, Frame) for entry in shown],
        "pending_hex": decoder.pending.hex(),
        "max_buffer_bytes": decoder.most,
    }


def endless(generator: Any, then: bytes) -> Document:
    """Return what a stream does that opens a frame and never ends it, until `then` comes."""

    def chunks() -> Iterator[bytes]:
        start, filling, count = described(generator)
        yield start
        whole, rest = divmod(min(count, MOST_GENERATED), PIECE)
        for _piece in range(whole):
            yield filling * PIECE
        yield filling * rest
        yield then

    return stream(chunks())


def described(generator: Any) -> tuple[bytes, bytes, int]:
    """Return first bytes, the byte that is repeated and how often: a document, a number, or words like `7e + 00 * 1000000`."""
    if isinstance(generator, dict):
        start = bytes.fromhex(str(generator.get("prefix_hex", generator.get("start_hex", "7e"))))
        filling = next(
            (str(generator[key]) for key in ("repeat_hex", "fill_hex", "byte_hex") if key in generator), "00"
        )
        count = next(
            (generator[key] for key in ("count", "times", "length", "bytes") if key in generator), 1 << 20
        )
        return start, bytes.fromhex(filling)[:1] or b"\0", int(count)
    text = str(generator).lower()
    amounts = [
        int(re.sub(r"\D", "", digits)) * UNITS.get(unit[:1], 1)
        for digits, unit in re.findall(r"(?<![\w.\\])(\d[\d_,]*)\s*([kmg]i?b?)?\b", text)
    ]
    powers = [
        int(base) ** int(power) for base, power in re.findall(r"(\d{1,3})\s*(?:\*\*|\^)\s*(\d{1,2})", text)
    ]
    fillings = [pair for pair in re.findall(r"(?:0x|\\x|\b)([0-9a-f]{2})\b", text) if pair != "7e"]
    return MARK, bytes.fromhex(fillings[0]) if fillings else b"\0", max([0, *amounts, *powers])


def packages(frames: list[bytes]) -> Document:
    """Return the message these packages make, or the requests for those that are missing."""
    assembler = Assembler()
    whole: Parts | None = None
    good: list[Frame] = []
    faults: list[str] = []
    for raw in frames:
        found = decode(raw)
        if isinstance(found, Fault):
            faults.append(found.reason)
        else:
            good.append(found)
            whole = assembler.add(found) or whole
    standard = good[-1].header.standard if good else 2013
    parts = whole or loosely_joined(good)
    document: Document = {"rejected": len(faults)} if faults else {}
    if parts is None:
        return {"valid": False, "reason": faults[0] if faults else "too_short", "complete": False}
    document |= {
        "valid": True,
        "message_id": f"0x{parts.msg_id:04X}",
        "total": parts.total,
        "first_serial": parts.first_serial,
        "complete": parts.complete,
    }
    if parts.complete:
        document |= {"body_hex": parts.body.hex(), "standard": standard}
        values = decode_body(parts.msg_id, parts.body, standard)
        if not isinstance(values, Fault):
            document["body"] = _plain(values, full=parts.msg_id not in (0x0801, 0x0802))
        return document
    for edition in (2013, 2019):
        document[f"request_{edition}"] = {"msg_id": "0x8003", "body_hex": parts.request(edition).hex()}
    media = parts.media_request()
    if media is not None:
        document["media_alternative"] = {"msg_id": "0x8800", "body_hex": media.hex()}
    return document


def loosely_joined(frames: list[Frame]) -> Parts | None:
    """Return the first message of these frames, also where its serials have gaps (a terminal sent something else in between); a
    message in one piece where no package is among them; nothing where there is no frame.
    """
    packaged = [
        frame for frame in frames if frame.header.packaged and 1 <= frame.header.number <= frame.header.total
    ]
    if not packaged:
        whole = next((frame for frame in frames if not frame.header.packaged), None)
        if whole is None:
            return None
        return Parts(whole.header.msg_id, 1, whole.header.serial, {1: whole.body})
    first = packaged[0].header
    parts = Parts(first.msg_id, first.total, first.serial - first.number + 1 & 0xFFFF)
    for frame in packaged:
        header = frame.header
        if (header.phone, header.msg_id, header.total) == (first.phone, first.msg_id, first.total):
            parts.bodies.setdefault(header.number, frame.body)
            if header.number == 1:
                parts.first_serial = header.serial
    return parts


def escaping(given: Document) -> Document:
    """Return a payload escaped, and escaped bytes (with or without marks) made plain again."""
    payload = bytes.fromhex(given["payload_hex"])
    escaped = escape(payload)
    framed = "escaped_frame_hex" in given
    sent = bytes.fromhex(given.get("escaped_frame_hex") or given.get("escaped_hex") or escaped.hex())
    plain = unescape(sent[1:-1] if framed else sent)
    document: Document = {"escape": (MARK + escaped + MARK if framed else escaped).hex()}
    if plain is None:
        return document | {"valid": False, "reason": "bad_escape"}
    return document | {"unescape": plain.hex(), "valid": True}


def phone(digits: str) -> Document:
    """Return what a phone field says about who sends."""
    found = identify(digits)
    if found.decimal:
        return {"decimal": True, "phone": digits.lstrip("0")}
    return {"decimal": False, "imei_without_check_digit": found.imei_body, "imei": found.imei}
