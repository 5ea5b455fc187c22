"""What the platform answers to a terminal at once."""

from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.frame import Frame, answer_header, encode

OK, FAILED, BAD, UNSUPPORTED, ALARM_CONFIRMED = range(5)
# Terminals ask for the time with 0x0004 and get 0x8004, which takes a clock; answers of terminals need no answer.
NO_ANSWER = frozenset({0x0001, 0x0004})


def acknowledge(frame: Frame, serial: int, *, result: int = OK, auth_code: str = "") -> bytes | None:
    """Return the answer to a message of a terminal in its version of the protocol, nothing where none is due at once.

    `auth_code` answers a registration; an empty one is refused, for most terminals cannot read it. Media that came in one
    package is answered by 0x8800, all else by 0x8001. Raises ValueError for a registration that succeeds without a code.
    """
    header = frame.header
    number = header.msg_id
    if number >= 0x8000 or number in NO_ANSWER:
        return None
    if number == 0x0100:
        values: dict[str, object] = {"ack_serial": header.serial, "result": result}
        if result == OK:
            if not auth_code:
                raise ValueError("a registration is answered with an authentication code")
            values["auth_code"] = auth_code
        return encode(answer_header(header, 0x8100, serial), encode_body(0x8100, values))
    if number == 0x0801 and not header.packaged and len(frame.body) >= 4:
        media = {"media_id": int.from_bytes(frame.body[:4], "big")}
        return encode(answer_header(header, 0x8800, serial), encode_body(0x8800, media))
    values = {"ack_serial": header.serial, "ack_id": f"0x{number:04X}", "result": result}
    return encode(answer_header(header, 0x8001, serial), encode_body(0x8001, values))
