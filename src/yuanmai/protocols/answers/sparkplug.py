"""Answers about Sparkplug B: payloads, topics, the course of a session."""

import math
from typing import Any

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.sparkplug.payload import DataSet, Metric, Payload, Template, decode
from yuanmai.protocols.sparkplug.session import BDSEQ, Node
from yuanmai.protocols.sparkplug.topic import DEVICE_TYPES, NODE_TYPES, Topic, parse
from yuanmai.protocols.sparkplug.values import type_name

Document = dict[str, Any]


def answer(given: Document) -> Document:
    """Return what is to be said to one line of input; raises KeyError, TypeError, ValueError where it is of no known form."""
    if "sequence" in given or "events" in given:
        return session(given["sequence"] if "sequence" in given else given["events"])
    if "topic" in given and "hex" not in given:
        return topic(str(given["topic"]))
    found = decode(bytes.fromhex(given["hex"]))
    if isinstance(found, Fault):
        return {"valid": False, "reason": found.reason}
    return payload(found)


def topic(text: str) -> Document:
    """Return the document of a topic."""
    found = parse(text)
    if isinstance(found, Fault):
        return {"valid": False, "reason": found.reason}
    if found.type == "STATE":
        return {"type": found.type, "host": found.host}
    return {"group": found.group, "type": found.type, "node": found.node, "device": found.device}


def payload(given: Payload) -> Document:
    """Return the document of a payload."""
    return {
        "timestamp": given.timestamp,
        "seq": given.seq,
        "uuid": given.uuid,
        "metrics": [metric_document(metric) for metric in given.metrics],
    }


def metric_document(given: Metric) -> Document:
    """Return the document of a metric; one that is null has no value."""
    document: Document = {
        "name": given.name or "",
        "alias": given.alias,
        "type": type_name(given.datatype),
        "timestamp": given.timestamp,
        "is_null": given.null,
    }
    if not given.null:
        document["value"] = plain(given.value)
    if given.historical is not None:
        document["is_historical"] = given.historical
    if given.transient is not None:
        document["is_transient"] = given.transient
    if given.properties:
        document["properties"] = plain(given.properties)
    if given.metadata:
        document["metadata"] = given.metadata
    return document


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: bytes as hexadecimal digits, what is no number by its name."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, DataSet):
        return {
            "columns": value.columns,
            "types": [type_name(number) for number in value.types],
            "rows": plain(value.rows),
        }
    if isinstance(value, Template):
        return {
            "version": value.version,
            "template_ref": value.reference,
            "is_definition": value.definition,
            "metrics": [metric_document(metric) for metric in value.metrics],
            "parameters": plain(value.parameters),
        }
    if isinstance(value, dict):
        return {name: plain(entry[1]) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value


def session(events: list[Any]) -> Document:
    """Return how a host sees a node after these messages, and at which of them it asked for a rebirth."""
    node = Node()
    asked: list[int] = []
    for place, given in enumerate(events):
        kind, message, device = event(given)
        if node.take(kind, message, device):
            asked.append(place)
    document: Document = {
        "rebirth_requested": bool(asked),
        "node_online": node.online,
        "devices_online": sorted(node.devices),
    }
    if asked:
        document["rebirth_requested_at"] = asked[0]
    return document


def event(given: Any) -> tuple[str, Payload, str]:
    """Return type, payload and device of a message told as [type, seq], [type, {…}], {"type", "seq", "bdSeq", "device",
    "alias(es)", "metrics"} or {"topic", "hex"}.
    """
    told: Document = {}
    for part in given if isinstance(given, list) else [given]:
        if isinstance(part, dict):
            told |= part
        elif isinstance(part, bool) or part is None:
            continue
        elif isinstance(part, int):
            told["seq" if "seq" not in told else BDSEQ] = part
        elif part in NODE_TYPES | DEVICE_TYPES:
            told["type"] = part
        else:
            told["topic" if "/" in part else "device"] = part
    named = parse(told["topic"]) if "topic" in told else None
    if isinstance(named, Topic):
        told = {"type": named.type, "device": named.device or "", **told}
    if "hex" in told or "payload_hex" in told:
        found = decode(bytes.fromhex(told.get("hex") or told["payload_hex"]))
        return told["type"], found if isinstance(found, Payload) else Payload(), str(told.get("device") or "")
    kind = told["type"]
    message = Payload(seq=told.get("seq"))
    births = told.get(BDSEQ, told.get("bdseq", told.get("bd_seq")))
    if kind == "NDEATH" and births is None:
        births, message.seq = message.seq, None
    if births is not None:
        message.metrics.append(Metric(BDSEQ, datatype=8, value=births))
    message.metrics += metrics(told, birth=kind.endswith("BIRTH"))
    return kind, message, str(told.get("device") or ("" if kind[0] == "N" else "device"))


def metrics(told: Document, *, birth: bool) -> list[Metric]:
    """Return the metrics that a told message has, by alias, by name, or in full."""
    given = told.get("metrics", told.get("aliases", told.get("alias", [])))
    entries = given.items() if isinstance(given, dict) else given if isinstance(given, list) else [given]
    found = []
    for entry in entries:
        if isinstance(entry, dict):
            found.append(Metric(entry.get("name"), entry.get("alias"), value=entry.get("value")))
        elif isinstance(entry, tuple):
            name, alias = entry if isinstance(entry[1], int) else entry[::-1]
            found.append(Metric(str(name) if birth else None, int(alias)))
        elif isinstance(entry, int):
            found.append(Metric(f"metric {entry}" if birth else None, entry))
        else:
            found.append(Metric(str(entry)))
    return found
