"""One command of the platform and what the station says to it, without clock or socket: 9011, data, 9012, re-sends, time-outs."""

from dataclasses import dataclass, field
from enum import StrEnum

from yuanmai.protocols.hj212.frame import Frame
from yuanmai.protocols.hj212.messages import EXE_RETURNS, QN_RETURNS, uploads_data


class State(StrEnum):
    """How far a command has got."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    TIMED_OUT = "timeout"


FINAL = frozenset({State.DONE, State.REFUSED, State.FAILED, State.TIMED_OUT})


@dataclass(slots=True)
class Dialogue:
    """A command that was sent. Give it every frame of the station; ask `resend` when the time-out has passed.

    `request` is the QN of the command and of its answers; history data carries request numbers of its own and is told by
    station and command number. `result` is empty until the end, then a code of the standard: `success`, `refused`, `busy` …
    """

    station: str
    number: str
    request: str
    resends: int = 3
    states: list[State] = field(default_factory=lambda: [State.SENT])
    result: str = ""
    uploads: int = 0
    sent: int = 1

    @property
    def over(self) -> bool:
        """Whether nothing more is awaited."""
        return self.states[-1] in FINAL

    def take(self, frame: Frame) -> bool:
        """Take in a frame; return whether it belongs to this command."""
        if self.over or frame.get("MN") != self.station:
            return False
        number, ours = frame.get("CN"), frame.request == self.request
        if number == "9011" and ours:
            self._answered(frame.param("QnRtn"))
        elif number == "9012" and ours:
            self.result = EXE_RETURNS.get(frame.param("ExeRtn"), "unknown")
            self.states.append(State.DONE if self.result in ("success", "no_data") else State.FAILED)
        elif number == "9013" and ours:
            self.result = "success"
            self.states.append(State.DONE)
        elif number == self.number and (uploads_data(frame) or ours):
            self.uploads += 1
        else:
            return False
        return True

    def _answered(self, code: str) -> None:
        if code == "1":
            if self.states[-1] is State.SENT:
                self.states.append(State.ACCEPTED)
            return
        self.result = QN_RETURNS.get(code, "unknown")
        self.states.append(State.REFUSED)

    def resend(self) -> bool:
        """Say that the time-out has passed; return whether to send the same bytes again (same QN), else the command is over.

        Once accepted a command is not sent again: the station is at work, and only its result is late.
        """
        if self.over:
            return False
        if self.states[-1] is State.SENT and self.sent <= self.resends:
            self.sent += 1
            return True
        self.result = "timeout"
        self.states.append(State.TIMED_OUT)
        return False
