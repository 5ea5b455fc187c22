"""What can be wrong with a workbook, as data: a code and parameters; the words are written by the faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one cell.

    `severity` error stops the whole file; warning becomes a finding; info says what the reader assumed.
    `cell` is the A1 address, `column` the header as written, `value` the cell as written.
    """

    rule: str
    sheet: str
    cell: str
    column: str
    value: str
    row: int
    field: str = ""
    severity: Severity = "error"
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)


class BookError(Exception):
    """The file as a whole cannot be read: `code` says why (corrupt, encrypted, too_big, empty, format, …)."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
