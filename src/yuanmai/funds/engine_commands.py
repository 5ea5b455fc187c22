"""``yuanmai engine bond``: the bond engine at the terminal. Runs without Django and without a database."""

import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from yuanmai.common.language import room_messages
from yuanmai.common.plain import plain
from yuanmai.common.working_days import china
from yuanmai.common.yaml_file import load_yaml
from yuanmai.funds.engine.bonds.reader import read
from yuanmai.funds.engine.bonds.report import answer, fault_document
from yuanmai.funds.engine.bonds.terms import Fault, Rules
from yuanmai.funds.engine.bonds.words import Translate, written

ROOM = Path(__file__).parent
RULES = ROOM / "presets" / "bond_rules.yaml"


def preset_rules() -> Rules:
    """Return the rules that come with the program: of each the last value, for a file does not say of which day it speaks."""
    given = load_yaml(RULES)["rules"]

    def last(name: str) -> Any:
        return given[name]["values"][-1]["value"]

    return Rules(
        terms=tuple(last("permitted_terms")),
        semiannual_from=last("semiannual_from"),
        highest_rate=Decimal(last("highest_rate")),
        coverage_lower=Decimal(last("coverage_threshold")),
        coverage_upper=Decimal(last("coverage_upper")),
        all_debt_lower=Decimal(last("coverage_all_debt")),
        horizon=last("horizon"),
    )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def bond(file: str, as_json: bool) -> None:
    """Compute the debt service and coverage of the bonds in the JSON document FILE (- for standard input).

    FILE holds one bond (principal, rate, value_date, term_years, frequency, repayment), or a project: tranches, and as
    far as known loans, years (revenue, operating_cost, tax), investment, operation_start, fees.
    """
    translate = room_messages(ROOM / "engine").gettext
    faults: Sequence[Fault]
    document, faults = load(file)
    found = None
    rules = preset_rules()
    if not faults:
        found, faults = read(document, rules)
    if found is None:
        refuse(faults, translate, as_json=as_json)
        return
    result = answer(found, rules, china(), translate)
    if as_json:
        print_json(result)
    else:
        click.echo(as_text(result))


def load(file: str) -> tuple[Any, list[Fault]]:
    """Return the JSON document in a file, numbers as they are written, or why there is none."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        return None, [Fault("", file, "unreadable", {"reason": error.strerror})]
    twice: list[str] = []

    def gathered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _value in pairs]
            twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return found

    try:
        document = json.loads(
            data.decode("utf-8-sig"),
            parse_float=_number,
            parse_int=_whole,
            parse_constant=str,
            object_pairs_hook=gathered,
        )
    except (ValueError, RecursionError) as error:
        return None, [Fault("", None, "not_json", {"reason": " ".join(str(error).split())})]
    return document, [Fault(key, key, "duplicate_key") for key in twice]


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except ArithmeticError:  # its exponent is beyond all measure; the reader says that it is no number
        return text


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) < 30 else Decimal(text)


def refuse(faults: Sequence[Fault], translate: Translate, *, as_json: bool) -> None:
    """Say everything that is wrong and end with exit code 1."""
    errors = [fault_document(fault, translate) for fault in faults]
    if as_json:
        print_json({"errors": errors})
    else:
        for error in errors:
            value = "" if error["value"] is None else f" ({written(error['value'])[:80]})"
            click.echo(f"{error['path'] or '–'}{value}: {error['message']}", err=True)
    sys.exit(1)


def print_json(document: Any) -> None:
    """Print one JSON document; half a character, which JSON can name and UTF-8 cannot write, stays a name."""
    text = json.dumps(plain(document), ensure_ascii=False, indent=2)
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def as_text(result: dict[str, Any]) -> str:
    """Return the answer for people: debt service and coverage by year, the ratios, and the checks that failed."""
    if "dates" in result:
        return "\n".join(f"{key}: {' '.join(days)}" for key, days in result["dates"].items())
    columns = (
        "year",
        "net_revenue",
        "interest",
        "principal",
        "debt_service",
        "year_coverage",
        "cumulative_balance",
    )
    table = [columns, *([_cell(row[name]) for name in columns] for row in result["rows"])]
    widths = [max(len(line[index]) for line in table) for index in range(len(columns))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in table]
    lines += ["", *(f"{name}: {_cell(value)}" for name, value in result["coverage"].items()), ""]
    lines += [
        " ".join(part for part in ("✗", check["subject"], check["message"]) if part)
        for check in result["checks"]
        if not check["passed"]
    ]
    lines += [": ".join(part for part in (note["path"], note["message"]) if part) for note in result["notes"]]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value:,.4f}" if isinstance(value, Decimal) else written(value)
