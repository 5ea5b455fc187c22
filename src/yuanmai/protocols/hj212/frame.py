"""One HJ 212 frame: ## + four digits of length + data segment + four hexadecimal digits of checksum + CR LF."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.crc import ALGORITHMS, crc
from yuanmai.protocols.hj212.segment import SyntaxFault, parse

HEX = frozenset(b"0123456789abcdefABCDEF")
HEAD = 6  # ## and the length
STANDARD_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class Profile:
    """How one station departs from the standard. The default is the standard, tolerant of what changes no meaning.

    crc: `hj212` or `modbus`. encoding: of Chinese text; `auto` takes UTF-8 and, where that fails, GB 18030.
    max_length: of the data segment in bytes (the standard says 1,024; longer ones are met).
    stray_items: what becomes of an item without `=`: `reject` refuses the frame, `drop` leaves the item out.
    acknowledge: `flag` answers uploads that ask for it (Flag bit 0), `always` and `never` speak for themselves.
    """

    crc: str = "hj212"
    encoding: str = "auto"
    max_length: int = 9999
    stray_items: str = "reject"
    acknowledge: str = "flag"


STANDARD = Profile()


@dataclass(frozen=True, slots=True)
class Flag:
    """The Flag field taken apart: bits V5…V0 D A."""

    version: int
    packaged: bool
    needs_ack: bool


@lru_cache(maxsize=512)
def read_flag(text: str) -> Flag | None:
    """Return the Flag field taken apart, or nothing where it is no number of one byte."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > 255:
        return None
    value = int(text)
    return Flag(value >> 2, bool(value & 2), bool(value & 1))


@dataclass(slots=True)
class Frame:
    """A frame whose length, checksum and syntax are right.

    `fields` are those before CP, `params` the items of CP without a dash, `factors` those with one: code → field → value,
    all as they were written. `crc` is the checksum in capitals. `odd` names what departs from the standard.
    """

    raw: bytes
    length: int
    crc: str
    fields: dict[str, str]
    params: dict[str, str]
    factors: dict[str, dict[str, str]]
    odd: tuple[str, ...] = field(default=())

    def get(self, name: str) -> str:
        """Return a field by name in whatever case the station writes it, or an empty text."""
        found = self.fields.get(name)
        if found is None:
            wanted = name.lower()
            found = next((text for key, text in self.fields.items() if key.lower() == wanted), "")
        return found

    def param(self, name: str) -> str:
        """Return an item of CP that belongs to no factor, by name in whatever case it is written, or an empty text."""
        found = self.params.get(name)
        if found is None:
            wanted = name.lower()
            found = next((text for key, text in self.params.items() if key.lower() == wanted), "")
        return found

    @property
    def request(self) -> str:
        """The QN of the dialogue; answers by the edition of 2005 carry it inside CP."""
        return self.get("QN") or self.param("QN")

    @property
    def flag(self) -> Flag | None:
        """The Flag field taken apart; nothing where there is none (2005)."""
        return read_flag(self.get("Flag"))

    @property
    def number(self) -> tuple[int, int] | None:
        """Total number of packages and number of this one (PNUM, PNO), also where a station puts them into CP."""
        total, place = (self.get(name) or self.param(name) for name in ("PNUM", "PNO"))
        if total.isascii() and total.isdigit() and place.isascii() and place.isdigit():
            return int(total[:6]), int(place[:6])
        return None


def check(raw: bytes, profile: Profile = STANDARD) -> Fault | int:
    """Return the length of the data segment of a frame that begins with `##`, or what is wrong with its framing.

    Reasons: syntax (no ##), bad_length (no four digits, nothing in the segment), length_too_long (above the profile's limit, or
    above the standard's and no checksum where it should stand), truncated (fewer bytes than announced), bad_crc_field (no four
    hexadecimal digits where the length says that the checksum stands: mostly the length is wrong then), crc_mismatch.
    """
    if raw[:2] != b"##":
        return Fault("truncated" if raw in (b"", b"#") else "syntax", raw)
    digits = raw[2:HEAD]
    if digits and not digits.isdigit():
        return Fault("bad_length", raw)
    if len(digits) < 4:
        return Fault("truncated", raw)
    length = int(digits)
    if not length:
        return Fault("bad_length", raw)
    if length > profile.max_length:
        return Fault("length_too_long", raw, {"length": length})
    end = HEAD + length
    written = raw[end : end + 4]
    segment = raw[HEAD:end]
    right = b"%04X" % (crc(segment) if profile.crc == "hj212" else ALGORITHMS[profile.crc](segment))
    if written == right or written.upper() == right:
        return length
    if len(written) < 4 or not HEX.issuperset(written):
        if length > STANDARD_LENGTH:  # nobody may announce so much: the length itself is wrong
            return Fault("length_too_long", raw, {"length": length})
        return Fault("truncated" if len(written) < 4 else "bad_crc_field", raw, {"length": length})
    return Fault("crc_mismatch", raw, {"crc": written.decode().upper(), "crc_expected": right.decode()})


def decode(raw: bytes, profile: Profile = STANDARD) -> Frame | Fault:
    """Return the frame in exactly these bytes (CR LF at the end may be missing), or why it is none.

    Reasons besides those of `check`: bad_cp (CP missing or not between && and &&), syntax (an item without `=`), missing_MN.
    """
    length = check(raw, profile)
    if isinstance(length, Fault):
        return length
    end = HEAD + length
    found = read(raw, raw[HEAD:end], raw[end : end + 4].decode().upper(), profile)
    if isinstance(found, Frame) and raw[end + 4 :] != b"\r\n":
        found.odd = (*found.odd, "no_line_end" if len(raw) == end + 4 else "bytes_after_crc")
    return found


def read(raw: bytes, segment: bytes, checksum: str, profile: Profile) -> Frame | Fault:
    """Return the frame of a data segment whose length and checksum are right, or the fault in what it says."""
    try:
        fields, params, factors, odd = parse(segment, profile.encoding, profile.stray_items == "drop")
    except SyntaxFault as fault:
        return Fault(fault.reason, raw)
    station = fields.get("MN") or next((text for name, text in fields.items() if name.upper() == "MN"), "")
    if not station or station.isspace():
        return Fault("missing_MN", raw)
    length = len(segment)
    if length > STANDARD_LENGTH:
        odd = (*odd, "long_segment")
    return Frame(raw, length, checksum, fields, params, factors, odd)


def wrap(segment: bytes, profile: Profile = STANDARD) -> bytes:
    """Return the frame around a data segment of 1 to 9,999 bytes.

    Raises ValueError outside of that.
    """
    if not 1 <= len(segment) <= 9999:
        raise ValueError(f"a data segment has 1 to 9999 bytes, not {len(segment)}")
    return b"##%04d%b%04X\r\n" % (len(segment), segment, ALGORITHMS[profile.crc](segment))


def encode(
    fields: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    factors: Mapping[str, Mapping[str, str]] | None = None,
    profile: Profile = STANDARD,
) -> bytes:
    """Return the frame of these fields (in the order given), parameters and factors.

    Raises ValueError where a name or value holds a sign that separates, or where the segment gets too long.
    """
    items = [_item(name, text) for name, text in (params or {}).items()]
    for code, values in (factors or {}).items():
        items.append(",".join(_item(f"{code}-{name}", text) for name, text in values.items()))
    head = "".join(f"{_item(name, text)};" for name, text in fields.items())
    encoding = "utf-8" if profile.encoding == "auto" else profile.encoding
    return wrap(f"{head}CP=&&{';'.join(items)}&&".encode(encoding), profile)


def _item(name: str, text: str) -> str:
    quoted = len(text) >= 4 and text.startswith("//") and text.endswith("//")
    inner = text[2:-2] if quoted else text
    banned = ("//", "&&", "##") if quoted else (";", ",", "&", "##", "//")
    if any(sign in name for sign in ";,=&#") or any(sign in inner for sign in banned):
        raise ValueError(f"a sign that separates in {name}={text}")
    return f"{name}={text}"
