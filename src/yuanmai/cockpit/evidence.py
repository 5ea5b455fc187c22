"""The evidence of a finding as a page shows it: figures by their present name, amounts as officials read them."""

from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from yuanmai.core.fields import MoneyField
from yuanmai.core.figures import FIGURES, Figure, Unit
from yuanmai.core.figures.display import display_value
from yuanmai.core.findings import Finding
from yuanmai.projects.models import ProgressReport, ProjectVersion, YearPlan

AMOUNTS = {
    field.name
    for model in (ProjectVersion, YearPlan, ProgressReport)
    for field in model._meta.get_fields()
    if isinstance(field, MoneyField)
}


def figure_of(line: dict[str, Any]) -> Figure | None:
    """Return the figure that a line of evidence links to."""
    path = urlsplit(str(line.get("url") or "")).path
    return FIGURES.get(path.removeprefix("/figures/")) if path.startswith("/figures/") else None


def number_of(line: dict[str, Any]) -> Decimal | None:
    """Return the value of a line as a number, where it is one."""
    try:
        number = Decimal(str(line.get("value")))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def unit_of(finding: Finding) -> Unit | None:
    """Return what the numbers of the evidence are measured in; None where they are shown as they were written."""
    for line in finding.evidence:
        if figure := figure_of(line):
            return figure.unit
    projects = any(str(line.get("url") or "").startswith("/projects/") for line in finding.evidence)
    return Unit.YUAN if projects or finding.params.get("field") in AMOUNTS else None


def lines(finding: Finding) -> list[dict[str, str]]:
    """Return the lines of evidence: label, address, value as text, and the exact value for the title."""
    unit = unit_of(finding)
    result = []
    for line in finding.evidence:
        number, figure = number_of(line), figure_of(line)
        text = "–" if line.get("value") is None else str(line["value"])
        exact = ""
        if number is not None and unit is not None:
            text, exact = display_value(number, unit), f"{number.normalize():,f}"
        label = str(figure.name) if figure else str(line.get("label", ""))
        result.append({"label": label, "url": str(line.get("url") or ""), "value": text, "exact": exact})
    return result
