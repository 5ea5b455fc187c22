"""Dialogues with one station: a command goes out, 9011, data and 9012 come back, or nothing does."""

import asyncio
import logging
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from yuanmai.gateway.hj212.verbs import CHINA, greeting, wire
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.protocols.hj212.dialogue import Dialogue, State
from yuanmai.protocols.hj212.frame import Frame
from yuanmai.protocols.hj212.messages import command

if TYPE_CHECKING:
    from yuanmai.gateway.hj212.listener import Station

logger = logging.getLogger(__name__)
TIMEOUT, RESENDS = 10.0, 3  # HJ 212-2017 6.6.2, unless the profile says otherwise
MOST_UPLOADS_TRACED = 20
MOST_VALUES = 100
MOST_LATE = 2_000


class Requests:
    """Request numbers (QN) of the platform: the instant down to milliseconds, never the same twice; and late answers."""

    def __init__(self) -> None:
        self._last = datetime.fromtimestamp(0, UTC)
        self._over: OrderedDict[tuple[str, str], Order] = OrderedDict()

    def next(self) -> str:
        """Return a new request number."""
        now = datetime.now(UTC)
        self._last = max(now, self._last + timedelta(milliseconds=1))
        return self._last.astimezone(CHINA).strftime("%Y%m%d%H%M%S%f")[:17]

    def over(self, station: str, order: Order) -> None:
        """Remember a command that nobody answered in time: an answer may still come."""
        self._over[station, order.request] = order
        while len(self._over) > MOST_LATE:
            self._over.popitem(last=False)

    def late(self, station: str, request: str) -> Order | None:
        """Return the command that this answer comes too late for."""
        return self._over.get((station, request))


class Talk:
    """What the platform says to one station in one connection, one command after the other."""

    def __init__(self, station: "Station", requests: Requests) -> None:
        self.station, self.requests = station, requests
        self.ended = False
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._dialogue: Dialogue | None = None
        self._order: Order | None = None
        self._values: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        """Whether a command is under way."""
        return self._dialogue is not None

    def heard(self, frame: Frame) -> None:
        """Take in a frame of the station."""
        dialogue, order = self._dialogue, self._order
        if dialogue is not None and order is not None:
            before = dialogue.uploads
            if dialogue.take(frame):
                if dialogue.uploads <= MOST_UPLOADS_TRACED or dialogue.uploads == before:
                    order.heard(text=frame.raw.decode("utf-8", "backslashreplace").rstrip())
                if len(self._values) < MOST_VALUES:
                    self._values.update(read_back(frame))
                self._news.set()
                return
        if frame.get("CN").startswith("90"):
            late = self.requests.late(self.station.name, frame.request)
            if late is not None:
                late.heard(text=frame.raw.decode("utf-8", "backslashreplace").rstrip())
            elif frame.get("CN") in ("9011", "9012"):
                self.station.count("answer_to_nothing", frame.request)

    def end(self) -> None:
        """The connection has ended: whoever waits need not wait longer."""
        self.ended = True
        self._news.set()

    async def send(self, order: Order) -> Outcome:
        """Send a command and return how it ended."""
        async with self._turn:
            if self.ended:
                return Outcome("queued", {"code": "disconnected"})
            number, params = wire(order.verb, order.parameters, datetime.now(UTC))
            order.request = order.request or self.requests.next()
            profile = order.device.profile
            dialogue = Dialogue(
                self.station.name, number, order.request, _whole(profile.get("resends"), RESENDS)
            )
            self._dialogue, self._order, self._values = dialogue, order, {}
            try:
                return await self._follow(order, dialogue, params, _seconds(profile.get("timeout"), TIMEOUT))
            finally:
                self._dialogue = self._order = None

    async def _follow(
        self, order: Order, dialogue: Dialogue, params: dict[str, str], timeout: float
    ) -> Outcome:
        station = self.station
        try:
            data = command(
                dialogue.number, station.name, order.request, station.system, station.password, params,
                version=station.version, profile=station.profile,
            )  # fmt: skip
        except ValueError as error:
            raise RefusedError("bad_parameters", str(error)) from None
        text = data.decode("utf-8", "backslashreplace").rstrip()
        station.connection.write(data)
        order.sent(text=text)
        while True:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), timeout)
            except TimeoutError:
                if dialogue.resend():
                    station.connection.write(data)
                    order.sent(text=text)
                    continue
            if self.ended and not dialogue.over:
                return Outcome("queued", {"code": "disconnected"})
            if dialogue.over:
                return self._outcome(order, dialogue)
            if dialogue.states[-1] is State.ACCEPTED and order.state != "accepted":
                order.accepted()

    def _outcome(self, order: Order, dialogue: Dialogue) -> Outcome:
        answer: dict[str, Any] = {"code": dialogue.result}
        if dialogue.uploads:
            answer["uploads"] = dialogue.uploads
        if self._values:
            answer["values"] = dict(self._values)
        last = dialogue.states[-1]
        if last is State.TIMED_OUT:
            self.requests.over(self.station.name, order)
            if dialogue.uploads:  # some loggers send the data and forget the 9012
                return Outcome("done", {**answer, "code": "data_without_result"})
            self.station.count("no_answer", f"CN={dialogue.number}")
            return Outcome("timed_out", answer)
        return Outcome("done" if last is State.DONE else "failed", answer)

    async def greet(self, only: tuple[str, ...] = ()) -> None:
        """Say what the profile wants said to a station that comes for the first time (or `only` this); refusals are counted."""
        device = self.station.device
        if device is None:
            return
        for verb, parameters in [(verb, {}) for verb in only] or greeting(device.profile):
            order = Order(0, "", device, verb, parameters, datetime.now(UTC))
            try:
                outcome = await self.send(order)
            except RefusedError as error:
                outcome = Outcome("failed", {"code": error.code})
            if outcome.state == "queued":
                return
            if outcome.state != "done":
                self.station.count("greeting_refused", f"{verb}: {outcome.answer.get('code', '')}")


def read_back(frame: Frame) -> dict[str, str]:
    """Return what an answer says besides codes and measured data: intervals, clock, serial numbers, information."""
    number = frame.get("CN")
    if number.startswith("2"):
        return {}
    found = {
        name: text
        for name, text in frame.params.items()
        if name not in ("QnRtn", "ExeRtn", "QN", "PNO", "PNUM")
    }
    for code, values in frame.factors.items():
        found.update({f"{code}-{name}": text for name, text in values.items()})
    return found


def _seconds(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value <= 3600 else otherwise


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and 0 <= value <= 20 else otherwise
