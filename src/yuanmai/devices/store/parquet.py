"""Parquet files of the lake: written with statistics and checksums under a name that says what its bytes must hash to."""

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from yuanmai.devices.store.entries import DataFile
from yuanmai.devices.store.files import LocalFiles, ObjectFiles

ROW_GROUP = 65_536
_INTEGERS = (pa.types.is_timestamp, pa.types.is_int64, pa.types.is_date32)


def _write(table: pa.Table, row_group: int, level: int) -> pa.Buffer:
    """Return the bytes of a Parquet file. Moments and counters as differences, repeated values as a dictionary, zstd."""
    differences = {
        f.name: "DELTA_BINARY_PACKED" for f in table.schema if any(is_(f.type) for is_ in _INTEGERS)
    }
    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, row_group_size=row_group, compression="zstd", compression_level=level, write_page_checksum=True,
        use_dictionary=[f.name for f in table.schema if f.name not in differences], column_encoding=differences,
        store_schema=False, dictionary_pagesize_limit=1 << 20,
    )  # fmt: skip
    return sink.getvalue()


def new_id() -> str:
    """Return a name nobody has used: the time in ms and chance, 20 hexadecimal digits."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"


def write_file(
    files: LocalFiles | ObjectFiles,
    table: pa.Table,
    part: Mapping[str, str | None],
    *,
    moment: str = "time",
    row_group: int = ROW_GROUP,
    compression: int = 1,
    source: str = "",
) -> DataFile:
    """Write the rows of `table` (sorted by point, `moment`) as one durable file and return what the log has to know of it.

    Its name is `[source~]id-digest.parquet`, the source telling from which file the rows were made.
    """
    source = f"{source}~" if source else ""
    data = _write(table, row_group, compression)
    digest = hashlib.sha256(data).hexdigest()[:32]
    folder = "/".join(f"{k}={v or '__HIVE_DEFAULT_PARTITION__'}" for k, v in part.items())
    path = f"{folder}/{source}{new_id()}-{digest}.parquet"
    files.write(path, data)
    points = pc.min_max(table["point"]).as_py()
    span = pc.min_max(table[moment].cast(pa.int64())).as_py()
    return DataFile(
        path, data.size, dict(part), len(table), points["min"], points["max"], span["min"], span["max"]
    )


def damage(files: LocalFiles | ObjectFiles, file: DataFile) -> str | None:
    """Return what is wrong with a file's bytes, or None."""
    try:
        data = files.read(file.path)
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return str(error)
    if len(data) != file.size:
        return f"it has {len(data)} bytes instead of {file.size}"
    if len(file.digest) == 32 and hashlib.sha256(data).hexdigest()[:32] != file.digest:
        return "its checksum does not fit"
    return None


def read_rows(
    files: LocalFiles | ObjectFiles,
    chosen: Sequence[DataFile],
    columns: Sequence[str] | None = None,
    points: tuple[int, int] | None = None,
) -> list[pa.Table]:
    """Return the rows of each file, of the row groups that may hold points from `points[0]` to `points[1]` only.

    Pages are checked against their checksums. Raises `OSError` or `pa.ArrowException` for a damaged file.
    """
    filesystem, prefix = files.filesystem()
    tables = []
    for file in chosen:
        if points and (file.last_point < points[0] or file.first_point > points[1]):
            continue
        source = pq.ParquetFile(prefix + file.path, filesystem=filesystem, page_checksum_verification=True)
        with source:
            groups = list(range(source.num_row_groups))
            if points and source.num_row_groups > 1:
                at = source.schema_arrow.get_field_index("point")
                kept = []
                for group in groups:
                    told = source.metadata.row_group(group).column(at).statistics
                    if told is None or (told.max >= points[0] and told.min <= points[1]):
                        kept.append(group)
                groups = kept
            table = source.read_row_groups(groups, columns=list(columns) if columns else None)
        if points:
            mask = pc.and_(
                pc.greater_equal(table["point"], points[0]), pc.less_equal(table["point"], points[1])
            )
            table = table.filter(mask)
        tables.append(table)
    return tables
