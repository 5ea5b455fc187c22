"""The server for HJ 212: frames to the journal, 9014 and 9013 when they are durable, commands downwards."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import partial

from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.devices.store.journal import JournalError
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hj212.profile import profile_of
from yuanmai.gateway.hj212.talk import Requests, Talk
from yuanmai.gateway.hub import Hub, Listener
from yuanmai.gateway.options import Options
from yuanmai.gateway.server import Connection, Server
from yuanmai.protocols.bits import crc_modbus
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.crc import possible
from yuanmai.protocols.hj212.frame import HEAD, STANDARD, Frame, Profile, decode, read_flag, wrap
from yuanmai.protocols.hj212.messages import reply, uploads_data
from yuanmai.protocols.hj212.stream import Decoder

PROTOCOL = "hj212"
IDLE = 600.0  # HJ 212 has no heartbeat; real-time data come every 30 to 3,600 s
LONGEST_NAME = 64  # characters of an MN
GREET_AGAIN = 3600.0  # seconds before a station that comes again is greeted again
MOST_GREETED = 20_000
NAMED = re.compile(rb"MN=([^;&\r\n]{1,64})")


class Station:
    """One MN in one connection."""

    __slots__ = (
        "announced", "connection", "device", "name", "password", "plain", "profile", "refuse_password", "registry", "request", "right", "shown", "system", "talk", "version",
    )  # fmt: skip

    def __init__(self, connection: "StationConnection", name: str) -> None:
        self.connection, self.name = connection, name
        self.system, self.password, self.version = "91", "123456", 1
        self.announced = False
        self.plain = name.isalnum()
        self.shown: str | None = None  # the password of its last frame
        self.right = True  # which the register knows, or knows nothing of
        self.request = ""  # QN of its last frame
        self.talk = Talk(self, connection.listener.requests)
        self.device: DeviceSpec | None
        self.profile: Profile
        self.registry: Registry
        self.refuse_password = False
        self.learn(connection.server.hub.registry)

    def learn(self, registry: Registry) -> None:
        """Look the station up in the register."""
        self.registry, self.shown = registry, None
        device = self.device = registry.find(PROTOCOL, self.name)
        self.profile = profile_of(device.profile) if device is not None else STANDARD
        self.refuse_password = bool(
            device is not None and device.secret_hash and device.profile.get("password") != "note"
        )

    def knows(self, password: str) -> bool:
        """Return whether this is the station's password, where the register knows one."""
        if self.device is None or not self.device.secret_hash:
            return True
        shown = hashlib.sha256(password.encode("utf-8", "backslashreplace")).hexdigest()
        return hmac.compare_digest(shown, self.device.secret_hash)

    def count(self, kind: str, sample: str = "") -> None:
        """Count something odd of this station."""
        self.connection.server.hub.count(PROTOCOL, self.name, kind, sample)


class StationConnection(Connection):
    """One connection of one station, or of several that share it."""

    __slots__ = ("decoder", "listener", "stations")

    def __init__(self, server: "Hj212Listener") -> None:
        super().__init__(server)
        self.listener = server
        self.decoder = Decoder()
        self.stations: dict[str, Station] = {}

    def feed(self, data: bytes) -> tuple[int, int]:
        """Take bytes of the stream."""
        return self._take(self.decoder.feed(data))

    def partial(self) -> bool:
        """Return whether a frame has begun."""
        return bool(self.decoder.pending)

    def settle(self) -> int:
        """Take a frame that lacks only its line end."""
        return self._take(self.decoder.settle())[0]

    def give_up(self) -> None:
        """Forget a frame that does not end."""
        self._take(self.decoder.flush())

    def _take(self, found: list[Frame | Fault]) -> tuple[int, int]:
        good = bad = 0
        for answer in found:
            if isinstance(answer, Frame):
                good += self._frame(answer)
            elif self._mended(answer):
                good += 1
            else:
                bad += 1
        if found and len(self.stations) == 1:
            self._speak_as((next(iter(self.stations.values()))).profile)
        return good, bad

    def _speak_as(self, profile: Profile) -> None:
        """Read what comes next by the profile of the only station here."""
        if self.decoder.profile is not profile and self.decoder.profile != profile:
            rest = self.decoder.pending
            self.decoder = Decoder(profile)
            self.decoder.feed(rest)  # the beginning of a frame: it completes nothing

    # --- frames ---------------------------------------------------------------------------------------------------------

    def _frame(self, frame: Frame) -> bool:
        name = (frame.fields.get("MN") or frame.get("MN")).strip()
        hub = self.server.hub
        station = self.stations.get(name)
        if station is None:
            station = self._meet(name)
            if station is None:
                return False
        elif station.registry is not hub.registry:
            station.learn(hub.registry)
        fields = frame.fields
        password = fields.get("PW") or ""
        if password != station.shown:
            station.shown, station.right = password, station.knows(password)
            station.password = password or station.password
        if not station.right:
            station.count("bad_password")
            if station.refuse_password:
                return False
        if station.device is None and not self.listener.keep_unknown:
            hub.tally("refused.hj212.unknown")
            return False
        if not station.announced or name not in self.listener.present:
            station.announced = True
            self.listener.arrived(station)
        number = fields.get("CN") or frame.get("CN")
        flag = read_flag(fields.get("Flag") or frame.get("Flag"))
        if number[:1] != "9":
            station.system = fields.get("ST") or station.system
            request = fields.get("QN") or ""
            if request and request == station.request:
                station.count("resent", request)
            station.request = request
        if flag is not None:
            station.version = flag.version
        for kind in frame.odd:
            station.count(kind, frame.raw[:200].decode("utf-8", "backslashreplace"))
        answer = self._answer(frame, number, flag is not None and flag.needs_ack, station)
        self.server.in_flight += 1
        hub.record(Kind.HJ212, name, frame.raw, partial(self._durable, answer))
        if number[:1] != "2" or station.talk.busy:
            station.talk.heard(frame)
        if number == "1013" and station.device is not None:
            self.listener.greet(station, ("clock_set",))
        return True

    def _durable(self, answer: bytes | None, error: JournalError | None) -> None:
        self.server.in_flight -= 1
        if error is not None or self.server.hub.trouble is not None:
            self.server.hub.note(error)
            if error is not None:
                self.server.hub.tally("unacknowledged.hj212")
                return
        if answer is not None:
            self.write(answer)

    def _answer(self, frame: Frame, number: str, wanted: bool, station: Station) -> bytes | None:
        """Return the acknowledgement that is due when the frame is durable: 9014 to data, 9013 to a notification, or nothing."""
        policy = station.profile.acknowledge
        if policy == "never" or not (wanted or policy == "always"):
            return None
        if number == "1013":
            answer = "9013"
        elif uploads_data(frame):
            answer = "9014"
        else:
            return None
        fields = frame.fields
        request, password = fields.get("QN", ""), fields.get("PW", "")
        if request.isdigit() and password.isalnum() and station.plain:
            # What `reply` gives, put together without looking at every sign once more: this is the busiest line of all.
            version = 4 if station.version else 0
            return wrap(
                f"QN={request};ST=91;CN={answer};PW={password};MN={station.name};Flag={version};CP=&&&&".encode(),
                station.profile,
            )
        try:
            return reply(frame, answer, profile=station.profile)
        except ValueError as error:  # a QN or a password that cannot be written back
            station.count("unanswerable", str(error))
            return None

    def _meet(self, name: str) -> Station | None:
        hub = self.server.hub
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            hub.count(PROTOCOL, "", "bad_station_number", name)
            return None
        if len(self.stations) >= self.server.limits.stations:
            hub.count(PROTOCOL, "", "too_many_stations", f"{self.address} {name}")
            self.close("stations")
            return None
        station = self.stations[name] = Station(self, name)
        return station

    # --- what is no frame -----------------------------------------------------------------------------------------------

    def _mended(self, fault: Fault) -> bool:
        """Count a fault with the station it names; return whether it is a right frame by that station's own profile."""
        raw = fault.raw
        named = NAMED.search(raw)
        name = named[1].decode("utf-8", "backslashreplace").strip() if named else ""
        device = self.server.hub.find(PROTOCOL, name) if name else None
        if device is not None:
            profile = profile_of(device.profile)
            if profile != self.decoder.profile:
                frame = decode(raw, profile)
                if isinstance(frame, Frame):
                    frame.odd = tuple(kind for kind in frame.odd if kind != "no_line_end")
                    return self._frame(frame)
        elif name not in self.stations:
            name = ""
        kind = fault.reason
        if kind == "crc_mismatch":
            kind = foreign_checksum(raw) or ("bad_crc")
        self.server.hub.count(PROTOCOL, name, kind, raw[:200].decode("utf-8", "backslashreplace"))
        return False

    def gone(self, reason: str) -> None:
        """Say of every station here that it has gone, unless it has come again meanwhile."""
        if reason == "closed" and self.decoder.pending:
            self._take(self.decoder.settle())
        for station in self.stations.values():
            station.talk.end()
            self.listener.left(station, reason)


def foreign_checksum(raw: bytes) -> str:
    """Return `crc_modbus` or `crc_foreign` where the checksum of a frame was made by another algorithm, else an empty text.

    The standard's gives only 256 of 65,536 values: any other proves a foreign one.
    """
    digits = raw[2:HEAD]
    end = HEAD + int(digits) if len(digits) == 4 and digits.isdigit() else 0
    try:
        written = int(raw[end : end + 4], 16)
    except ValueError:
        return ""
    if written == crc_modbus(raw[HEAD:end]):
        return "crc_modbus"
    return "" if possible(written) else "crc_foreign"


class Hj212Listener(Server):
    """The listening address for stations."""

    def __init__(
        self, hub: Hub, host: str, port: int, *, idle: float = IDLE, keep_unknown: bool = True
    ) -> None:
        make: Callable[[Server], Connection] = lambda server: StationConnection(self)  # noqa: E731
        super().__init__(hub, PROTOCOL, host, port, make, idle)
        self.keep_unknown = keep_unknown
        self.requests = Requests()
        self.present: dict[str, Station] = {}  # who is there, by MN: the newest connection counts
        self._greeted: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def arrived(self, station: Station) -> None:
        """A station is there (now in this connection): commands reach it here."""
        self.present[station.name] = station
        self.hub.commands.register(PROTOCOL, station.name, station.talk.send)
        self.hub.connected(PROTOCOL, station.name, station.connection.address)
        self.greet(station)

    def left(self, station: Station, reason: str) -> None:
        """A station's connection has ended."""
        self.hub.commands.remove(PROTOCOL, station.name, station.talk.send)
        if self.present.get(station.name) is station:
            del self.present[station.name]
            self.hub.disconnected(PROTOCOL, station.name, station.connection.address, reason)

    def greet(self, station: Station, only: tuple[str, ...] = ()) -> None:
        """Greet a station that comes for the first time, or say to it what it has asked for."""
        if station.device is None or not (only or station.device.profile.get("greet")):
            return
        now = self.clock()
        if not only:
            if now - self._greeted.get(station.name, float("-inf")) < GREET_AGAIN:
                return
            if len(self._greeted) >= MOST_GREETED:
                self._greeted.clear()
            self._greeted[station.name] = now
        task = asyncio.get_running_loop().create_task(station.talk.greet(only))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop greeting, then as every server."""
        for task in list(self._tasks):
            task.cancel()
        await super().stop()


def listeners(hub: Hub, options: Options) -> list[Listener]:
    """Return the server for stations, unless its port is -1."""
    if options.hj212_port < 0:
        return []
    keep = options.environment.get("YUANMAI_GATEWAY_UNKNOWN", "keep") != "refuse"
    return [Hj212Listener(hub, options.host, options.hj212_port, keep_unknown=keep)]
