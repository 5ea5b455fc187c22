"""Reading a file for an organisation, and what an import says about itself as JSON. No rules, no writing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.faults import BookError, Fault
from yuanmai.core.workbooks.engine.pipeline import Choices, parse
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import KindSpec
from yuanmai.core.workbooks.models import ColumnMapping, ImportBatch
from yuanmai.core.workbooks.store import load
from yuanmai.core.workbooks.wording import book_message, fault_message


@dataclass(frozen=True)
class Options:
    """What was decided about a file: kept with its batch, so that commit reads exactly what was previewed."""

    sheet: str | None = None
    as_of: date | None = None
    unit: str | None = None
    columns: Mapping[int, str | None] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the batch's summary."""
        return {
            "sheet": self.sheet,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "unit": self.unit,
            "columns": {str(index): code for index, code in self.columns.items()},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Options":
        """From the batch's summary."""
        kept = kept or {}
        day = kept.get("as_of")
        return cls(
            kept.get("sheet"),
            date.fromisoformat(day) if day else None,
            kept.get("unit"),
            {int(index): code for index, code in (kept.get("columns") or {}).items()},
        )


def remembered(org_id: int, kind: str) -> dict[str, str | None]:
    """Decisions of an organisation on column heads: key → field, None for "leave out"."""
    rows = ColumnMapping.objects.filter(org_id=org_id, kind=kind).values_list("key", "field")
    return {key: code or None for key, code in rows}


def read_file(
    data: bytes, name: str, spec: KindSpec, mapping: Mapping[str, str | None], options: Options | None = None
) -> Parsed:
    """Read a file of a kind. Raises BookError; a sheet with a head and no row below it is refused as `no_rows`."""
    options = options or Options()
    choices = Choices(options.sheet, dict(options.columns) or None, options.as_of, options.unit)
    parsed = parse(read_book(data, name), spec, mapping, choices)
    if not any(sheet.rows for sheet in parsed.sheets) and not parsed.errors:
        raise BookError("no_rows")
    return parsed


def read_batch(batch: ImportBatch, spec: KindSpec) -> Parsed:
    """Read the kept file of a batch with the decisions made for it."""
    mapping = remembered(batch.org_id, batch.kind)
    return read_file(
        load(batch.digest), batch.file_name, spec, mapping, Options.from_json(batch.summary.get("options"))
    )


def fault_document(fault: Fault) -> dict[str, Any]:
    """One fault as the command line and the API print it."""
    return {
        "sheet": fault.sheet,
        "cell": fault.cell,
        "column": fault.column,
        "value": fault.value,
        "rule": fault.rule,
        "message": fault_message(fault),
    }


def book_document(error: BookError, file: str) -> dict[str, Any]:
    """A file that is refused as a whole, in the same shape."""
    return {
        "sheet": str(error.params.get("sheet", "")),
        "cell": "",
        "column": "",
        "value": file,
        "rule": f"file.{error.code}",
        "message": f"{file}: {book_message(error)}",
    }
