"""What MQTT says: its packets as plain data. Reason codes are those of 5.0; 3.1.1 knows a few of them under other numbers."""

from dataclasses import dataclass, field
from typing import Any

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15
# Versions by their number on the wire.
V31, V311, V5 = 3, 4, 5

SUCCESS, NO_SUBSCRIBERS, NO_SUBSCRIPTION = 0x00, 0x10, 0x11
DISCONNECT_WITH_WILL = 0x04
UNSPECIFIED, MALFORMED, PROTOCOL_ERROR, IMPLEMENTATION = 0x80, 0x81, 0x82, 0x83
UNSUPPORTED_VERSION, BAD_CLIENT_ID, BAD_CREDENTIALS, NOT_AUTHORIZED = 0x84, 0x85, 0x86, 0x87
UNAVAILABLE, BUSY, SHUTTING_DOWN, BAD_METHOD = 0x88, 0x89, 0x8B, 0x8C
KEEP_ALIVE, TAKEN_OVER, BAD_FILTER, BAD_TOPIC = 0x8D, 0x8E, 0x8F, 0x90
ID_IN_USE, ID_NOT_FOUND, RECEIVE_MAXIMUM, BAD_ALIAS, TOO_LARGE = 0x91, 0x92, 0x93, 0x94, 0x95
TOO_FAST, QUOTA, ADMINISTRATIVE, PAYLOAD_FORMAT = 0x96, 0x97, 0x98, 0x99
NO_RETAIN, NO_QOS, NO_SHARED, NO_IDENTIFIERS, NO_WILDCARDS = 0x9A, 0x9B, 0x9E, 0xA1, 0xA2
# Return codes of CONNACK in 3.1.1 for reasons of 5.0; others are "unavailable".
OLD_REFUSALS = {
    UNSUPPORTED_VERSION: 1,
    BAD_CLIENT_ID: 2,
    UNAVAILABLE: 3,
    BUSY: 3,
    BAD_CREDENTIALS: 4,
    NOT_AUTHORIZED: 5,
}

# Name → value; `user_property` is a list of pairs, `subscription_identifier` a list of numbers.
Properties = dict[str, Any]


@dataclass(slots=True)
class Will:
    """What the broker publishes when the client is lost."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = field(default_factory=dict)


@dataclass(slots=True)
class Connect:
    """A client wants in. `clean` begins a new session (in 3.1.1 it also ends with the connection)."""

    client_id: str = ""
    version: int = V311
    clean: bool = True
    keep_alive: int = 60  # seconds; 0: never cut
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = field(default_factory=dict)


@dataclass(slots=True)
class Connack:
    """The answer to it. `code` is as on the wire: in 3.1.1 0 to 5, in 5.0 a reason code."""

    code: int = SUCCESS
    session_present: bool = False
    properties: Properties = field(default_factory=dict)


@dataclass(slots=True)
class Publish:
    """A message. `packet_id` is 0 at QoS 0; the topic is empty where a topic alias of 5.0 stands for it."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: Properties | None = None


@dataclass(slots=True)
class Ack:
    """PUBACK, PUBREC, PUBREL or PUBCOMP, by `kind`."""

    kind: int
    packet_id: int
    code: int = SUCCESS
    properties: Properties | None = None


@dataclass(slots=True)
class Subscription:
    """One filter of SUBSCRIBE; the last three are of 5.0."""

    filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0  # 0 send what is retained, 1 only to a new subscription, 2 never


@dataclass(slots=True)
class Subscribe:
    """A client wants messages."""

    packet_id: int
    filters: list[Subscription]
    properties: Properties = field(default_factory=dict)


@dataclass(slots=True)
class Unsubscribe:
    """A client wants them no more."""

    packet_id: int
    filters: list[str]
    properties: Properties = field(default_factory=dict)


@dataclass(slots=True)
class SubscribeAck:
    """SUBACK or UNSUBACK, by `kind`: a code for each filter (UNSUBACK has none in 3.1.1)."""

    kind: int
    packet_id: int
    codes: list[int] = field(default_factory=list)
    properties: Properties = field(default_factory=dict)


@dataclass(slots=True)
class Ping:
    """PINGREQ or PINGRESP, by `kind`."""

    kind: int = PINGREQ


@dataclass(slots=True)
class Disconnect:
    """The connection ends in order; only in 5.0 with a reason and from the broker too."""

    code: int = SUCCESS
    properties: Properties = field(default_factory=dict)


@dataclass(slots=True)
class Auth:
    """A step of an extended authentication (5.0)."""

    code: int = SUCCESS
    properties: Properties = field(default_factory=dict)


Packet = Connect | Connack | Publish | Ack | Subscribe | Unsubscribe | SubscribeAck | Ping | Disconnect | Auth
