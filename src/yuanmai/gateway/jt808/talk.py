"""Commands to one terminal: sent under a serial, answered by 0x0001 or a message of their own, sent again ever more slowly."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from yuanmai.gateway.jt808.verbs import Wire, wire
from yuanmai.gateway.orders import Order, Outcome
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808 import params
from yuanmai.protocols.jt808.bodies import decode_body
from yuanmai.protocols.jt808.frame import Frame, answer_header, split
from yuanmai.protocols.jt808.location import Location

if TYPE_CHECKING:
    from yuanmai.gateway.jt808.session import Session

TIMEOUT, RESENDS = 10.0, 3  # T(n+1) = T(n) · (n+1); parameters 0x0002 and 0x0003 of the terminal
AT_WORK = 60.0  # seconds between a general answer and the result
RESULTS = {0: "success", 1: "failed", 2: "bad_message", 3: "unsupported", 4: "alarm_confirmed"}
PHOTO_RESULTS = {0: "success", 1: "failed", 2: "no_channel"}
MOST_VALUES = 200
MOST_LATE = 20


class Talk:
    """What the platform says to one terminal in one session, one command after the other."""

    def __init__(self, session: "Session", write: Callable[[bytes], None]) -> None:
        self.session, self.write = session, write
        self.ended = False
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._order: Order | None = None
        self._wire: Wire | None = None
        self._serials: range = range(0)
        self._accepted = False
        self._outcome: Outcome | None = None
        self._over: list[tuple[Wire, range, Order]] = []

    @property
    def busy(self) -> bool:
        """Whether a command is under way."""
        return self._order is not None

    def end(self) -> None:
        """The connection has ended: whoever waits need not wait longer."""
        self.ended = True
        self._news.set()

    def heard(self, frame: Frame, body: bytes) -> bool:
        """Take in a message of the terminal (joined, where it came in packages); return whether it answers a command."""
        message = frame.header.msg_id
        if (
            self._order is not None
            and self._wire is not None
            and self._answers(self._wire, self._serials, message, body)
        ):
            self._order.heard(data=frame.raw)
            self._take(message, body, frame.header.standard)
            self._news.set()
            return True
        for sent, serials, order in self._over:
            if self._answers(sent, serials, message, body):
                order.heard(data=frame.raw)
                return True
        return False

    def _answers(self, sent: Wire, serials: range, message: int, body: bytes) -> bool:
        if message == 0x0001:
            if len(body) < 5 or int.from_bytes(body[2:4], "big") != sent.message:
                return False
            # A split message may be answered under its first or its last serial; some terminals answer everything under 0.
            serial = int.from_bytes(body[:2], "big")
            return serial in (serials[0] & 0xFFFF, serials[-1] & 0xFFFF, 0)
        if message not in sent.answers or len(body) < 2:
            return False
        return message == 0x0107 or int.from_bytes(body[:2], "big") in (
            serials[0] & 0xFFFF,
            serials[-1] & 0xFFFF,
            0,
        )

    def _take(self, message: int, body: bytes, standard: int) -> None:
        assert self._wire is not None
        if message == 0x0001:
            result = RESULTS.get(body[4], "unknown")
            if body[4] != 0:
                self._outcome = Outcome("done" if body[4] == 4 else "failed", {"code": result})
            elif self._wire.answers:
                self._accepted = True
            else:
                self._outcome = Outcome("done", {"code": result})
            return
        found = decode_body(message, body, standard)
        if isinstance(found, Fault):
            self._outcome = Outcome("failed", {"code": "unreadable_answer"})
        elif message == 0x0805:
            code = PHOTO_RESULTS.get(int(found.get("result", 0)), "unknown")
            answer = {"code": code, "values": {"media": ", ".join(map(str, found.get("ids", [])))}}
            self._outcome = Outcome("done" if code == "success" else "failed", answer)
        else:
            self._outcome = Outcome("done", {"code": "success", "values": plain(message, found)})

    async def send(self, order: Order) -> Outcome:
        """Send a command and return how it ended."""
        async with self._turn:
            if self.ended or self.session.header is None:
                return Outcome("queued", {"code": "disconnected"})
            profile = order.device.profile
            sent = wire(order.verb, order.parameters, self.session.header.standard)
            number = self.session.take_serials(-(-len(sent.body) // 1023) or 1)
            frames = split(answer_header(self.session.header, sent.message, number), sent.body)
            order.request = f"{number:04X}"
            self._order, self._wire, self._outcome, self._accepted = order, sent, None, False
            self._serials = range(number, number + len(frames))
            try:
                return await self._follow(
                    order, frames, _seconds(profile.get("timeout")), _whole(profile.get("resends"))
                )
            finally:
                self._order = self._wire = None

    async def _follow(self, order: Order, frames: list[bytes], timeout: float, resends: int) -> Outcome:
        data = b"".join(frames)
        self.write(data)
        order.sent(data=data)
        tries, wait = 1, timeout
        while True:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), max(wait, AT_WORK) if self._accepted else wait)
            except TimeoutError:
                if not self._accepted and tries <= resends:
                    self.write(data)
                    order.sent(data=data)
                    tries += 1
                    wait *= tries
                    continue
                self._remember(order)
                self.session.count("no_answer", order.verb)
                return Outcome("timed_out", {"code": "timeout"})
            if self._outcome is not None:
                return self._outcome
            if self.ended:
                return Outcome("queued", {"code": "disconnected"})
            if self._accepted and order.state != "accepted":
                order.accepted()

    def _remember(self, order: Order) -> None:
        assert self._wire is not None
        self._over.append((self._wire, self._serials, order))
        del self._over[:-MOST_LATE]


def plain(message: int, body: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says as names and plain values."""
    if message == 0x0104:
        found: dict[str, Any] = {}
        for entry in body.get("params", [])[:MOST_VALUES]:
            content = bytes.fromhex(entry["value_hex"])
            known = params.read(int(entry["id"], 16), content)
            found[known[0] if known else entry["id"]] = known[1] if known else entry["value_hex"]
        return found
    location = body.get("location")
    if isinstance(location, Location):
        return {
            "latitude": location.latitude, "longitude": location.longitude, "altitude": location.altitude,
            "speed": location.speed / 10, "direction": location.direction, "time": location.time,
        }  # fmt: skip
    return {name: value for name, value in body.items() if isinstance(value, int | float | str)}


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value <= 3600 else TIMEOUT


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= 10 else RESENDS
