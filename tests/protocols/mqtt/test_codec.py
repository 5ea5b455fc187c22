"""MQTT: our bytes beside those of the npm package mqtt-packet, what the standards forbid, streams in pieces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.mqtt import packets as p
from yuanmai.protocols.mqtt import topics, writer
from yuanmai.protocols.mqtt.packets import V5, V31, V311, Packet
from yuanmai.protocols.mqtt.stream import Decoder, message_of, split_message

PEER = Path(__file__).parents[2] / "peers"
WILL = {"topic": "w/t", "payload": {"hex": "00ff"}, "qos": 1, "retain": True}
# Our packet, its version, whether a client sends it, and the packet as mqtt-packet names it.
CASES: list[tuple[Packet, int, bool, dict[str, Any]]] = [
    (p.Connect("c", V311), V311, True, {"cmd": "connect", "clientId": "c", "protocolVersion": 4, "clean": True, "keepalive": 60}),
    (p.Connect("c", V31, False, 0), V31, True, {"cmd": "connect", "clientId": "c", "protocolId": "MQIsdp", "protocolVersion": 3, "clean": False, "keepalive": 0}),
    (
        p.Connect("客", V311, False, 65535, "u", b"\x00p", p.Will("w/t", b"\x00\xff", 1, True)), V311, True,
        {"cmd": "connect", "clientId": "客", "protocolVersion": 4, "clean": False, "keepalive": 65535, "username": "u", "password": {"hex": "0070"}, "will": WILL},
    ),
    (
        p.Connect("", V5, True, 10, "u", b"p", p.Will("w/t", b"\x00\xff", 1, True, {"will_delay_interval": 5, "content_type": "x"}),
                  {"session_expiry_interval": 7, "receive_maximum": 9, "user_property": [("a", "b")]}), V5, True,
        {"cmd": "connect", "clientId": "", "protocolVersion": 5, "clean": True, "keepalive": 10, "username": "u", "password": {"hex": "70"},
         "will": {**WILL, "properties": {"willDelayInterval": 5, "contentType": "x"}},
         "properties": {"sessionExpiryInterval": 7, "receiveMaximum": 9, "userProperties": {"a": "b"}}},
    ),
    (p.Connack(5), V311, False, {"cmd": "connack", "returnCode": 5, "sessionPresent": False}),
    (p.Connack(0, True), V311, False, {"cmd": "connack", "returnCode": 0, "sessionPresent": True}),
    (
        p.Connack(0, False, {"assigned_client_identifier": "z", "server_keep_alive": 3, "maximum_packet_size": 100, "shared_subscription_available": 0}), V5, False,
        {"cmd": "connack", "reasonCode": 0, "sessionPresent": False,
         "properties": {"assignedClientIdentifier": "z", "serverKeepAlive": 3, "maximumPacketSize": 100, "sharedSubscriptionAvailable": False}},
    ),
    (p.Publish("a/b", b"hello"), V311, True, {"cmd": "publish", "topic": "a/b", "payload": "hello", "qos": 0, "dup": False, "retain": False}),
    (p.Publish("a/b", b"", 2, True, True, 513), V311, True, {"cmd": "publish", "topic": "a/b", "payload": "", "qos": 2, "dup": True, "retain": True, "messageId": 513}),
    (p.Publish("t", b"x" * 200, 1, packet_id=65535), V311, True, {"cmd": "publish", "topic": "t", "payload": "x" * 200, "qos": 1, "dup": False, "retain": False, "messageId": 65535}),
    (p.Publish("t", b"x" * 20000, 1, packet_id=1), V5, True, {"cmd": "publish", "topic": "t", "payload": "x" * 20000, "qos": 1, "dup": False, "retain": False, "messageId": 1}),
    (
        p.Publish("r", b"1", 1, packet_id=2, properties={"message_expiry_interval": 9, "topic_alias": 3, "response_topic": "r/t", "correlation_data": b"\x01\x02", "user_property": [("k", "v")]}), V5, True,
        {"cmd": "publish", "topic": "r", "payload": "1", "qos": 1, "dup": False, "retain": False, "messageId": 2,
         "properties": {"messageExpiryInterval": 9, "topicAlias": 3, "responseTopic": "r/t", "correlationData": {"hex": "0102"}, "userProperties": {"k": "v"}}},
    ),
    (p.Ack(p.PUBACK, 7), V311, True, {"cmd": "puback", "messageId": 7}),
    (p.Ack(p.PUBACK, 7, 0x97), V5, True, {"cmd": "puback", "messageId": 7, "reasonCode": 0x97}),
    (p.Ack(p.PUBREC, 7, 0x80, {"reason_string": "no"}), V5, True, {"cmd": "pubrec", "messageId": 7, "reasonCode": 0x80, "properties": {"reasonString": "no"}}),
    (p.Ack(p.PUBREL, 7), V311, True, {"cmd": "pubrel", "messageId": 7}),
    (p.Ack(p.PUBCOMP, 7, 0x92), V5, True, {"cmd": "pubcomp", "messageId": 7, "reasonCode": 0x92}),
    (p.Subscribe(3, [p.Subscription("a/+", 1), p.Subscription("#", 2)]), V311, True, {"cmd": "subscribe", "messageId": 3, "subscriptions": [{"topic": "a/+", "qos": 1}, {"topic": "#", "qos": 2}]}),
    (
        p.Subscribe(3, [p.Subscription("a", 1, True, True, 2)], {"subscription_identifier": [300]}), V5, True,
        {"cmd": "subscribe", "messageId": 3, "subscriptions": [{"topic": "a", "qos": 1, "nl": True, "rap": True, "rh": 2}], "properties": {"subscriptionIdentifier": 300}},
    ),
    (p.SubscribeAck(p.SUBACK, 3, [0, 1, 128]), V311, False, {"cmd": "suback", "messageId": 3, "granted": [0, 1, 128]}),
    (p.SubscribeAck(p.SUBACK, 3, [0x87]), V5, False, {"cmd": "suback", "messageId": 3, "granted": [0x87]}),
    (p.Unsubscribe(4, ["a", "b/#"]), V311, True, {"cmd": "unsubscribe", "messageId": 4, "unsubscriptions": ["a", "b/#"]}),
    (p.Unsubscribe(4, ["a"]), V5, True, {"cmd": "unsubscribe", "messageId": 4, "unsubscriptions": ["a"]}),
    (p.SubscribeAck(p.UNSUBACK, 4), V311, False, {"cmd": "unsuback", "messageId": 4}),
    (p.SubscribeAck(p.UNSUBACK, 4, [0, 17]), V5, False, {"cmd": "unsuback", "messageId": 4, "granted": [0, 17]}),
    (p.Ping(p.PINGREQ), V311, True, {"cmd": "pingreq"}),
    (p.Ping(p.PINGRESP), V5, False, {"cmd": "pingresp"}),
    (p.Disconnect(), V311, True, {"cmd": "disconnect"}),
    (p.Disconnect(4, {"session_expiry_interval": 0}), V5, True, {"cmd": "disconnect", "reasonCode": 4, "properties": {"sessionExpiryInterval": 0}}),
    (p.Auth(0x18, {"authentication_method": "m", "authentication_data": b"d"}), V5, True, {"cmd": "auth", "reasonCode": 0x18, "properties": {"authenticationMethod": "m", "authenticationData": {"hex": "64"}}}),
]  # fmt: skip


def decoder(version: int, *, server: bool = True, **more: Any) -> Decoder:
    """A decoder behind CONNECT."""
    return Decoder(version, server=server, **more)


def read(data: bytes, version: int, *, server: bool = True) -> list[Packet | Fault]:
    found = decoder(version, server=server)
    return found.feed(data) + found.flush()


def test_packets_are_those_of_another_maker() -> None:
    node = shutil.which("node")
    if node is None or not (PEER / "node_modules" / "mqtt-packet").is_dir():
        if os.environ.get("CI"):
            pytest.fail("tests/peers/node_modules is missing: make test-setup")
        pytest.skip("tests/peers/node_modules is missing: make test-setup")
    lines = "\n".join(
        json.dumps({"protocolVersion": version, **theirs}) for _ours, version, _server, theirs in CASES
    )
    out = subprocess.run(
        [node, str(PEER / "mqtt_packet.js")], input=lines, capture_output=True, text=True, check=True
    )
    for (ours, version, _server, theirs), line in zip(CASES, out.stdout.split(), strict=True):
        told = writer.encode(ours, version).hex()
        assert told == line, theirs


@pytest.mark.parametrize(("packet", "version", "client", "_theirs"), CASES)
def test_packets_come_back_as_they_went(
    packet: Packet, version: int, client: bool, _theirs: dict[str, Any]
) -> None:
    wire = writer.encode(packet, version)
    first = 0 if isinstance(packet, p.Connect) else version
    found = Decoder(first, server=client).feed(wire)
    assert found == [packet]
    for cut in range(len(wire) if len(wire) < 300 else 10):
        pieces = Decoder(first, server=client)
        assert pieces.feed(wire[:cut]) + pieces.feed(wire[cut:]) == [packet]
        assert pieces.pending == b""


FORBIDDEN = [
    ("30 03 00 01 61", 0, "protocol"),  # before CONNECT
    ("c0 00", 0, "protocol"),
    ("10 0c 00 04 4d 51 54 54 04 03 00 00 00 00", 0, "malformed"),  # reserved flag of CONNECT
    ("10 0c 00 04 4d 51 54 54 04 42 00 00 00 00", 0, "malformed"),  # password without user
    ("10 0c 00 04 4d 51 54 54 04 0a 00 00 00 00", 0, "malformed"),  # QoS of a will that is none
    ("10 0c 00 04 4d 51 54 54 06 02 00 00 00 00", 0, "version"),
    ("10 0c 00 04 4d 51 54 58 04 02 00 00 00 00", 0, "version"),
    ("10 0d 00 04 4d 51 54 54 04 02 00 00 00 00 00", 0, "malformed"),  # a byte too much
    ("10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 00", 0, "malformed"),  # NUL in the identifier
    ("10 0e 00 04 4d 51 54 54 04 02 00 00 00 02 c3 28", 0, "malformed"),  # no UTF-8
    ("36 05 00 01 61 00 01", V311, "malformed"),  # QoS 3
    ("32 05 00 01 61 00 00", V311, "malformed"),  # identifier 0
    ("38 03 00 01 61", V311, "malformed"),  # QoS 0 again
    ("30 03 00 01 23", V311, "malformed"),  # wildcard in a name
    ("30 02 00 00", V311, "malformed"),  # no name
    ("30 03 00 00 00", V5, "protocol"),  # neither name nor alias
    ("30 06 00 00 03 23 00 00", V5, "protocol"),  # alias 0
    ("30 05 00 01 61 02 01", V5, "malformed"),  # properties cut off
    ("30 08 00 01 61 04 01 00 01 00", V5, "protocol"),  # a property twice
    ("30 09 00 01 61 05 11 00 00 00 01", V5, "protocol"),  # a property of CONNECT
    ("30 06 00 01 61 02 7f 00", V5, "malformed"),  # no such property
    ("30 06 00 01 61 02 01 02", V5, "protocol"),  # neither 0 nor 1
    ("82 06 00 01 00 01 61 03", V311, "malformed"),  # QoS 3
    ("82 02 00 01", V311, "protocol"),  # no filters
    ("80 06 00 01 00 01 61 00", V311, "malformed"),  # flags
    ("82 07 00 01 00 02 61 23 00", V311, "malformed"),  # a#
    ("82 0f 00 01 00 00 09 24 73 68 61 72 65 2f 61 2f 62 04"[:50], V5, "malformed"),
    ("60 02 00 01", V311, "malformed"),  # flags of PUBREL
    ("40 03 00 01 00", V311, "malformed"),  # a reason before 5.0
    ("40 03 00 01 05", V5, "protocol"),  # no such reason
    ("c0 01 00", V311, "malformed"),
    ("e0 01 00", V311, "malformed"),
    ("f0 00", V311, "malformed"),  # AUTH before 5.0
    ("00 00", V311, "malformed"),
    ("20 02 00 00", V311, "protocol"),  # a client that speaks like a broker
    ("d0 00", V311, "protocol"),
    ("30 ff ff ff ff 01", V311, "malformed"),  # a length without end
    ("c0 80 00", V5, "malformed"),  # a length longer than it need be
    ("30 ff ff 7f", V311, "too_large"),
    ("30 05 00 09 61", V311, "truncated"),
]


@pytest.mark.parametrize(("wire", "version", "reason"), FORBIDDEN)
def test_what_is_forbidden_has_a_reason_and_ends_it(wire: str, version: int, reason: str) -> None:
    data = bytes.fromhex(wire.replace(" ", ""))
    found = read(data, version)
    assert [entry.reason for entry in found if isinstance(entry, Fault)] == [reason]
    after = decoder(version)
    if reason != "truncated":
        after.feed(data)
        assert after.broken
        assert after.feed(writer.encode(p.Ping(), V311)) == []


def test_a_length_longer_than_need_be_passes_before_5() -> None:
    assert read(b"\xc0\x80\x00", V311) == [p.Ping(p.PINGREQ)]


@pytest.mark.parametrize(
    "wrong",
    [
        p.Publish("a/#"), p.Publish("", b"x"), p.Publish("a", qos=1), p.Publish("a", packet_id=1), p.Publish("a", dup=True), p.Publish("a\0b"),
        p.Publish("\ud800"), p.Publish("x" * 70000), p.Ack(p.PUBACK, 0), p.Ack(p.PUBACK, 65536), p.Subscribe(1, []),
        p.Subscribe(1, [p.Subscription("a/b#")]), p.Connect(password=b"x"), p.Connect(will=p.Will("+")),
        p.Publish("a", properties={"nonsense": 1}), p.Publish("a", properties={"server_keep_alive": 1}), p.Publish("a", properties={"topic_alias": 70000}),
    ],
)  # fmt: skip
def test_what_may_not_be_sent(wrong: Packet) -> None:
    version = V5 if isinstance(wrong, p.Publish) else V311
    with pytest.raises(ValueError, match=r".+"):
        writer.encode(wrong, version)


def test_records() -> None:
    record = message_of(p.Publish("主题", b"\x00\x01"))
    assert split_message(record) == ("主题", b"\x00\x01")
    for wrong in (b"", b"\x00", b"\x00\x05ab", b"\x00\x02\xff\xfe"):
        assert isinstance(split_message(wrong), Fault)


@pytest.mark.parametrize(
    ("pattern", "name", "heard"),
    [
        ("#", "a/b", True), ("#", "$SYS/x", False), ("+/x", "$SYS/x", False), ("$SYS/#", "$SYS/x", True), ("a/#", "a", True), ("a/#", "ab", False),
        ("a/+/c", "a/b/c", True), ("a/+/c", "a//c", True), ("a/+", "a", False), ("+", "/a", False), ("+/+", "/a", True), ("/+", "/a", True), ("a", "a", True), ("a", "A", False),
    ],
)  # fmt: skip
def test_filters(pattern: str, name: str, heard: bool) -> None:
    assert topics.matches(pattern, name) is heard
    tree: topics.Tree[int] = topics.Tree()
    assert tree.add(pattern, "o", 1)
    assert [value for _owner, value in tree.find(name)] == [1] * heard
    assert not tree.add(pattern, "o", 2)
    assert tree.remove(pattern, "o")
    assert not tree.remove(pattern, "o")
    assert not len(tree)
    assert not tree._root.below


NAMES = st.lists(st.sampled_from(["a", "b", "", "$x"]), min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = st.lists(st.sampled_from(["a", "b", "", "+", "$x"]), min_size=1, max_size=4).map("/".join).filter(
    bool
) | NAMES.map(lambda name: f"{name}/#")


@given(st.lists(FILTERS, max_size=12), NAMES)
def test_the_tree_finds_what_matches(patterns: list[str], name: str) -> None:
    tree: topics.Tree[str] = topics.Tree()
    for pattern in patterns:
        assert topics.is_filter(pattern)
        tree.add(pattern, "o", pattern)
    assert sorted(value for _owner, value in tree.find(name)) == sorted(
        {pattern for pattern in patterns if topics.matches(pattern, name)}
    )


SEEDS = [
    writer.encode(packet, version)
    for packet, version, _client, _theirs in CASES
    if len(writer.encode(packet, version)) < 300
]


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(SEEDS) | st.binary(max_size=12), max_size=6).map(b"".join),
    st.integers(0, 400), st.sampled_from([0, V311, V5]), st.booleans(), st.integers(0, 255), st.integers(0, 300),
)  # fmt: skip
def test_any_bytes_give_packets_or_a_fault_however_they_are_cut(
    data: bytes, cut: int, version: int, server: bool, byte: int, place: int
) -> None:
    if data:
        data = data[: place % len(data)] + bytes((byte,)) + data[place % len(data) + 1 :]
    whole = decoder(version, server=server)
    pieces = decoder(version, server=server)
    found = whole.feed(data) + whole.flush()
    assert pieces.feed(data[:cut]) + pieces.feed(data[cut:]) + pieces.flush() == found
    assert all(not isinstance(entry, Fault) for entry in found[:-1])
    for entry in found:
        if not isinstance(entry, Fault):
            again = writer.encode(entry, whole.version)
            first = 0 if isinstance(entry, p.Connect) else whole.version
            assert Decoder(first, server=server).feed(again) == [entry]
