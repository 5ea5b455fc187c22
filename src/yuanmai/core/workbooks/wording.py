"""Rules, file refusals and checks in words: what is wrong, and what to do about it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from yuanmai.common.money import yuan_text
from yuanmai.core.workbooks.engine.faults import BookError, Fault
from yuanmai.core.workbooks.engine.spec import KindSpec

# rule → (what is wrong, what to do). {name} is filled from the fault's parameters.
RULES: dict[str, tuple[Any, Any]] = {
    "name.missing": (
        gettext_lazy("This row has no name."),
        gettext_lazy("Write the name, or delete the row if it does not belong to the list."),
    ),
    "number.not_a_number": (
        gettext_lazy("This is not a number."),
        gettext_lazy("Write one number, e.g. 3500 or 3500万元; leave the cell empty if it is unknown."),
    ),
    "number.is_a_date": (
        gettext_lazy("This is a date, not an amount."),
        gettext_lazy("Set the cell's format to number and write the amount again."),
    ),
    "number.too_large": (
        gettext_lazy("The amount is impossibly large."),
        gettext_lazy("Check the unit of the column and the number of digits."),
    ),
    "number.negative": (
        gettext_lazy("The amount is negative."),
        gettext_lazy("Amounts are 0 or more; write a correction into the month it belongs to."),
    ),
    "money.currency": (
        gettext_lazy("The amount is in a foreign currency."),
        gettext_lazy("Convert it to yuan and name the rate in the remarks."),
    ),
    "done.over_total": (
        gettext_lazy("More is done ({left}) than the total investment ({right})."),
        gettext_lazy("Check the unit of both cells; if the total has grown, enter the new total."),
    ),
    "done.over_plan": (
        gettext_lazy("More is done this year ({left}) than planned for the year ({right})."),
        gettext_lazy("Possible, but check it: often last year's work was added."),
    ),
    "done.month_over_year": (
        gettext_lazy("The month's amount ({left}) is larger than the year's ({right})."),
        gettext_lazy("The year's amount includes the month; correct one of the two."),
    ),
    "done.year_over_all": (
        gettext_lazy("This year's amount ({left}) is larger than that since the start ({right})."),
        gettext_lazy("The amount since the start includes this year; correct one of the two."),
    ),
    "plan.over_total": (
        gettext_lazy("The year's plan ({left}) is larger than the total investment ({right})."),
        gettext_lazy("Check the unit of both cells."),
    ),
    "funds.over_total": (
        gettext_lazy("The sources add up to {left}, more than the total investment of {right}."),
        gettext_lazy("Correct the sources or the total."),
    ),
    "date.end_before_start": (
        gettext_lazy("It ends ({right}) before it starts ({left})."),
        gettext_lazy("Correct the start or the completion."),
    ),
    "date.unreadable": (
        gettext_lazy("This is not a date."),
        gettext_lazy("Write it as 2022-03, 2022年3月 or 2022-03-15."),
    ),
    "date.impossible_month": (gettext_lazy("There is no such month."), gettext_lazy("Months are 1 to 12.")),
    "date.impossible_day": (
        gettext_lazy("There is no such day."),
        gettext_lazy("Check the day of the month."),
    ),
    "row.duplicate": (
        gettext_lazy("The same entry stands in {first} already."),
        gettext_lazy("Delete one of the two rows; if they are two, give them different names or codes."),
    ),
    "kind.unknown": (
        gettext_lazy("This is no kind of project."),
        gettext_lazy("Write 新开工, 续建 or 预备; “{nearest}” comes nearest."),
    ),
    "state.unknown": (
        gettext_lazy("This state is not known."),
        gettext_lazy("Write 已开工, 未开工, 已复工, 未复工 or 已竣工."),
    ),
    "percent.range": (
        gettext_lazy("This share is out of range."),
        gettext_lazy("Write a share between 0 % and {maximum} %."),
    ),
    "percent.contradicts": (
        gettext_lazy("{stated} is stated, {computed} follows from the amounts."),
        gettext_lazy("Correct the share or the amounts; the system uses the computed one."),
    ),
    "text.too_long": (
        gettext_lazy("The text is too long (at most {limit} characters)."),
        gettext_lazy("Shorten it; details belong into the remarks."),
    ),
    "column.missing": (
        gettext_lazy("No column with the name was found."),
        gettext_lazy("Name the column {label}, or choose it in the browser's import."),
    ),
}

FILES: dict[str, tuple[Any, Any]] = {
    "empty": (
        gettext_lazy("The file is empty."),
        gettext_lazy("Save the workbook again and choose that file."),
    ),
    "too_big": (
        gettext_lazy("The file is too big (limit {limit_mb} MB)."),
        gettext_lazy("Delete pictures and unused sheets, or split the list."),
    ),
    "too_big_sheet": (
        gettext_lazy("The sheet reaches over too many cells."),
        gettext_lazy(
            "Something stands far away from the table: delete the rows and columns behind it, then save again."
        ),
    ),
    "too_wide": (
        gettext_lazy("The sheet has more than {limit} columns."),
        gettext_lazy(
            "Something stands far to the right of the table: delete the columns behind it, then save again."
        ),
    ),
    "encrypted": (
        gettext_lazy("The file is protected by a password."),
        gettext_lazy("Open it, remove the password (File › Information › Protect), and save it again."),
    ),
    "corrupt": (
        gettext_lazy("The file is damaged and cannot be read."),
        gettext_lazy("Open it in Excel or WPS, save it under a new name, and choose that file."),
    ),
    "format": (
        gettext_lazy("This is not a workbook."),
        gettext_lazy("Choose a file of type .xlsx, .xls or .csv."),
    ),
    "no_header": (
        gettext_lazy("No row with column heads was found in {sheets}."),
        gettext_lazy("The table needs a row with {label} and at least two more known heads."),
    ),
    "no_sheet": (
        gettext_lazy("There is no sheet “{sheet}”."),
        gettext_lazy("Choose one of the workbook's sheets."),
    ),
    "no_rows": (
        gettext_lazy("There is a head, but no entry below it."),
        gettext_lazy("Check that the right sheet was chosen."),
    ),
    "gone": (gettext_lazy("The uploaded file is no longer kept."), gettext_lazy("Upload it again.")),
}


def add_rules(rules: Mapping[str, tuple[Any, Any]]) -> None:
    """Declare the rules of a room's own kinds: (what is wrong, what to do); raises `ValueError` where one is taken."""
    for code, words in rules.items():
        if code in RULES:
            raise ValueError(f"rule {code} is declared twice")
        RULES[code] = words


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""


def _fill(text: Any, params: Mapping[str, object]) -> str:
    return str(text).format_map(_Blank(params))


def amount(text: object) -> str:
    """An amount in yuan as people of the field read it."""
    try:
        return yuan_text(Decimal(str(text)), chinese=not (get_language() or "zh").startswith("en"))
    except ArithmeticError:
        return str(text)


def share(text: object, digits: int = 1) -> str:
    """A fraction as a percentage."""
    return f"{Decimal(str(text)) * 100:.{digits}f}%"


def _params(fault: Fault) -> dict[str, object]:
    params = dict(fault.params)
    if fault.rule.startswith(("done.", "plan.", "funds.")):
        params["left"], params["right"] = amount(params["left"]), amount(params["right"])
    if fault.rule == "percent.contradicts":
        digits = int(str(params.get("digits", 1)))
        params["stated"], params["computed"] = (
            share(params["stated"], digits),
            share(params["computed"], max(digits, 1)),
        )
    return params


def fault_text(fault: Fault) -> str:
    """What is wrong, without place or advice."""
    wrong, _advice = RULES.get(fault.rule, (fault.rule, ""))
    return _fill(wrong, _params(fault))


def fault_advice(fault: Fault) -> str:
    """What to do about it."""
    return _fill(RULES.get(fault.rule, ("", ""))[1], _params(fault))


def fault_message(fault: Fault) -> str:
    """The whole message: sheet, cell, column, value, what is wrong, what to do."""
    where = _("Sheet “%(sheet)s”, cell %(cell)s") % {"sheet": fault.sheet, "cell": fault.cell}
    if fault.column:
        where += _(" (%(column)s)") % {"column": fault.column}
    if fault.value:
        where += _(": “%(value)s”.") % {"value": fault.value}
    else:
        where += _(":")
    return f"{where} {fault_text(fault)} {fault_advice(fault)}".strip()


def book_message(error: BookError) -> str:
    """Why a file as a whole is refused, and what to do."""
    wrong, advice = FILES.get(error.code, FILES["corrupt"])
    return f"{_fill(wrong, error.params)} {_fill(advice, error.params)}".strip()


def field_label(spec: KindSpec, code: str) -> str:
    """Name of a field in the active language."""
    if code not in spec.fields:
        return code
    return spec.label_of(code, chinese=not (get_language() or "zh").startswith("en"))


Shower = Callable[[str, Any], str]
