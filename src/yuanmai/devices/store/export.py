"""Readings as streams of CSV or Parquet, a day at a time: memory does not grow with the span."""

import io
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from yuanmai.devices.store.columns import EAST


class _Drain(io.RawIOBase):
    """A file that is only written; what was written is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _local(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return moments as text: ISO 8601 in the time of Asia/Shanghai, with fractions only where there are some."""
    east = pc.add(column.cast(pa.int64()), EAST).cast(pa.timestamp("us"))
    text = pc.strftime(east, format="%Y-%m-%dT%H:%M:%S")
    text = pc.replace_substring_regex(pc.replace_substring_regex(text, r"(\.\d*?)0+$", r"\1"), r"\.$", "")
    return pc.binary_join_element_wise(text, "+08:00", "", null_handling="emit_null")


def csv_stream(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """Yield CSV (UTF-8 with byte order mark, for spreadsheets) of tables of one schema."""
    yield b"\xef\xbb\xbf" + (",".join(schema.names) + "\r\n").encode()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    for table in tables:
        for name in table.schema.names:
            if pa.types.is_timestamp(table.schema.field(name).type):
                table = table.set_column(table.schema.get_field_index(name), name, _local(table[name]))
        sink = pa.BufferOutputStream()
        pa.csv.write_csv(table, sink, options)
        yield sink.getvalue().to_pybytes()


def parquet_stream(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """Yield a Parquet file of tables of one schema."""
    drain = _Drain()
    with pq.ParquetWriter(drain, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
            if piece := drain.take():
                yield piece
    yield drain.take()


def stream(kind: str, tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """Yield the stream of a kind: csv or parquet. Raises `KeyError` for another."""
    makers: dict[str, Callable[[Iterator[pa.Table], pa.Schema], Iterator[bytes]]] = {
        "csv": csv_stream,
        "parquet": parquet_stream,
    }
    return makers[kind](tables, schema)
