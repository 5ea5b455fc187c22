"""Payloads of Sparkplug B: metrics with names or aliases, properties, data sets, templates."""

from dataclasses import dataclass, field
from typing import Any

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.sparkplug import wire
from yuanmai.protocols.sparkplug.values import (
    ARRAYS,
    DataType,
    pack_array,
    put_scalar,
    scalar,
    type_name,
    typed,
)
from yuanmai.protocols.sparkplug.wire import WireError

DEEPEST = 8  # templates in templates, property sets in property sets
LONGEST = 1 << 20  # bytes of a payload
MOST = 50_000  # metrics in a payload, rows in a data set


@dataclass(slots=True)
class DataSet:
    """A table."""

    columns: list[str] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)


@dataclass(slots=True)
class Template:
    """A template or an instance of one: metrics and parameters (name → type and value)."""

    version: str = ""
    reference: str = ""
    definition: bool = False
    metrics: list["Metric"] = field(default_factory=list)
    parameters: dict[str, tuple[int, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Metric:
    """A metric. In births it has name and type, in data perhaps only the alias. `value` is nothing if null or missing.

    `properties` are name → type and value; times are milliseconds since 1970, UTC.
    """

    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None
    datatype: int = 0
    value: Any = None
    null: bool = False
    historical: bool | None = None
    transient: bool | None = None
    properties: dict[str, tuple[int, Any]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Payload:
    """What one MQTT message carries."""

    timestamp: int | None = None
    seq: int | None = None
    uuid: str | None = None
    metrics: list[Metric] = field(default_factory=list)
    body: bytes = b""


def decode(data: bytes) -> Payload | Fault:
    """Return the payload in these bytes; the fault is `protobuf`, or `length_too_long` above a megabyte."""
    if len(data) > LONGEST:
        return Fault("length_too_long", data[:64], {"length": len(data)})
    try:
        return _payload(data)
    except WireError as error:
        return Fault("protobuf", data, {"what": str(error)})


def _payload(data: bytes) -> Payload:
    found = Payload()
    for number, kind, content in wire.fields(data):
        if number == 1:
            found.timestamp = wire.number_of(kind, content)
        elif number == 2:
            found.metrics.append(_metric(wire.bytes_of(kind, content), 0))
            if len(found.metrics) > MOST:
                raise WireError("too many metrics")
        elif number == 3:
            found.seq = wire.number_of(kind, content)
        elif number == 4:
            found.uuid = wire.text_of(kind, content)
        elif number == 5:
            found.body = wire.bytes_of(kind, content)
    return found


def _metric(data: bytes, depth: int) -> Metric:
    found = Metric()
    value: Any = None
    for number, kind, content in wire.fields(data):
        if number == 1:
            found.name = wire.text_of(kind, content)
        elif number in (2, 3, 4):
            setattr(found, ("alias", "timestamp", "datatype")[number - 2], wire.number_of(kind, content))
        elif number in (5, 6, 7):
            setattr(
                found, ("historical", "transient", "null")[number - 5], bool(wire.number_of(kind, content))
            )
        elif number == 8:
            found.metadata = _metadata(wire.bytes_of(kind, content))
        elif number == 9:
            found.properties = _properties(wire.bytes_of(kind, content), depth + 1)
        elif 10 <= number <= 15:
            value = scalar(10, number, kind, content)
        elif number == 16:
            value = wire.bytes_of(kind, content)
        elif number == 17:
            value = _dataset(wire.bytes_of(kind, content))
        elif number == 18:
            value = _template(wire.bytes_of(kind, content), depth + 1)
    if not found.null:
        found.value = typed(found.datatype, value)
    return found


METADATA = {
    1: "multi_part",
    2: "content_type",
    3: "size",
    4: "seq",
    5: "file_name",
    6: "file_type",
    7: "md5",
    8: "description",
}


def _metadata(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, kind, content in wire.fields(data):
        if number in (1, 3, 4):
            value = wire.number_of(kind, content)
            found[METADATA[number]] = bool(value) if number == 1 else value
        elif number in METADATA:
            found[METADATA[number]] = wire.text_of(kind, content)
    return found


def _properties(data: bytes, depth: int) -> dict[str, tuple[int, Any]]:
    if depth > DEEPEST:
        raise WireError("too deep")
    keys: list[str] = []
    values: list[tuple[int, Any]] = []
    for number, kind, content in wire.fields(data):
        if number == 1:
            keys.append(wire.text_of(kind, content))
        elif number == 2:
            values.append(_property(wire.bytes_of(kind, content), depth))
    if len(keys) != len(values):
        raise WireError("properties")
    return dict(zip(keys, values, strict=True))


def _property(data: bytes, depth: int) -> tuple[int, Any]:
    datatype, null, value = 0, False, None
    for number, kind, content in wire.fields(data):
        if number == 1:
            datatype = wire.number_of(kind, content)
        elif number == 2:
            null = bool(wire.number_of(kind, content))
        elif 3 <= number <= 8:
            value = scalar(3, number, kind, content)
        elif number == 9:
            value = _properties(wire.bytes_of(kind, content), depth + 1)
        elif number == 10:
            value = [
                _properties(wire.bytes_of(inner, entry), depth + 1)
                for one, inner, entry in wire.fields(wire.bytes_of(kind, content))
                if one == 1
            ]
    return datatype, None if null else typed(datatype, value)


def _dataset(data: bytes) -> DataSet:
    found = DataSet()
    rows: list[list[Any]] = []
    for number, kind, content in wire.fields(data):
        if number == 2:
            found.columns.append(wire.text_of(kind, content))
        elif number == 3:
            if kind == wire.BYTES:  # packed
                found.types += _packed(wire.bytes_of(kind, content))
            else:
                found.types.append(wire.number_of(kind, content))
        elif number == 4:
            cells = wire.fields(wire.bytes_of(kind, content))
            if len(rows) >= MOST:
                raise WireError("too many rows")
            rows.append([_cell(wire.bytes_of(inner, cell)) for one, inner, cell in cells if one == 1])
    for row in rows:
        if len(row) != len(found.types):
            raise WireError("row")
        found.rows.append([typed(datatype, cell) for datatype, cell in zip(found.types, row, strict=True)])
    return found


def _packed(data: bytes) -> list[int]:
    found, place = [], 0
    while place < len(data):
        value, place = wire.varint(data, place)
        found.append(value)
    return found


def _cell(data: bytes) -> Any:
    value: Any = None
    for number, kind, content in wire.fields(data):
        if 1 <= number <= 6:
            value = scalar(1, number, kind, content)
    return value


def _template(data: bytes, depth: int) -> Template:
    if depth > DEEPEST:
        raise WireError("too deep")
    found = Template()
    for number, kind, content in wire.fields(data):
        if number == 1:
            found.version = wire.text_of(kind, content)
        elif number == 2:
            found.metrics.append(_metric(wire.bytes_of(kind, content), depth))
            if len(found.metrics) > MOST:
                raise WireError("too many metrics")
        elif number == 3:
            name, datatype, value = "", 0, None
            for inner, sort, entry in wire.fields(wire.bytes_of(kind, content)):
                if inner == 1:
                    name = wire.text_of(sort, entry)
                elif inner == 2:
                    datatype = wire.number_of(sort, entry)
                elif 3 <= inner <= 8:
                    value = scalar(3, inner, sort, entry)
            found.parameters[name] = (datatype, typed(datatype, value))
        elif number == 4:
            found.reference = wire.text_of(kind, content)
        elif number == 5:
            found.definition = bool(wire.number_of(kind, content))
    return found


def encode(given: Payload) -> bytes:
    """Return the bytes of a payload. Raises ValueError or struct.error where a value does not fit its type."""
    parts = []
    if given.timestamp is not None:
        parts.append(wire.put_number(1, given.timestamp))
    parts += [wire.put_bytes(2, encode_metric(metric)) for metric in given.metrics]
    if given.seq is not None:
        parts.append(wire.put_number(3, given.seq))
    if given.uuid is not None:
        parts.append(wire.put_bytes(4, given.uuid.encode()))
    if given.body:
        parts.append(wire.put_bytes(5, given.body))
    return b"".join(parts)


def encode_metric(given: Metric) -> bytes:
    """Return the bytes of a metric."""
    parts = [] if given.name is None else [wire.put_bytes(1, given.name.encode())]
    for number, value in ((2, given.alias), (3, given.timestamp), (4, given.datatype or None)):
        if value is not None:
            parts.append(wire.put_number(number, value))
    for number, mark in ((5, given.historical), (6, given.transient), (7, given.null or None)):
        if mark is not None:
            parts.append(wire.put_number(number, int(mark)))
    if given.metadata:
        parts.append(wire.put_bytes(8, _put_metadata(given.metadata)))
    if given.properties:
        parts.append(wire.put_bytes(9, _put_properties(given.properties)))
    if given.value is not None:
        parts.append(_put_value(given.datatype, given.value))
    return b"".join(parts)


def _put_value(datatype: int, value: Any) -> bytes:
    if isinstance(value, DataSet):
        return wire.put_bytes(17, _put_dataset(value))
    if isinstance(value, Template):
        return wire.put_bytes(18, _put_template(value))
    if isinstance(value, bytes):
        return wire.put_bytes(16, value)
    if datatype in ARRAYS or datatype in (DataType.BooleanArray, DataType.StringArray):
        return wire.put_bytes(16, pack_array(DataType(datatype), value))
    return put_scalar(10, datatype, value)


def _put_metadata(given: dict[str, Any]) -> bytes:
    return b"".join(
        wire.put_number(number, int(given[name]))
        if number in (1, 3, 4)
        else wire.put_bytes(number, str(given[name]).encode())
        for number, name in METADATA.items()
        if name in given
    )


def _put_properties(given: dict[str, tuple[int, Any]]) -> bytes:
    keys = b"".join(wire.put_bytes(1, key.encode()) for key in given)
    return keys + b"".join(wire.put_bytes(2, _put_property(*entry)) for entry in given.values())


def _put_property(datatype: int, value: Any) -> bytes:
    head = wire.put_number(1, datatype)
    if value is None:
        return head + wire.put_number(2, 1)
    if isinstance(value, dict):
        return head + wire.put_bytes(9, _put_properties(value))
    if isinstance(value, list):
        return head + wire.put_bytes(
            10, b"".join(wire.put_bytes(1, _put_properties(entry)) for entry in value)
        )
    return head + put_scalar(3, datatype, value)


def _put_dataset(given: DataSet) -> bytes:
    parts = [wire.put_number(1, len(given.columns))]
    parts += [wire.put_bytes(2, name.encode()) for name in given.columns]
    parts += [wire.put_number(3, datatype) for datatype in given.types]
    for row in given.rows:
        cells = zip(given.types, row, strict=True)
        packed = (b"" if cell is None else put_scalar(1, datatype, cell) for datatype, cell in cells)
        parts.append(wire.put_bytes(4, b"".join(wire.put_bytes(1, cell) for cell in packed)))
    return b"".join(parts)


def _put_template(given: Template) -> bytes:
    parts = [wire.put_bytes(1, given.version.encode())] if given.version else []
    parts += [wire.put_bytes(2, encode_metric(metric)) for metric in given.metrics]
    for name, (datatype, value) in given.parameters.items():
        packed = wire.put_bytes(1, name.encode()) + wire.put_number(2, datatype)
        parts.append(wire.put_bytes(3, packed + (b"" if value is None else put_scalar(3, datatype, value))))
    if given.reference:
        parts.append(wire.put_bytes(4, given.reference.encode()))
    if given.definition:
        parts.append(wire.put_number(5, 1))
    return b"".join(parts)


def rebirth_command(timestamp: int) -> bytes:
    """Return the payload of the NCMD that asks a node to send its births again."""
    metric = Metric("Node Control/Rebirth", None, timestamp, DataType.Boolean, value=True)
    return encode(Payload(timestamp, metrics=[metric]))


__all__ = ["DataSet", "Metric", "Payload", "Template", "decode", "encode", "rebirth_command", "type_name"]
