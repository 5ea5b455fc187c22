"""What the platform and one terminal have agreed on, over TCP or UDP: who it is, its edition of the standard, serials, packages."""

from datetime import UTC, datetime
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.devices.store.journal import JournalError
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.jt808.codes import auth_code, key_of, right_code
from yuanmai.gateway.jt808.talk import Talk
from yuanmai.gateway.jt808.verbs import ANSWERS
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.bodies import decode_body, encode_body
from yuanmai.protocols.jt808.frame import Frame, Header, answer_header, decode, encode
from yuanmai.protocols.jt808.packages import Assembler, Parts
from yuanmai.protocols.jt808.session import acknowledge

if TYPE_CHECKING:
    from yuanmai.gateway.jt808.listener import Jt808Listener

PROTOCOL = "jt808"
OK, FAILED = 0, 1
GENERAL = Struct(">HHB")
REGISTER, AUTHENTICATE, LOGOUT, TIME, MEDIA = 0x0100, 0x0102, 0x0003, 0x0004, 0x0801
OPEN_TO_ALL = frozenset({REGISTER, AUTHENTICATE})
MOST_REFUSED = 20  # frames of a stranger before the connection ends
ASK_AFTER, ASK_TIMES = 5.0, 3  # seconds without a package until the missing ones are asked for; how often


class Link(Interface):
    """Where a session's bytes go."""

    address: str

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def close(self, reason: str) -> None:
        """End the connection."""


class Session:
    """One terminal in one connection, or behind one UDP address."""

    __slots__ = (
        "asked", "assembler", "authenticated", "device", "header", "heard_part", "here", "key", "link", "listener", "phone",
        "refused", "registry", "require_auth", "serial", "talk",
    )  # fmt: skip

    def __init__(self, listener: "Jt808Listener", link: Link) -> None:
        self.listener, self.link = listener, link
        self.key = self.phone = ""
        self.header: Header | None = None  # of its first frame: its phone, its edition
        self.serial = 0
        self.device: DeviceSpec | None = None
        self.registry: Registry | None = None
        self.require_auth = self.authenticated = self.here = False
        self.refused = 0
        self.assembler: Assembler | None = None
        self.heard_part = 0.0
        self.asked: dict[tuple[int, int, int], int] = {}
        self.talk = Talk(self, link.write)

    # --- frames ---------------------------------------------------------------------------------------------------------

    def take(self, found: Frame | Fault) -> bool:
        """Take a frame or what was none; return whether it was a good one."""
        if isinstance(found, Fault):
            mended = decode(found.raw, tolerant=True) if self._tolerant() else found
            if isinstance(mended, Fault):
                self.listener.hub.count(PROTOCOL, self.key, found.reason, found.raw[:100].hex())
                return False
            found = mended
        header = found.header
        hub = self.listener.hub
        if header.phone != self.phone and not self._bind(header):
            return False
        if self.registry is not hub.registry:
            self._learn()
        message = header.msg_id
        if self.require_auth and not self.authenticated and message not in OPEN_TO_ALL:
            return self._refuse(found, "unauthenticated")
        if self.device is None and not self.listener.keep_unknown:
            hub.tally("refused.jt808.unknown")
            return self._refuse(found, "")
        if message == AUTHENTICATE and not self._authenticate(found):
            return self._refuse(found, "bad_auth_code")
        if not self.here or self.listener.present.get(self.key) is None:
            self._arrive()
        answer = self._answer(found)
        self.listener.in_flight += 1
        hub.record(Kind.JT808, self.key, found.raw, partial(self._durable, answer, message))
        if header.packaged:
            self._package(found)
        elif message in (0x0001, *ANSWERS):
            self._answered(found, found.body)
        return True

    def _answered(self, frame: Frame, body: bytes) -> None:
        if (
            not self.talk.heard(frame, body)
            and frame.header.msg_id == 0x0001
            and body[2:4] not in (b"\x80\x03", b"\x88\x00")
        ):
            self.count("answer_to_nothing", frame.raw[:100].hex())

    def _durable(self, answer: bytes | None, message: int, error: JournalError | None) -> None:
        self.listener.in_flight -= 1
        if error is not None or self.listener.hub.trouble is not None:
            self.listener.hub.note(error)
            if error is not None:
                self.listener.hub.tally("unacknowledged.jt808")
                return
        if message == TIME:
            answer = self._time()
        if answer is not None:
            self.link.write(answer)
        if message == LOGOUT:
            self.link.close("logout")

    def _answer(self, frame: Frame) -> bytes | None:
        """Return what is answered when the frame is durable, or nothing; the time is told by the clock of that moment."""
        header = frame.header
        message = header.msg_id
        if message in (0x0001, TIME) or message >= 0x8000:
            return None
        if message == REGISTER:
            return acknowledge(
                frame, self.take_serials(1), auth_code=auth_code(self.listener.hub.secret, self.key)
            )
        if message == MEDIA and not header.packaged:
            return acknowledge(frame, self.take_serials(1))
        return self.general(header, OK)

    def general(self, header: Header, result: int) -> bytes:
        """Return the general answer 0x8001 to a message."""
        return encode(
            answer_header(header, 0x8001, self.take_serials(1)),
            GENERAL.pack(header.serial, header.msg_id, result),
        )

    def take_serials(self, number: int) -> int:
        """Return the first of that many consecutive serials."""
        first = self.serial
        self.serial = first + number & 0xFFFF
        return first

    def _time(self) -> bytes | None:
        if self.header is None:
            return None
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")  # the only time of the protocol that is UTC
        return encode(
            answer_header(self.header, 0x8004, self.take_serials(1)), encode_body(0x8004, {"time_utc": now})
        )

    # --- who it is ------------------------------------------------------------------------------------------------------

    def _bind(self, header: Header) -> bool:
        if self.header is None:
            self.header, self.phone, self.key = header, header.phone, key_of(header.phone)
            return True
        if key_of(header.phone) == self.key:  # the same number in the other edition's width
            self.header, self.phone = header, header.phone
            return True
        self.count("foreign_phone", header.phone)
        self.refused += 1
        if self.refused > MOST_REFUSED:
            self.link.close("foreign_phone")
        return False

    def _learn(self) -> None:
        registry = self.registry = self.listener.hub.registry
        device = self.device = registry.find(PROTOCOL, self.key)
        self.require_auth = bool(device is not None and device.profile.get("require_auth"))

    def _tolerant(self) -> bool:
        return self.device is not None and bool(self.device.profile.get("tolerant"))

    def _authenticate(self, frame: Frame) -> bool:
        body = decode_body(AUTHENTICATE, frame.body, frame.header.standard)
        shown = "" if isinstance(body, Fault) else str(body.get("auth_code", "")).strip()
        known = self.device.secret_hash if self.device is not None else ""
        self.authenticated = right_code(self.listener.hub.secret, self.key, known, shown)
        if not self.authenticated and not self.require_auth and self.device is not None:
            self.count("foreign_auth_code")  # many carry the code of a former platform
        return self.authenticated or not self.require_auth

    def _refuse(self, frame: Frame, kind: str) -> bool:
        if kind:
            self.count(kind, f"0x{frame.header.msg_id:04X}")
        self.refused += 1
        self.link.write(self.general(frame.header, FAILED))
        if self.refused > MOST_REFUSED:
            self.link.close("refused")
        return False

    def _arrive(self) -> None:
        self.here = True
        self.listener.arrived(self)

    def count(self, kind: str, sample: str = "") -> None:
        """Count something odd of this terminal."""
        self.listener.hub.count(PROTOCOL, self.key, kind, sample)

    def gone(self, reason: str) -> None:
        """The connection has ended."""
        self.talk.end()
        if self.here:
            self.listener.left(self, reason)

    # --- packages -------------------------------------------------------------------------------------------------------

    def _package(self, frame: Frame) -> None:
        """Keep account of packages. Their bodies are in the journal: here only those of awaited answers are kept whole."""
        if self.assembler is None:
            self.assembler = Assembler(most=16, most_bytes=256 << 10)
        header = frame.header
        whole = header.msg_id in ANSWERS and self.talk.busy
        self.heard_part = self.listener.clock()
        parts = self.assembler.add(frame if whole else Frame(header, frame.body[:4], frame.checksum))
        if parts is None:
            return
        self.asked.pop((parts.msg_id, parts.total, parts.first_serial), None)
        if header.msg_id == MEDIA and (done := parts.media_request()) is not None:
            self.link.write(encode(answer_header(header, 0x8800, self.take_serials(1)), done))
        elif whole:
            self._answered(frame, parts.body)

    def look(self, now: float) -> None:
        """Ask for packages that have not come."""
        if self.assembler is None or now - self.heard_part < ASK_AFTER or self.header is None:
            return
        self.heard_part = now
        for parts in self.assembler.unfinished:
            name = (parts.msg_id, parts.total, parts.first_serial)
            times = self.asked.get(name, 0)
            if times == ASK_TIMES:
                self.count("packages_missing", f"0x{parts.msg_id:04X}: {len(parts.bodies)}/{parts.total}")
            self.asked[name] = times + 1
            if times < ASK_TIMES:
                self.link.write(self._request(parts))
        while len(self.asked) > 64:
            self.asked.pop(next(iter(self.asked)))

    def _request(self, parts: Parts) -> bytes:
        assert self.header is not None
        media = parts.media_request() if parts.msg_id == MEDIA else None
        message = 0x8003 if media is None else 0x8800
        body = media or parts.request(self.header.standard)
        return encode(answer_header(self.header, message, self.take_serials(1)), body)
