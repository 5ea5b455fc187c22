"""Packets out of a connection."""

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt.packets import V5, Connect, Packet, Publish
from yuanmai.protocols.mqtt.properties import WrongError
from yuanmai.protocols.mqtt.reader import publish, read

MOST = 1 << 20
FROM_SERVER = frozenset(
    {kinds.CONNACK, kinds.SUBACK, kinds.UNSUBACK, kinds.PINGRESP}
)  # a client never sends them
FROM_CLIENT = frozenset({kinds.CONNECT, kinds.SUBSCRIBE, kinds.UNSUBSCRIBE, kinds.PINGREQ})


class Decoder:
    """Turns what comes over a connection into packets and faults; give it the bytes as they come.

    `server` says who listens: a broker (its first packet is CONNECT, which decides the version) or a client (who knows the version).
    MQTT has no mark to begin again at: after a fault nothing more is read, and the connection is to be closed with the reason
    code in `details["code"]` (5.0). Reasons: `malformed`, `protocol` (bytes in order, but not allowed here), `version`,
    `too_large` (more than `most` bytes), `truncated` (from `flush`).
    """

    def __init__(self, version: int = 0, *, server: bool = True, most: int = MOST) -> None:
        self.version = version
        self.server = server
        self.most = most
        self.broken = False
        self.rejected = 0
        self._parts: list[bytes] = []
        self._have = 0
        self._want = 2  # bytes until it is worth looking again

    @property
    def pending(self) -> bytes:
        """The bytes of a packet that has not ended yet."""
        return b"".join(self._parts)

    @property
    def begun(self) -> bool:
        """Whether a packet has begun and not ended."""
        return bool(self._parts)

    def feed(self, data: bytes) -> list[Packet | Fault]:
        """Return the packets that these bytes complete, and the fault that ends them."""
        found: list[Packet | Fault] = []
        if self.broken or not data:
            return found
        if self._parts:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._want:
                return found
            data = b"".join(self._parts)
            self._parts = []
        place, size = 0, len(data)
        self._want = 2
        version = self.version
        while size - place >= 2:
            head, length, begin = data[place], data[place + 1], place + 2
            if length > 0x7F:
                length &= 0x7F
                shift = 7
                while True:
                    if begin == size:
                        length = -1
                        break
                    byte = data[begin]
                    begin += 1
                    length |= (byte & 0x7F) << shift
                    if byte < 0x80:
                        if not byte and version == V5:
                            return self._fail(found, "malformed", data[place:begin], kinds.MALFORMED)
                        break
                    if shift == 21:
                        return self._fail(found, "malformed", data[place:begin], kinds.MALFORMED)
                    shift += 7
                if length < 0:
                    self._want = begin - place + 1
                    break
            end = begin + length
            if end - place > self.most:
                return self._fail(found, "too_large", data[place:begin], kinds.TOO_LARGE)
            kind = head >> 4
            if not version and kind != kinds.CONNECT:
                return self._fail(found, "protocol", data[place:begin], kinds.PROTOCOL_ERROR)
            if end > size:
                self._want = end - place
                break
            try:
                if kind == kinds.PUBLISH:
                    found.append(publish(head & 15, data, begin, end, version))
                    place = end
                    continue
                if kind in (FROM_SERVER if self.server else FROM_CLIENT) or (
                    kind == kinds.CONNECT and version
                ):
                    raise WrongError("a packet of the other side", kinds.PROTOCOL_ERROR)
                packet = read(head, data, begin, end, version)
            except WrongError as error:
                reason = {kinds.MALFORMED: "malformed", kinds.UNSUPPORTED_VERSION: "version"}.get(
                    error.code, "protocol"
                )
                return self._fail(found, reason, data[place:end], error.code, error.what)
            if isinstance(packet, Connect):
                version = self.version = packet.version
            found.append(packet)
            place = end
        if place < size:
            self._parts.append(data[place:] if place else data)
        self._have = size - place
        return found

    def flush(self) -> list[Packet | Fault]:
        """Say that the rest will not come: an unfinished packet is `truncated`."""
        kept = self.pending
        self._parts, self._have = [], 0
        return self._fail([], "truncated", kept, kinds.MALFORMED) if kept and not self.broken else []

    def _fail(
        self, found: list[Packet | Fault], reason: str, raw: bytes, code: int, what: str = ""
    ) -> list[Packet | Fault]:
        self.broken = True
        self.rejected += 1
        self._parts, self._have = [], 0
        found.append(Fault(reason, raw, {"code": code, "what": what or reason}))
        return found


def message_of(packet: Publish) -> bytes:
    """Return topic and body as one record: two bytes of length, topic, body."""
    topic = packet.topic.encode()
    return len(topic).to_bytes(2, "big") + topic + packet.payload


def split_message(record: bytes) -> tuple[str, bytes] | Fault:
    """Return topic and body of a record; the fault is `syntax`."""
    stop = 2 + int.from_bytes(record[:2], "big")
    if len(record) < max(stop, 2):
        return Fault("syntax", record)
    try:
        return record[2:stop].decode(), record[stop:]
    except UnicodeDecodeError:
        return Fault("syntax", record)
