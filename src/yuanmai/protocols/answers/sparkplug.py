"""Answers about Sparkplug B: payloads, topics, the course of a session."""

import math
import re
from typing import Any

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.sparkplug.payload import DataSet, Metric, Payload, Template, decode
from yuanmai.protocols.sparkplug.session import BDSEQ, Node
from yuanmai.protocols.sparkplug.topic import DEVICE_TYPES, NODE_TYPES, Topic, parse
from yuanmai.protocols.sparkplug.values import type_name

Document = dict[str, Any]
KINDS = NODE_TYPES | DEVICE_TYPES
HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")


def answer(given: Document) -> Document:
    """Return what is to be said to one line of input; raises KeyError, TypeError, ValueError where it is of no known form."""
    if "sequence" in given or "events" in given:
        in_order = "sequence" in given
        return session(given["sequence"] if in_order else given["events"], in_order=in_order)
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
    """Return the document of a payload; numbers it leaves out are 0, as protocol buffers read them."""
    return {
        "timestamp": given.timestamp or 0,
        "seq": given.seq or 0,
        "uuid": given.uuid,
        "metrics": [metric_document(metric) for metric in given.metrics],
    }


def metric_document(given: Metric) -> Document:
    """Return the document of a metric; one that is null has no value."""
    document: Document = {
        "name": given.name or "",
        "alias": given.alias,
        "type": type_name(given.datatype),
        "timestamp": given.timestamp or 0,
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


def session(events: list[Any], *, in_order: bool) -> Document:
    """Return how a host sees a node after these messages, and at which of them it asked for a rebirth.

    A bare number beside a type is its seq, but that of a death, which has none, its bdSeq; if a death has one and the messages
    are no sequence told by seq alone (`in_order`), that of a birth with only one number too. What is no message (a broken
    connection, a rebirth) changes nothing. Raises KeyError where nothing is a message.
    """
    node = Node()
    asked: list[int] = []
    assumed: set[str] = set()
    told = [tell(given) for given in events]
    if told and not any("type" in one for one in told):
        raise KeyError("type")
    if not in_order and any(one.get("type") == "NDEATH" and "number" in one for one in told):
        for one in told:
            if one.get("type") == "NBIRTH" and "number" in one and "second" not in one:
                one.setdefault(BDSEQ, one.pop("number"))
    bare = in_order and not any(one.get("device") or one.get("type") in ("DBIRTH", "DDEATH") for one in told)
    for place, one in enumerate(told):
        if "type" not in one:
            continue
        kind, message, device = event(one)
        if bare and kind == "DDATA" and device not in node.devices and node.online:
            assumed.add(device)  # a sequence told by seq alone may leave out the births of devices
            node.devices.add(device)
        if node.take(kind, message, device):
            asked.append(place)
    document: Document = {
        "rebirth_requested": bool(asked),
        "node_online": node.online,
        "devices_online": sorted(node.devices - assumed),
    }
    if asked:
        document["rebirth_requested_at"] = asked[0]
    return document


def tell(given: Any) -> Document:
    """Return what a told message says: [type, seq], [type, {…}], {"type", "seq", "bdSeq", "device", "alias(es)", "metrics"},
    {type: {…}}, {"topic", "hex"}, or words like `DDATA seq=4 alias=9`. Without a type it is no message.
    """
    told: Document = {}
    for part in given if isinstance(given, list) else [given]:
        if isinstance(part, dict):
            for name, value in part.items():
                if name in KINDS:
                    told |= {"type": name, **(value if isinstance(value, dict) else {"number": value})}
                elif isinstance(value, str) and value in KINDS:
                    told["type"] = value
                else:
                    told[name] = value
        elif isinstance(part, str):
            told |= {"hex": part} if "topic" in told and HEX.fullmatch(part) else words(part)
        elif isinstance(part, int) and not isinstance(part, bool):
            told["second" if "number" in told else "number"] = part
    if isinstance(told.get("payload"), dict):
        told |= told.pop("payload")
    named = parse(told["topic"]) if "topic" in told else None
    if isinstance(named, Topic):
        told = {"type": named.type, "device": named.device or "", **told}
    if told.get("type") not in KINDS:
        told.pop("type", None)
    return told


def words(text: str) -> Document:
    """Return what words say: a type, name=number, a topic, or else the name of a device."""
    if "/" in text and "=" not in text:
        return {"topic": text}
    found: Document = {
        name: int(digits)
        for name, digits in re.findall(r"([A-Za-z_]+)\s*[=: ]\s*(\d+)", text)
        if name not in KINDS
    }
    kinds = [word for word in re.findall(r"[A-Z]+", text) if word in KINDS]
    if kinds:
        found["type"] = kinds[0]
    return found or {"device": text}


def event(told: Document) -> tuple[str, Payload, str]:
    """Return type, payload and device of what a message says."""
    kind = told["type"]
    device = str(told.get("device") or ("" if kind[0] == "N" else "device"))
    if "hex" in told or "payload_hex" in told:
        found = decode(bytes.fromhex(told.get("hex") or told["payload_hex"]))
        return kind, found if isinstance(found, Payload) else Payload(), device
    message = Payload(seq=told.get("seq"))
    births = told.get(BDSEQ, told.get("bdseq", told.get("bd_seq")))
    if kind == "NDEATH":
        births = births if births is not None else told.get("number", message.seq)
        message.seq = None
    elif message.seq is None:
        message.seq = told.get("number")
    if "second" in told:
        if kind.endswith("DATA"):
            told.setdefault("alias", told["second"])
        elif births is None:
            births = told["second"]
    if births is not None:
        message.metrics.append(Metric(BDSEQ, datatype=8, value=births))
    message.metrics += metrics(told, birth=kind.endswith("BIRTH"))
    return kind, message, device


def metrics(told: Document, *, birth: bool) -> list[Metric]:
    """Return the metrics that a told message has, by alias, by name, or in full."""
    named = [
        name
        for name in ("metrics", "aliases", "alias", *told)
        if "alias" in name or name.startswith("metric")
    ]
    given: Any = next((told[name] for name in named if told.get(name) is not None), [])
    entries = given.items() if isinstance(given, dict) else given if isinstance(given, list) else [given]
    found = []
    for entry in entries:
        if isinstance(entry, dict):
            found.append(Metric(entry.get("name"), entry.get("alias"), value=entry.get("value")))
        elif isinstance(entry, list):
            names = [part for part in entry if isinstance(part, str)]
            numbers = [part for part in entry if isinstance(part, int)]
            found.append(Metric(names[0] if names else None, numbers[0] if numbers else None))
        elif isinstance(entry, tuple):
            name, alias = entry if isinstance(entry[1], int) else entry[::-1]
            found.append(Metric(str(name) if birth else None, int(alias)))
        elif isinstance(entry, int):
            found.append(Metric(f"metric {entry}" if birth else None, entry))
        else:
            found.append(Metric(str(entry)))
    return found
