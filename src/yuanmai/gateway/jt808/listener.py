"""The servers for JT/T 808, TCP and UDP on one port number."""

from collections.abc import Callable

from yuanmai.gateway.hub import Hub, Listener
from yuanmai.gateway.jt808.session import PROTOCOL, Session
from yuanmai.gateway.jt808.udp import Udp
from yuanmai.gateway.options import Options
from yuanmai.gateway.server import Connection, Server
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.stream import Decoder

IDLE = 600.0  # at least three heartbeats of terminals set to three minutes; a profile may say `heartbeat`


class TerminalConnection(Connection):
    """One TCP connection of one terminal."""

    __slots__ = ("decoder", "session")

    def __init__(self, server: "Jt808Listener") -> None:
        super().__init__(server)
        self.decoder = Decoder()
        self.session = Session(server, self)

    def feed(self, data: bytes) -> tuple[int, int]:
        """Take bytes of the stream."""
        good = bad = 0
        for found in self.decoder.feed(data):
            if self.session.take(found):
                good += 1
            else:
                bad += 1
        return good, bad

    def partial(self) -> bool:
        """Return whether a frame has begun."""
        return bool(self.decoder.pending)

    def give_up(self) -> None:
        """Forget a frame that does not end."""
        for fault in self.decoder.flush():
            if isinstance(fault, Fault):
                self.session.count(fault.reason, fault.raw[:100].hex())

    def look(self, now: float) -> None:
        """Besides what every connection is looked at for, ask for missing packages."""
        super().look(now)
        if not self.ended and self.session.assembler is not None:
            self.session.look(now)

    def gone(self, reason: str) -> None:
        """The connection has ended."""
        self.session.gone(reason)


class Jt808Listener(Server):
    """The listening addresses for terminals."""

    def __init__(
        self, hub: Hub, host: str, port: int, *, idle: float = IDLE, keep_unknown: bool = True
    ) -> None:
        make: Callable[[Server], Connection] = lambda server: TerminalConnection(self)  # noqa: E731
        super().__init__(hub, PROTOCOL, host, port, make, idle)
        self.keep_unknown = keep_unknown
        self.present: dict[str, Session] = {}  # who is there, by key: the newest session counts
        self.udp = Udp(self)

    async def start(self) -> None:
        """Listen for both."""
        await super().start()
        await self.udp.start(self.host, int(self.addresses[0].rpartition(":")[2]))

    async def stop(self) -> None:
        """Listen for neither."""
        self.udp.stop_reading()
        await super().stop()
        self.udp.stop()

    def arrived(self, session: Session) -> None:
        """A terminal is there now; whoever was there under its number has to go."""
        former = self.present.get(session.key)
        self.present[session.key] = session
        self.hub.commands.register(PROTOCOL, session.key, session.talk.send)
        if former is not None and former is not session:
            former.here = False
            self.hub.disconnected(PROTOCOL, session.key, former.link.address, "replaced")
            former.link.close("replaced")
        self.hub.connected(PROTOCOL, session.key, session.link.address)

    def left(self, session: Session, reason: str) -> None:
        """A terminal's session has ended."""
        self.hub.commands.remove(PROTOCOL, session.key, session.talk.send)
        if self.present.get(session.key) is session:
            del self.present[session.key]
            self.hub.disconnected(PROTOCOL, session.key, session.link.address, reason)


def listeners(hub: Hub, options: Options) -> list[Listener]:
    """Return the server for terminals, unless its port is -1."""
    if options.jt808_port < 0:
        return []
    keep = options.environment.get("YUANMAI_GATEWAY_UNKNOWN", "keep") != "refuse"
    return [Jt808Listener(hub, options.host, options.jt808_port, keep_unknown=keep)]
