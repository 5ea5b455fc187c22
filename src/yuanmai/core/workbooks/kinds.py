"""Kinds of workbooks that can be imported. A room declares one in its `workbooks.py`; the pipeline does the rest.

A kind brings its :class:`~yuanmai.core.workbooks.engine.spec.KindSpec` (fields and words), compares what was read with what is
stored, and has three actions of its own room, so that its own permission and audit code stand on them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from yuanmai.core.findings import Found
from yuanmai.core.policy import Actor, Text
from yuanmai.core.workbooks.engine.result import Parsed, Row
from yuanmai.core.workbooks.engine.spec import KindSpec

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Change:
    """What an import would do to one stored thing: created, updated (with its differences) or unchanged."""

    row: Row
    sheet: str
    action: str
    label: str
    target_id: int | None = None
    uid: str = ""
    diff: Sequence[tuple[str, Any, Any]] = ()  # field code, before, after
    payload: Any = None


@dataclass(slots=True)
class Plan:
    """What an import would do: changes in the order of the file, and the contradictions it would list."""

    changes: list[Change]
    found: list[Found] = field(default_factory=list)
    effective_on: date | None = None
    assumed: bool = False  # the file did not say of which day it speaks

    def count(self, action: str) -> int:
        """Number of changes of one kind."""
        return sum(change.action == action for change in self.changes)


class ImportKind(Protocol):
    """What a room declares.

    A kind may also have `order` (the first of all is what a file is taken for where nobody says what it is), `rows` (what its
    rows are called: "Projects") and ``check(parsed, org_id)``, which returns the reading with the faults that only what is
    stored can show (reads only, a constant number of queries).
    """

    code: str
    permission: str

    @property
    def name(self) -> Text:
        """What it is called."""

    @property
    def spec(self) -> KindSpec:
        """Fields, words and rules."""

    def compare(self, parsed: Parsed, org_id: int, today: date, batch_name: str = "") -> Plan:
        """Compare with what is stored; reads only, and a constant number of queries."""

    def preview(self, actor: Actor, **values: Any) -> Any:
        """The action that keeps an uploaded file as a previewed batch."""

    def commit(self, actor: Actor, batch: Any, parsed: Parsed, progress: Progress | None = None) -> Plan:
        """The action that takes it over."""

    def undo(self, actor: Actor, batch: Any) -> Mapping[str, Any]:
        """The action that takes it back."""

    def remember(self, actor: Actor, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
        """The action that keeps decisions on columns."""

    def home_url(self) -> str:
        """Address of the list of what was imported."""

    def url_of(self, uid: str) -> str:
        """Address of a stored thing's page."""

    def show(self, field_code: str, value: Any) -> str:
        """A value as people read it, in the active language."""


KINDS: dict[str, ImportKind] = {}


def import_kind(kind: ImportKind) -> ImportKind:
    """Declare a kind; raises `ValueError` where the code is taken."""
    if kind.code in KINDS:
        raise ValueError(f"import kind {kind.code} is declared twice")
    KINDS[kind.code] = kind
    ordered = sorted(KINDS.values(), key=lambda known: (getattr(known, "order", 50), known.code))
    KINDS.clear()
    KINDS.update((known.code, known) for known in ordered)
    return kind


def checked(kind: ImportKind, parsed: Parsed, org_id: int) -> Parsed:
    """Return a reading with the faults that show when it is held against what is stored, where the kind has such."""
    check = getattr(kind, "check", None)
    return check(parsed, org_id) if check is not None else parsed


def rows_called(kind: ImportKind) -> Text:
    """Return what the rows of a kind are called."""
    called: Text = getattr(kind, "rows", kind.name)
    return called
