"""The cross-check of an offering file: its Excel plan beside what is entered and computed here, item by item.

Nothing of the file is stored but the file itself, and the differences as findings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese
from yuanmai.core.findings import FindingKind, Found, finding_kind
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.faults import BookError
from yuanmai.core.workbooks.wording import book_message
from yuanmai.funds.engine.bonds.coverage import Statement
from yuanmai.funds.engine.crosscheck import COMPUTED, ENTERED, Compared, Item, Missing, Own, Stated, compare
from yuanmai.funds.files import attach, attachments, path_of, target_of
from yuanmai.funds.issuing.service import statement_of
from yuanmai.funds.models import Attachment, PlanYear, Reserve
from yuanmai.funds.papers.offering_read import read_plan, words
from yuanmai.funds.permissions import KEEP_RESERVE
from yuanmai.funds.queries import ZERO
from yuanmai.projects.findings import settle

DIFFERS = "funds.offering_differs"
KIND = "offering_plan"  # of the attachment
YEARLY = ("investment", "capital", "bonds", "other_debt", "revenue", "operating_cost", "tax")


@dataclass(frozen=True)
class Check:
    """The comparison of a file: all items, the years that it leaves out."""

    rows: list[Compared]
    missing: list[Missing]

    @property
    def different(self) -> list[Compared]:
        """The items that differ."""
        return [row for row in self.rows if not row.same]


def own_figures(reserve: Reserve, statement: Statement, years: list[PlanYear]) -> dict[Item, Own]:
    """Return what is entered for a reserve project, and what the engine computes from it, by item and year."""
    own: dict[Item, Own] = {
        Item("total_investment", None): Own(reserve.total_investment, ENTERED),
        Item("capital", None): Own(reserve.capital, ENTERED),
        Item("bonds", None): Own(reserve.requested, ENTERED),
        Item("other_debt", None): Own(reserve.other_debt, ENTERED),
        Item("rate", None): Own(reserve.rate, ENTERED),
        Item("term", None): Own(Decimal(reserve.term_years), ENTERED),
    }
    for row in years:
        own |= {Item(name, row.year): Own(getattr(row, name), ENTERED) for name in YEARLY}
    for name in ("investment", "revenue", "operating_cost", "tax"):
        own[Item(name, None)] = Own(sum((getattr(row, name) for row in years), ZERO), ENTERED)
    for tranche in statement.plan.tranches:
        own[Item("rate", tranche.value_date.year)] = Own(tranche.rate, ENTERED)
        own[Item("term", tranche.value_date.year)] = Own(Decimal(tranche.term_years), ENTERED)
    names = {
        "net_revenue": "net_revenue",
        "principal": "principal",
        "interest": "interest",
        "debt_service": "debt_service",
    }
    for line in statement.rows:
        own |= {Item(code, line.year): Own(getattr(line, name), COMPUTED) for code, name in names.items()}
    for code, name in names.items():
        own[Item(code, None)] = Own(sum((getattr(line, name) for line in statement.rows), ZERO), COMPUTED)
    if statement.coverage.all_interest.value is not None:
        own[Item("coverage", None)] = Own(statement.coverage.all_interest.value, COMPUTED)
    for line in statement.rows:
        if line.year_coverage is not None:
            own[Item("coverage", line.year)] = Own(line.year_coverage, COMPUTED)
    return own


def check_file(reserve: Reserve, data: bytes, name: str, query: Query) -> Check:
    """Compare a workbook with a reserve project as planned. Raises `BookError` for a file that cannot be read."""
    return check_stated(reserve, read_plan(read_book(data, name)), query)


def check_stated(reserve: Reserve, stated: list[Stated], query: Query) -> Check:
    """Compare what a file states with a reserve project as planned."""
    years = list(PlanYear.objects.filter(reserve=reserve, version=PlanYear.Version.PLAN).order_by("year"))
    own = own_figures(reserve, statement_of(reserve, PlanYear.Version.PLAN, query), years)
    return Check(*compare(stated, own))


@action("funds.check_offering", permission=KEEP_RESERVE)
def check_offering(act: Act, reserve: Reserve, upload: "UploadedFile[Any]", on: date) -> Check:
    """Keep the plan of an offering file and list what differs from the entered figures as findings.

    Raises `ValidationError` (field ``file``) for a file that cannot be read, or in which nothing is recognised.
    """
    act.require(reserve.org_id)
    data = upload.read()
    try:
        stated = read_plan(read_book(data, upload.name or ""))
    except BookError as error:
        raise ValidationError({"file": [book_message(error)]}) from None
    if not stated:
        raise ValidationError(
            {
                "file": [
                    _(
                        "Nothing was recognised in “%(name)s”. Tables need years and words such as 收入, 成本, 利息."
                    )
                    % {"name": upload.name}
                ]
            }
        )
    upload.seek(0)
    for row in attachments([reserve]).get(target_of(reserve), []):
        if row.kind == KIND:
            Attachment.objects.filter(pk=row.pk).update(retracted_at=act.now)
    attach(act, reserve, KIND, upload, org_id=reserve.org_id)
    found = check_stated(reserve, stated, Query((reserve.org_id,), on))
    items = [_found(reserve, row, upload.name or "") for row in found.different]
    settle(act, reserve.org_id, (DIFFERS,), items, on, _keys(reserve, found))
    act.log(
        reserve,
        after={"file": upload.name, "compared": len(found.rows), "different": len(found.different)},
        name=upload.name or "",
    )
    return found


def _keys(reserve: Reserve, found: Check) -> set[str]:
    """Everything that was ever found of this reserve project: what is right now is closed."""
    from yuanmai.core.findings import Finding

    prefix = f"reserve-{reserve.pk}-"
    known = Finding.objects.filter(org_id=reserve.org_id, kind=DIFFERS, key__startswith=prefix)
    return {*known.values_list("key", flat=True), *(_key(reserve, row.stated.item) for row in found.rows)}


def _key(reserve: Reserve, item: Item) -> str:
    return f"reserve-{reserve.pk}-{item.code}-{item.year or 'all'}"


def latest_file(reserve: Reserve) -> Attachment | None:
    """Return the plan that was checked last."""
    rows = [row for row in attachments([reserve]).get(target_of(reserve), []) if row.kind == KIND]
    return rows[-1] if rows else None


def check_latest(reserve: Reserve, query: Query) -> tuple[Attachment, Check] | None:
    """Compare the kept plan with what is entered by now; None without a plan."""
    row = latest_file(reserve)
    if row is None:
        return None
    try:
        return row, check_file(reserve, path_of(row.digest).read_bytes(), row.name, query)
    except (OSError, BookError):
        return None


def label(code: str) -> str:
    """Return what an item is called, in the active language."""
    return words().labels[code]["zh" if chinese() else "en"]


def shown(code: str, value: Decimal | str | None) -> str:
    """Return a value of an item in words."""
    if value is None:
        return "—"
    number = Decimal(str(value))
    kind = words().kinds[code]
    if kind == "money":
        return yuan_text(number, chinese=chinese())
    if kind == "rate":
        return f"{(number * 100).quantize(Decimal('0.0001')).normalize():f}%"
    if kind == "years":
        return _("%(n)s years") % {"n": f"{number.normalize():f}"}
    return f"{number.quantize(Decimal('0.0001')).normalize():f}"


def _found(reserve: Reserve, row: Compared, file: str) -> Found:
    params = {
        "item": row.stated.item.code, "year": row.stated.item.year, "stated": str(row.stated.value),
        "own": None if row.own is None else str(row.own.value), "origin": row.own.origin if row.own else "",
        "cell": f"{row.stated.sheet}!{row.stated.cell}", "file": file, "sheet": row.stated.sheet,
    }  # fmt: skip
    evidence: list[Mapping[str, Any]] = [
        {"label": f"{file} · {row.stated.sheet}!{row.stated.cell}", "url": "", "value": row.stated.text},
        {"label": "Σ", "url": "", "value": params["own"]},
    ]
    return Found(DIFFERS, _key(reserve, row.stated.item), params, evidence, "warning")


def _sentence(params: Mapping[str, Any]) -> str:
    code = params["item"]
    what = f"{label(code)} {params['year']}" if params["year"] else label(code)
    text = (
        _("%(what)s: the offering file (%(cell)s) states %(stated)s, computed is %(own)s.")
        if params["origin"] == COMPUTED
        else _("%(what)s: the offering file (%(cell)s) states %(stated)s, entered is %(own)s.")
    )
    return text % {
        "what": what, "cell": params["cell"], "stated": shown(code, params["stated"]), "own": shown(code, params["own"]),
    }  # fmt: skip


finding_kind(
    FindingKind(
        DIFFERS,
        gettext_lazy("Offering file and entered figures differ"),
        _sentence,
        gettext_lazy("Correct the entry, or the offering file before it is handed in, and check it again."),
    )
)
