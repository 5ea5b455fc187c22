"""From facts to the document (pure): its parts in order, in one language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import ModuleType

from yuanmai.cockpit.bulletins import en, zh
from yuanmai.cockpit.bulletins.facts import Facts, Group, Totals
from yuanmai.cockpit.bulletins.phrases import points, unit_of
from yuanmai.common.money import WAN, YI
from yuanmai.core.documents import (
    Attachment,
    Block,
    Column,
    Document,
    Heading,
    Imprint,
    Kind,
    Paragraph,
    Row,
    RowKind,
    Table,
    simple_head,
)
from yuanmai.core.documents.model import Align, Value

EDITIONS: dict[str, ModuleType] = {"zh": zh, "en": en}


@dataclass(frozen=True)
class Head:
    """What the issuer decides about the document; an empty text means the usual one."""

    mark: str = ""
    number: str = ""
    addressee: str = ""
    signature: str = ""
    signed_on: date | None = None
    copies_to: tuple[str, ...] = ()


def compose(facts: Facts, head: Head, language: str) -> Document:
    """Return the bulletin as a document; equal facts and heads give equal documents."""
    edition = EDITIONS[language]
    signature = head.signature or facts.org
    return Document(
        title=edition.title(facts),
        body=tuple(_body(facts, edition)),
        mark=head.mark or edition.mark(facts.org),
        number=head.number or edition.number(facts.period),
        addressee=head.addressee or edition.ADDRESSEE,
        signature=signature,
        signed_on=head.signed_on,
        attachments=(_annex(facts, edition),) if facts.projects else (),
        imprint=Imprint(head.copies_to, signature, head.signed_on) if head.copies_to else None,
        language=language,
        author=signature,
        created=facts.known_at,
    )


def _body(facts: Facts, edition: ModuleType) -> list[Block]:
    blocks: list[Block] = [Paragraph(edition.opening(facts))]

    def part(code: str, texts: Sequence[str], level: int = 1) -> None:
        if texts:
            blocks.append(Heading(edition.HEADINGS[code], level))
            blocks.extend(Paragraph(text) for text in texts)

    if not facts.projects:
        part("overall", [edition.nothing(facts)])
    else:
        part("overall", edition.overall(facts))
        blocks.append(_kinds(facts, edition))
        blocks.append(Heading(edition.HEADINGS["starts"]))
        part("new_start", edition.new_starts(facts), 2)
        part("continuing", edition.continuing(facts), 2)
        part("parts", [edition.ranking(facts)])
        blocks.append(_groups(facts, facts.categories, "category", "categories", edition, ranked=False))
        blocks.append(_groups(facts, facts.ranking, facts.ranked_by, facts.ranked_by, edition, ranked=True))
        part("lights", edition.lights(facts))
    part("blockers", edition.blockers(facts))
    if facts.funds is not None and (facts.projects or facts.reserve_count):
        part("funds", [edition.funds(facts)])
    part("check", edition.check(facts))
    if facts.projects:
        part("next", edition.next_steps(facts))
    return blocks


def _scaled(amount: Decimal | None, unit: Decimal) -> Decimal | None:
    return None if amount is None else amount / unit


def _cells(totals: Totals, unit: Decimal) -> list[Value]:
    return [
        totals.count,
        _scaled(totals.total, unit),
        _scaled(totals.planned, unit),
        _scaled(totals.done, unit),
        totals.completion,
        None if totals.ahead is None else points(totals.ahead),
    ]


def _columns(unit: Decimal) -> tuple[Column, ...]:
    money = Column(1.15, Kind.DECIMAL, digits=2 if unit == YI else 0)
    return (
        Column(0.85, Kind.INTEGER),
        money,
        money,
        money,
        Column(1, Kind.PERCENT, digits=1),
        Column(1.2, Kind.DECIMAL, digits=1),
    )


MEASURES = ("count", "total", "planned", "done", "completion", "ahead")


def _kinds(facts: Facts, edition: ModuleType) -> Table:
    unit = unit_of(facts.whole.total)
    words = edition.COLUMNS
    rows = [
        Row((words[kind], *_cells(totals, unit)))
        for kind, totals in (("new_start", facts.new_start), ("continuing", facts.continuing))
        if totals.count
    ]
    rows.append(Row((words["whole"], *_cells(facts.whole, unit)), RowKind.TOTAL))
    return Table(
        columns=(Column(1.4), *_columns(unit)),
        head=simple_head(words["kind"], *(words[code] for code in MEASURES)),
        rows=tuple(rows),
        caption=edition.CAPTIONS["kinds"],
        unit_note=edition.UNITS[unit == YI],
    )


def _groups(
    facts: Facts, groups: Sequence[Group], column: str, caption: str, edition: ModuleType, *, ranked: bool
) -> Table:
    unit = unit_of(facts.whole.total)
    words = edition.COLUMNS
    first = (Column(0.6, Kind.INTEGER, align=Align.CENTER),) if ranked else ()
    head = ((words["rank"],) if ranked else ()) + (words[column], *(words[code] for code in MEASURES))
    rows = []
    for rank, group in enumerate(groups, start=1):
        lead: tuple[Value, ...] = (rank if group.totals.completion is not None else None,) if ranked else ()
        rows.append(Row((*lead, group.label, *_cells(group.totals, unit))))
    total: tuple[Value, ...] = (("",) if ranked else ()) + (words["whole"], *_cells(facts.whole, unit))
    rows.append(Row(total, RowKind.TOTAL))
    return Table(
        columns=(*first, Column(2.0), *_columns(unit)),
        head=simple_head(*head),
        rows=tuple(rows),
        caption=edition.CAPTIONS[caption],
        unit_note=edition.UNITS[unit == YI],
    )


def _annex(facts: Facts, edition: ModuleType) -> Attachment:
    """All projects on the plan, in 万元, grouped by kind."""
    words = edition.COLUMNS
    money = Column(1.05, Kind.DECIMAL, digits=0)
    names = ("number", "name", "category", "total", "planned", "done", "completion", "state", "light", "visible", "problems",
             "responsible", "leader")  # fmt: skip
    rows: list[Row] = []
    number = 0
    for kind, totals in (("new_start", facts.new_start), ("continuing", facts.continuing), ("", None)):
        projects = [p for p in facts.projects if p.kind == kind]
        if not projects:
            continue
        rows.append(Row((edition.group_label(words[kind or "other"], len(projects)),), RowKind.GROUP))
        for p in projects:
            number += 1
            rows.append(
                Row(
                    (number, p.name, p.category, _scaled(p.total, WAN), _scaled(p.planned, WAN), _scaled(p.done, WAN),
                     p.completion, edition.state(p), edition.LIGHTS[p.light], p.visible, p.problems, p.responsible, p.leader)
                )
            )  # fmt: skip
        if totals is not None:
            rows.append(_annex_sum(edition.group_label(words[kind], totals.count), totals, RowKind.SUBTOTAL))
    rows.append(
        _annex_sum(edition.group_label(words["whole"], facts.whole.count), facts.whole, RowKind.TOTAL)
    )
    table = Table(
        columns=(
            Column(0.5, Kind.INTEGER, align=Align.CENTER), Column(3.1), Column(1.35), money, money, money,
            Column(0.95, Kind.PERCENT, digits=1), Column(1.05, align=Align.CENTER), Column(0.75, align=Align.CENTER),
            Column(1.7), Column(1.6), Column(2.2), Column(1.15),
        ),
        head=simple_head(*(words[name] for name in names)),
        rows=tuple(rows),
        unit_note=edition.annex_unit(facts),
    )  # fmt: skip
    return Attachment(edition.annex_title(facts), (table,), landscape=True)


def _annex_sum(label: str, totals: Totals, kind: RowKind) -> Row:
    amounts = [_scaled(value, WAN) for value in (totals.total, totals.planned, totals.done)]
    return Row(("", label, "", *amounts, totals.completion, *[""] * 6), kind)
