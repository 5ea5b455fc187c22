"""Bodies by number of message: decode to named values and encode from them."""

from collections.abc import Sequence

from yuanmai.protocols.bits import is_bcd
from yuanmai.protocols.faults import Fault, ShortError
from yuanmai.protocols.jt808 import location as positions
from yuanmai.protocols.jt808.areas import AREAS, since_2019
from yuanmai.protocols.jt808.layout import (
    Body,
    CountedText,
    Digits,
    Hex,
    LastDigits,
    MessageId,
    Numbers,
    Part,
    Reader,
    Records,
    RestHex,
    RestRecords,
    RestText,
    Text,
    Time,
    Uint,
    When,
    WhenLeft,
    byte,
    dword,
    read_parts,
    text_of,
    word,
    write_parts,
)
from yuanmai.protocols.jt808.parts import Batch, Controls, Missing, ParameterValue, Position


def before_2019(_body: Body, standard: int) -> bool:
    """Return whether the standard is older than 2019."""
    return standard < 2019


def is_2011(_body: Body, standard: int) -> bool:
    """Return whether the standard is that of 2011."""
    return standard < 2013


def later_than_2011(_body: Body, standard: int) -> bool:
    """Return whether the standard is that of 2013 or 2019."""
    return standard >= 2013


ANSWER: Sequence[Part] = (word("ack_serial"), MessageId("ack_id"), byte("result"))
PARAMETERS = Records("params", 1, (ParameterValue(),), shown="count")
LOCATED_ANSWER: Sequence[Part] = (word("ack_serial"), Position("location"))
MISSING: Sequence[Part] = (word("first_serial"), Numbers("ids", 2, 1, 2))
MEDIA: Sequence[Part] = (
    dword("media_id"),
    byte("media_type"),
    byte("format"),
    byte("event"),
    byte("channel"),
)
SEARCH: Sequence[Part] = (byte("media_type"), byte("channel"), byte("event"))
PERIOD: Sequence[Part] = (Time("start_time"), Time("end_time"))
KEY: Sequence[Part] = (dword("exponent"), Hex("modulus_hex", 128))
PLATE: Sequence[Part] = (byte("plate_color"), RestText("plate"))
QUESTION: Sequence[Part] = (Uint("id", 1), CountedText("text", 2))

BODIES: dict[int, Sequence[Part]] = {
    0x0001: ANSWER,
    0x8001: ANSWER,
    0x0002: (),
    0x0003: (),
    0x0004: (),
    0x8004: (Time("time_utc"),),
    0x0005: MISSING,
    0x8003: MISSING,
    0x0100: (
        word("province"),
        word("city"),
        Text("maker", 5, 11),
        Text("model", 20, 30),
        Text("terminal_id", 7, 30),
        *PLATE,
    ),
    0x8100: (word("ack_serial"), byte("result"), WhenLeft((RestText("auth_code"),), "auth_code")),
    0x0102: (
        When(before_2019, (RestText("auth_code"),)),
        When(since_2019, (CountedText("auth_code"), Text("imei", 15), Text("software_version", 20))),
    ),
    0x8103: (PARAMETERS,),
    0x8104: (),
    0x8106: (Numbers("ids", 4, 1),),
    0x0104: (word("ack_serial"), PARAMETERS),
    0x8105: (RestHex("raw_hex"),),
    0x8107: (),
    0x0107: (
        word("type"),
        Text("maker", 5),
        Text("model", 20, 30),
        Text("terminal_id", 7, 30),
        Digits("iccid", 10),
        CountedText("hw"),
        CountedText("fw"),
        byte("gnss"),
        byte("comm"),
    ),
    0x0108: (byte("type"), byte("result")),
    0x8108: (
        byte("type"),
        Text("maker", 5, 11),
        CountedText("version"),
        dword("length"),
        RestHex("data_hex"),
    ),
    0x0201: LOCATED_ANSWER,
    0x0500: LOCATED_ANSWER,
    0x8201: (),
    0x8202: (word("interval_s"), WhenLeft((dword("validity_s"),), "validity_s", 4)),
    0x8203: (word("ack_serial"), dword("alarm")),
    0x8204: (),
    0x8300: (byte("flag"), When(since_2019, (byte("text_type"),)), RestText("text")),
    0x8400: (byte("flag"), RestText("phone")),
    0x8401: (
        byte("action"),
        WhenLeft(
            (Records("items", 1, (byte("flag"), CountedText("phone"), CountedText("name"))),),
            "items",
        ),
    ),
    0x8500: (
        When(before_2019, (byte("flag"),)),
        When(since_2019, (Controls("controls"),)),
    ),
    0x0301: (byte("event"),),
    0x0302: (word("ack_serial"), byte("answer")),
    0x8301: (byte("action"), WhenLeft((Records("events", 1, (byte("id"), CountedText("text"))),), "events")),
    0x8302: (
        byte("flag"),
        CountedText("question"),
        RestRecords("answers", (byte("id"), CountedText("text", 2))),
    ),
    0x8303: (
        byte("action"),
        WhenLeft((Records("items", 1, (byte("type"), CountedText("name", 2))),), "items"),
    ),
    0x0303: (byte("type"), byte("action")),
    0x8304: (byte("type"), CountedText("text", 2)),
    0x0700: (word("ack_serial"), byte("command"), RestHex("data_hex")),
    0x8700: (byte("command"), RestHex("data_hex")),
    0x8701: (byte("command"), RestHex("data_hex")),
    0x0701: (dword("length"), RestHex("data_hex")),
    0x8702: (),
    0x0704: (Batch("items"),),
    0x0705: (
        word("count"),
        Digits("time", 5),
        RestRecords("items", (dword("id"), Hex("data_hex", 8))),
    ),
    0x0800: MEDIA,
    0x0801: (*MEDIA, When(later_than_2011, (Position("location", basic=True),)), RestHex("data_hex")),
    0x8800: (dword("media_id"), Missing("retransmit_ids")),
    0x8801: (
        byte("channel"),
        word("command"),
        word("interval_or_duration_s"),
        byte("save"),
        byte("resolution"),
        byte("quality"),
        byte("brightness"),
        byte("contrast"),
        byte("saturation"),
        byte("chroma"),
    ),
    0x0805: (word("ack_serial"), byte("result"), WhenLeft((Numbers("ids", 4, 2),), "ids")),
    0x8802: (*SEARCH, *PERIOD),
    0x0802: (
        word("ack_serial"),
        Records("items", 2, (dword("media_id"), *SEARCH, Position("location", basic=True)), shown="count"),
    ),
    0x8803: (*SEARCH, *PERIOD, byte("delete")),
    0x8804: (byte("command"), word("duration_s"), byte("save"), byte("sampling")),
    0x8805: (dword("media_id"), byte("delete")),
    0x0900: (byte("type"), RestHex("data_hex")),
    0x8900: (byte("type"), RestHex("data_hex")),
    0x0901: (dword("length"), RestHex("data_hex")),
    0x0A00: KEY,
    0x8A00: KEY,
    **AREAS,
}
LONGEST = 1 << 20
OPAQUE = frozenset({0x0701, 0x0801, 0x0900, 0x0901, 0x8108, 0x8900})
DRIVER_2011: Sequence[Part] = (
    CountedText("name"),
    Text("id_card", 20),
    Text("licence", 40),
    CountedText("issuer"),
)
DRIVER: Sequence[Part] = (
    byte("status"),
    Time("time"),
    WhenLeft(
        (
            byte("ic_result"),
            WhenLeft(
                (
                    CountedText("name"),
                    Text("licence", 20),
                    CountedText("issuer"),
                    LastDigits("valid_to", 4),
                    When(since_2019, (WhenLeft((Text("id_card", 20),), "id_card", 20),)),
                ),
                "name",
            ),
        ),
        "ic_result",
    ),
)
REGISTRATION_2011: Sequence[Part] = (
    word("province"),
    word("city"),
    Text("maker", 5),
    Text("model", 8),
    Text("terminal_id", 7),
    *PLATE,
)
REGISTRATION_2013: Sequence[Part] = (
    word("province"),
    word("city"),
    Text("maker", 5),
    Text("model", 20),
    Text("terminal_id", 7),
    *PLATE,
)


def parts_of(msg_id: int, body: bytes, standard: int) -> Sequence[Part] | None:
    """Return the layout of a body; of several that may be meant, the one whose lengths fit, also where a terminal that says it
    is of 2019 sends a body of 2013.
    """
    if msg_id == 0x0702:
        return DRIVER_2011 if standard < 2013 or (standard < 2019 and _driver_of_2011(body)) else DRIVER
    if msg_id == 0x0100:
        return _registration(body, standard)
    if msg_id == 0x0102 and standard >= 2019:
        return _authentication(body)
    if msg_id == 0x0107:
        return _attributes(body, standard)
    # In 2011 there was no position; where one is its time is six bytes of decimal digits.
    if msg_id == 0x0801 and (len(body) < 36 or (standard < 2019 and not is_bcd(body[30:36].hex()))):
        return (*MEDIA, RestHex("data_hex"))
    return BODIES.get(msg_id)


def _registration(body: bytes, standard: int) -> Sequence[Part]:
    """Return the layout of a registration: in 2011 and 2013 it has another length, and some of 2019 still send one of these."""
    if standard < 2013:
        return REGISTRATION_2011
    if standard < 2019:
        return REGISTRATION_2011 if _looks_like_2011(body) else REGISTRATION_2013
    if len(body) < 76:
        for place, layout in ((36, REGISTRATION_2013), (24, REGISTRATION_2011)):
            if _ends_in_plate(body, place):
                return layout
    return BODIES[0x0100]


def _looks_like_2011(body: bytes) -> bool:
    if len(body) < 37:
        return True
    return body[36] > 9 and body[24] <= 9


def _ends_in_plate(body: bytes, place: int) -> bool:
    """Return whether the colour of a plate stands here, and no more than a plate (or a VIN) behind it."""
    plate = body[place + 1 :]
    text = plate.rstrip(b"\0")
    return len(body) > place and body[place] <= 9 and len(plate) <= 20 and min(text, default=32) >= 32


def _authentication(body: bytes) -> Sequence[Part]:
    """Return the layout of an authentication of 2019: some terminals send the code alone, with or without its length."""
    size = body[0] if body else 0
    if not body or (len(body) <= size and size >= 32):
        return (RestText("auth_code"),)
    if len(body) == size + 1:
        return (CountedText("auth_code"),)
    return BODIES[0x0102]


def _driver_of_2011(body: bytes) -> bool:
    """Return whether name, 20 and 40 bytes, and issuer add up, while no state and time stand in front."""
    if len(body) > 6 and body[0] in (1, 2) and is_bcd(body[1:7].hex()):
        return False
    place = 1 + body[0] + 60 if body else 0
    return len(body) > place > 0 and len(body) == place + 1 + body[place]


def _attributes(body: bytes, standard: int) -> Sequence[Part]:
    """Return the layout of the attributes whose lengths add up: some terminals of 2019 send a maker of eleven bytes here as in the
    registration, some the model and number of 2013.
    """
    new = (5, 30, 30), (11, 30, 30)
    old = ((5, 20, 7),)
    for maker, model, number in (*new, *old) if standard >= 2019 else (*old, *new):
        place = 2 + maker + model + number + 10
        if len(body) > place:
            place += 1 + body[place]
        if len(body) > place and place + 1 + body[place] + 2 == len(body):
            sizes = Text("maker", maker), Text("model", model), Text("terminal_id", number)
            return (BODIES[0x0107][0], *sizes, *BODIES[0x0107][4:])
    return BODIES[0x0107]


def decode_body(msg_id: int, body: bytes, standard: int = 2013) -> Body | Fault:
    """Return the named values of a body; of a message that has no layout `raw_hex`. The faults are `body_too_short` and, above
    a megabyte in packages, for all but media and what is passed through, `length_too_long`.

    Positions are `Location`; bytes that follow a complete body are left alone.
    """
    if msg_id == 0x0200:
        try:
            return {"location": positions.decode(body)}
        except ShortError:
            return Fault("body_too_short", body)
    if len(body) > LONGEST and msg_id not in OPAQUE:
        return Fault("length_too_long", body[:64], {"length": len(body)})
    parts = parts_of(msg_id, body, standard)
    if parts is None:
        return {"raw_hex": body.hex()}
    found: Body = {}
    try:
        read_parts(parts, Reader(body, standard), found)
    except ShortError:
        return Fault("body_too_short", body, {"body": found})
    return found


def encode_body(msg_id: int, values: Body, standard: int = 2013) -> bytes:
    """Return the bytes of a body of named values.

    Raises ValueError for a message without layout, KeyError for a missing value, OverflowError for one too large.
    """
    if msg_id == 0x0200:
        return positions.encode(values["location"])
    if "raw_hex" in values:
        return bytes.fromhex(values["raw_hex"])
    if msg_id == 0x0102 and "imei" not in values:
        return write_parts((RestText("auth_code"),), values, standard)
    if msg_id == 0x0702:
        return write_parts(DRIVER_2011 if standard < 2013 else DRIVER, values, standard)
    parts = REGISTRATION_2011 if msg_id == 0x0100 and standard < 2013 else BODIES.get(msg_id)
    if parts is None:
        raise ValueError(f"no layout of message 0x{msg_id:04X}")
    try:
        return write_parts(parts, values, standard)
    except KeyError as missing:
        raise ValueError(f"message 0x{msg_id:04X} of {standard} has {missing}, which is not given") from None


__all__ = ["BODIES", "decode_body", "encode_body", "text_of"]
