"""Values by data type: signs are restored, arrays unpacked; the same for metrics, properties, parameters and cells."""

import struct
from enum import IntEnum
from typing import Any

from yuanmai.protocols.sparkplug import wire
from yuanmai.protocols.sparkplug.wire import WireError


class DataType(IntEnum):
    """Numbers of the data types, Sparkplug 3.0."""

    Unknown = 0
    Int8 = 1
    Int16 = 2
    Int32 = 3
    Int64 = 4
    UInt8 = 5
    UInt16 = 6
    UInt32 = 7
    UInt64 = 8
    Float = 9
    Double = 10
    Boolean = 11
    String = 12
    DateTime = 13
    Text = 14
    UUID = 15
    DataSet = 16
    Bytes = 17
    File = 18
    Template = 19
    PropertySet = 20
    PropertySetList = 21
    Int8Array = 22
    Int16Array = 23
    Int32Array = 24
    Int64Array = 25
    UInt8Array = 26
    UInt16Array = 27
    UInt32Array = 28
    UInt64Array = 29
    FloatArray = 30
    DoubleArray = 31
    BooleanArray = 32
    StringArray = 33
    DateTimeArray = 34


SIGNED: dict[int, int] = {DataType.Int8: 8, DataType.Int16: 16, DataType.Int32: 32, DataType.Int64: 64}
UNSIGNED: dict[int, int] = {
    DataType.UInt8: 8,
    DataType.UInt16: 16,
    DataType.UInt32: 32,
    DataType.UInt64: 64,
    DataType.DateTime: 64,
}
IN_LONG = frozenset({DataType.Int64, DataType.UInt64, DataType.DateTime})
TEXTS = frozenset({DataType.String, DataType.Text, DataType.UUID})
ARRAYS: dict[int, str] = {
    DataType.Int8Array: "b",
    DataType.Int16Array: "h",
    DataType.Int32Array: "i",
    DataType.Int64Array: "q",
    DataType.UInt8Array: "B",
    DataType.UInt16Array: "H",
    DataType.UInt32Array: "I",
    DataType.UInt64Array: "Q",
    DataType.FloatArray: "f",
    DataType.DoubleArray: "d",
    DataType.DateTimeArray: "Q",
}


def type_name(number: int) -> str:
    """Return the name of a data type."""
    try:
        return DataType(number).name
    except ValueError:
        return "Unknown"


def scalar(first: int, number: int, kind: int, content: int | bytes) -> Any:
    """Return the content of field int, long, float, double, boolean, string (in this order from number `first`). Raises WireError."""
    place = number - first
    if place <= 1:
        return wire.number_of(kind, content)
    if place == 2:
        return wire.float_of(kind, content)
    if place == 3:
        return wire.double_of(kind, content)
    if place == 4:
        return bool(wire.number_of(kind, content))
    return wire.text_of(kind, content)


def typed(datatype: int, value: Any) -> Any:
    """Return a value as its data type wants it: whole numbers with their sign, arrays as lists."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        bits = SIGNED.get(datatype)
        if bits is not None:
            value &= (1 << bits) - 1
            return value - (1 << bits) if value >> bits - 1 else value
        bits = UNSIGNED.get(datatype)
        if bits is not None:
            return value & (1 << bits) - 1
        return bool(value) if datatype == DataType.Boolean else value
    if isinstance(value, bytes) and DataType.Int8Array <= datatype <= DataType.DateTimeArray:
        return array(DataType(datatype), value)
    return value


def array(datatype: DataType, packed: bytes) -> list[Any]:
    """Return the elements of an array, little-endian. Raises WireError where the bytes do not come out even."""
    if datatype is DataType.StringArray:
        parts = packed.split(b"\0")
        if parts.pop():
            raise WireError("array")
        try:
            return [part.decode() for part in parts]
        except UnicodeDecodeError as error:
            raise WireError("text") from error
    if datatype is DataType.BooleanArray:
        count = int.from_bytes(packed[:4], "little")
        bits = packed[4:]
        if len(packed) < 4 or count > len(bits) * 8:
            raise WireError("array")
        return [bool(bits[place >> 3] & 0x80 >> (place & 7)) for place in range(count)]
    form = ARRAYS[datatype]
    size = struct.calcsize(f"<{form}")
    if len(packed) % size:
        raise WireError("array")
    return list(struct.unpack(f"<{len(packed) // size}{form}", packed))


def pack_array(datatype: DataType, values: list[Any]) -> bytes:
    """Return the bytes of an array. Raises struct.error where an element does not fit."""
    if datatype is DataType.StringArray:
        return b"".join(str(value).encode() + b"\0" for value in values)
    if datatype is DataType.BooleanArray:
        bits = bytearray((len(values) + 7) // 8)
        for place, value in enumerate(values):
            if value:
                bits[place >> 3] |= 0x80 >> (place & 7)
        return len(values).to_bytes(4, "little") + bytes(bits)
    return struct.pack(f"<{len(values)}{ARRAYS[datatype]}", *values)


def put_scalar(first: int, datatype: int, value: Any) -> bytes:
    """Return the field for a value: int, long, float, double, boolean, string from number `first` on. Raises ValueError."""
    if datatype in IN_LONG:
        return wire.put_number(first + 1, int(value))
    if datatype in SIGNED or datatype in UNSIGNED:
        return wire.put_number(first, int(value) & 0xFFFFFFFF)
    if datatype == DataType.Float:
        return wire.put_float(first + 2, value)
    if datatype == DataType.Double:
        return wire.put_double(first + 3, value)
    if datatype == DataType.Boolean:
        return wire.put_number(first + 4, int(bool(value)))
    if datatype in TEXTS:
        return wire.put_bytes(first + 5, str(value).encode())
    raise ValueError(f"no plain value of type {type_name(datatype)}")
