"""One JT/T 808 frame: escape, checksum, header; the body stays bytes until it is asked for."""

from dataclasses import dataclass
from struct import Struct

from yuanmai.protocols.bits import luhn_digit, xor_sum
from yuanmai.protocols.faults import Fault

MARK = b"\x7e"
OLD = Struct(">HH6sH")  # id, properties, phone, serial (2011, 2013)
NEW = Struct(">HHB10sH")  # id, properties, protocol version, phone, serial (2019)
SPLIT = Struct(">HH")  # total number of packages, number of this one, from 1
VERSIONED, PACKAGED = 0x4000, 0x2000
MOST_BODY = 0x3FF
# Two marks and, every byte escaped, a 2019 header with packages, the longest body and the checksum.
LONGEST = 2 + 2 * (NEW.size + SPLIT.size + MOST_BODY + 1)
SHORTEST = OLD.size + 1


@dataclass(slots=True)
class Header:
    """What stands before the body. `phone` holds the hexadecimal digits as sent, 12 or 20; `version` is nothing before 2019."""

    msg_id: int
    properties: int
    phone: str
    serial: int
    version: int | None = None
    total: int = 0
    number: int = 0

    @property
    def body_length(self) -> int:
        """Bytes of the body, unescaped."""
        return self.properties & MOST_BODY

    @property
    def encryption(self) -> int:
        """Three bits; 1 is RSA, 0 none."""
        return self.properties >> 10 & 7

    @property
    def packaged(self) -> bool:
        """Whether the message comes in several packages."""
        return bool(self.properties & PACKAGED)

    @property
    def standard(self) -> int:
        """2019 or 2013 (2011 differs in bodies only)."""
        return 2013 if self.version is None else 2019


@dataclass(slots=True)
class Frame:
    """A frame whose escapes, checksum and length are right. `raw` are the bytes on the wire with both marks."""

    header: Header
    body: bytes
    checksum: int
    raw: bytes = b""


def escape(plain: bytes) -> bytes:
    """Return the bytes as they travel between two marks: 7D becomes 7D 01, then 7E becomes 7D 02."""
    return plain.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(sent: bytes) -> bytes | None:
    """Return the bytes before escaping, or nothing where a 7D is not followed by 01 or 02."""
    if b"\x7d" not in sent:
        return sent
    if sent.count(b"\x7d") != sent.count(b"\x7d\x01") + sent.count(b"\x7d\x02"):
        return None
    return sent.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")


def unescape_kindly(sent: bytes) -> bytes:
    """Return the bytes before escaping, where a 7D that escapes nothing stands for itself: some terminals never escape."""
    return sent.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")


def decode(raw: bytes, *, tolerant: bool = False) -> Frame | Fault:
    """Return the frame between (and with) two marks, or why it is none.

    Reasons: truncated (a mark is missing), bad_escape, too_short, bad_checksum, bad_checksum_or_too_short (both at once: which of
    the two it was cannot be told), length_mismatch. A fault of a frame with a readable header carries it. `tolerant` takes
    a 7D that escapes nothing as itself, or all bytes as they are, if only then checksum and length are right: some
    terminals forget the checksum when they escape, some never escape.
    """
    if len(raw) < 2 or raw[:1] != MARK or raw[-1:] != MARK:
        return Fault("truncated", raw)
    inner = raw[1:-1]
    plain = None if MARK in inner else unescape(inner)
    found = Fault("bad_escape", raw) if plain is None else open_plain(plain, raw)
    if tolerant and isinstance(found, Fault):
        for other in (unescape_kindly(inner), inner):
            again = open_plain(other, raw)
            if isinstance(again, Frame):
                return again
    return found


def open_plain(plain: bytes, raw: bytes = b"") -> Frame | Fault:
    """Return the frame of unescaped bytes: header, body, checksum; faults as `decode` names them."""
    size = len(plain)
    right = xor_sum(plain) == 0  # the checksum brings the sum to nought
    if size < SHORTEST:
        return Fault("too_short" if right and size else "bad_checksum_or_too_short", raw)
    message, properties = plain[0] << 8 | plain[1], plain[2] << 8 | plain[3]
    length = properties & MOST_BODY
    extra = 4 if properties & PACKAGED else 0
    begin = 12 + extra
    if properties & VERSIONED and not (size == begin + length + 1 != 17 + extra + length + 1):
        begin += 5
        if size < begin + 1:
            return Fault("too_short" if right else "bad_checksum_or_too_short", raw)
        header = Header(message, properties, plain[5:15].hex(), plain[15] << 8 | plain[16], plain[4])
    else:
        if size < begin + 1:
            return Fault("too_short" if right else "bad_checksum_or_too_short", raw)
        header = Header(message, properties, plain[4:10].hex(), plain[10] << 8 | plain[11])
    if extra:
        header.total, header.number = SPLIT.unpack_from(plain, begin - 4)
    if not right:
        return Fault("bad_checksum", raw, {"header": header, "checksum": plain[-1]})
    if size != begin + length + 1:
        return Fault(
            "length_mismatch", raw, {"header": header, "checksum": plain[-1], "body": plain[begin:-1]}
        )
    return Frame(header, plain[begin:-1], plain[-1], raw)


def encode(header: Header, body: bytes) -> bytes:
    """Return the frame on the wire; the length in the properties is taken from the body.

    Raises ValueError where the body is longer than 1,023 bytes or the phone has no 12 (20) hexadecimal digits.
    """
    if len(body) > MOST_BODY:
        raise ValueError(f"a body has up to {MOST_BODY} bytes, not {len(body)}: split it")
    properties = header.properties & ~MOST_BODY | len(body)
    phone = bytes.fromhex(header.phone)
    if len(phone) != (6 if header.version is None else 10):
        raise ValueError(f"a phone has 12 digits before 2019 and 20 since: {header.phone}")
    if header.version is None:
        head = OLD.pack(header.msg_id, properties, phone, header.serial)
    else:
        head = NEW.pack(header.msg_id, properties | VERSIONED, header.version, phone, header.serial)
    if properties & PACKAGED:
        head += SPLIT.pack(header.total, header.number)
    plain = head + body
    return MARK + escape(plain + bytes((xor_sum(plain),))) + MARK


def make_header(msg_id: int, phone: str, serial: int, standard: int = 2013, version: int = 1) -> Header:
    """Return the header of a message in one package: the phone is filled up with zeros on the left."""
    if standard >= 2019:
        return Header(msg_id, VERSIONED, phone.rjust(20, "0"), serial & 0xFFFF, version)
    return Header(msg_id, 0, phone.rjust(12, "0"), serial & 0xFFFF)


def answer_header(header: Header, msg_id: int, serial: int) -> Header:
    """Return the header of an answer: same phone, same version of the protocol as the terminal speaks."""
    properties = header.properties & VERSIONED
    return Header(msg_id, properties, header.phone, serial & 0xFFFF, header.version)


def split(header: Header, body: bytes) -> list[bytes]:
    """Return the frames of a message, one for each 1,023 bytes of body, with consecutive serials from that of the header."""
    if len(body) <= MOST_BODY:
        return [encode(header, body)]
    parts = [body[place : place + MOST_BODY] for place in range(0, len(body), MOST_BODY)]
    return [
        encode(
            Header(
                header.msg_id,
                header.properties | PACKAGED,
                header.phone,
                header.serial + place & 0xFFFF,
                header.version,
                len(parts),
                place + 1,
            ),
            part,
        )
        for place, part in enumerate(parts)
    ]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a terminal is by its phone field: decimal digits, or the 48 bits of an IMEI without its check digit."""

    decimal: bool
    imei_body: str = ""
    imei: str = ""


def identify(phone: str) -> Identity:
    """Return what the digits of a phone field say; six bytes that are no decimal digits are a binary IMEI (some cameras)."""
    if phone.isdigit():
        return Identity(True)
    try:
        number = str(int(phone, 16))
    except ValueError:
        return Identity(False)
    if len(number) > 14:
        return Identity(False)
    number = number.rjust(14, "0")
    return Identity(False, number, number + str(luhn_digit(number)))
