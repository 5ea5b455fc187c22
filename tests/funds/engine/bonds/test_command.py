"""``yuanmai engine bond``: without Django, without a database, quickly; agreeing with the worked examples."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from yuanmai.common.working_days import china

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = ROOT.parent / "shared" / "examples"
PROJECT = {
    "unit": "万元",
    "tranches": [
        {"id": "A", "principal": 10000, "rate": 0.0253, "value_date": "2024-06-19", "term_years": 30, "frequency": 2, "repayment": "bullet"},
        {"id": "B", "principal": 8000, "rate": 0.029, "value_date": "2025-03-31", "term": 20, "freq": 2, "repayment": "instalments",
         "instalments": {"16": 1600, "17": 1600, "18": 1600, "19": 1600, "20": 1600}},
    ],
    "loans": [{"id": "L", "principal": 5000, "rate": 0.0385, "periods": 10, "kind": "level_payment"}],
    "years": [{"year": year, "revenue": 2500, "operating_cost": 600, "tax": 100} for year in range(2027, 2055)],
    "investment": 30000,
    "operation_start": 2027,
    "fees": {"issue": 0.0008, "registration": 0.000064, "redemption": 0.00005},
}  # fmt: skip


def call(*arguments: str, stdin: str = "", language: str = "en") -> subprocess.CompletedProcess[str]:
    """Call the program where there is neither a data directory nor a setting for Django."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("YUANMAI_", "DJANGO_", "DATABASE"))}
    return subprocess.run(
        [sys.executable, "-m", "yuanmai", "engine", "bond", *arguments],
        env={**kept, "PYTHONPATH": str(ROOT / "src"), "YUANMAI_LANGUAGE": language, "YUANMAI_HOME": "/nowhere"},
        input=stdin, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def answer(source: Any, status: int = 0) -> Any:
    done = call("-", "--json", stdin=source if isinstance(source, str) else json.dumps(source))
    assert done.returncode == status, done.stderr + done.stdout
    return json.loads(done.stdout)


def example(name: str) -> Any:
    path = EXAMPLES / name
    if not path.exists():
        pytest.skip(f"the worked example {path} is not here")
    return json.loads(path.read_text("utf-8"))


def test_the_ten_year_bond_is_as_worked() -> None:
    case = example("bonds/S1_10y_semiannual_bullet.json")
    expected = case["expected"]
    for source in (
        case["inputs"],
        case,
        {**case["inputs"], "accrued_interest_on": ["2024-09-19"]},
    ):
        found = answer(source)
        only = next(iter(found["tranches"].values()))
        assert only["flows"] == found["flows"]
        assert [row["date"] for row in found["flows"]] == [row["date"] for row in expected["flows"]]
        for row, wanted in zip(found["flows"], expected["flows"], strict=True):
            assert row["interest"] == pytest.approx(wanted["interest"], abs=1e-9)
            assert row["principal"] == pytest.approx(wanted["principal"], abs=1e-9)
        assert (
            found["by_year"] == expected["by_year"] and found["total_interest"] == expected["total_interest"]
        )
        paid = {row["date"]: row["payment_date"] for row in found["flows"]}
        for entry in expected["adjusted_dates_first_four"]:
            assert paid[entry["unadjusted"]] == entry["following_business_day_IB"]
        accrued = found["accrued_interest_on"]
        for day, wanted in expected["accrued_interest_on"].items():
            assert accrued[day] == pytest.approx(wanted, abs=1e-6)
    assert accrued["2024-09-19"] == pytest.approx(126.5 * 92 / 183, abs=1e-9)


def test_month_ends_are_as_worked() -> None:
    case = example("bonds/S6_month_end_dates.json")
    assert answer({**case["inputs"], "value_dates": list(case["expected"])})["dates"] == case["expected"]
    for first, days in case["expected"].items():
        found = answer(
            {**case["inputs"], "principal": 100, "rate": 0.02, "value_date": first, "repayment": "bullet"}
        )
        assert [row["date"] for row in found["flows"]] == days


def test_the_working_calendar_is_as_compared() -> None:
    days = china()
    for year, lists in example("cpm/calendar-cn.json")["years"].items():
        off = sorted(day.isoformat() for day in days.off if day.year == int(year))
        worked = sorted(day.isoformat() for day in days.worked if day.year == int(year))
        assert (off, worked) == (lists["weekday_holidays"], lists["makeup_workdays"])


def test_a_project_in_one_document() -> None:
    found = answer(PROJECT)
    assert list(found["tranches"]) == ["A", "B"] and found["unit"] == "万元"
    assert list(found["tranches"]["B"]["accrued_interest_on"])[:2] == ["2025-12-31", "2026-12-31"]
    assert found["tranches"]["B"]["total_interest"] == pytest.approx(
        0.029 * (8000 * 16 + 6400 + 4800 + 3200 + 1600), abs=1e-9
    )
    interest = 10000 * 0.0253 * 30 + 0.029 * (8000 * 16 + 16000)
    net, level = 1800 * 28, 5000 * 0.0385 / (1 - 1.0385**-10)
    early = 126.5 + 253 + 116 + 253 + 232
    fees = 0.000864 * 18000 + 0.00005 * (18000 + interest)
    assert found["coverage"] == pytest.approx(
        {
            "all_interest": net / (18000 + interest),
            "operating_period_interest_only": net / (18000 + interest - early),
            "with_issue_fees": net / (18000 + interest + fees),
            "all_debt": net / (18000 + interest + 10 * level),
            "net_income_to_principal": net / 18000,
            "net_income_to_investment": net / 30000,
        },
        abs=1e-9,
    )
    assert [row["year"] for row in found["rows"]] == list(range(2024, 2055))
    first = found["rows"][0]
    assert first == {
        "year": 2024, "revenue": 0, "operating_cost": 0, "tax": 0, "net_revenue": 0, "interest": 126.5, "principal": 0,
        "debt_service": 126.5, "bond_service": 126.5, "year_coverage": 0, "cumulative_balance": -126.5,
    }  # fmt: skip
    assert found["rows"][-1]["cumulative_balance"] == pytest.approx(net - 18000 - interest, abs=1e-9)
    assert found["loans"]["L"]["flows"][0] == pytest.approx(
        {
            "period": 1,
            "date": None,
            "year": None,
            "interest": 192.5,
            "principal": level - 192.5,
            "outstanding": 5000 - level + 192.5,
        }
    )
    failed = {check["code"]: check["message"] for check in found["checks"] if not check["passed"]}
    assert set(failed) == {"no_gap_year", "within_horizon", "all_debt_at_least"} - (
        {"all_debt_at_least"} if found["coverage"]["all_debt"] >= 1.2 else set()
    )
    assert [note["rule"] for note in found["notes"]] == ["loan_outside_years", "calendar_ends"]


def test_the_documents_of_the_manual_are_understood() -> None:
    manual = (ROOT / "docs" / "bond-engine.md").read_text("utf-8")
    blocks = re.findall(r"```json\n(.*?)```", manual, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert [note["rule"] for note in answer(block)["notes"]] == ["calendar_ends"]


def test_a_payment_day_beyond_the_known_years_says_so() -> None:
    flows = answer(PROJECT)["tranches"]["A"]["flows"]
    known = [row["payment_date_certain"] for row in flows]
    assert known[0] is True and known[-1] is False
    assert flows[3] == {
        "date": "2026-06-19", "payment_date": "2026-06-22", "payment_date_certain": True, "interest": 126.5, "principal": 0,
        "outstanding": 10000,
    }  # fmt: skip


def test_numbers_keep_what_was_written() -> None:
    source = json.dumps(PROJECT).replace("10000", "12345678.90123456789")
    total = answer(source)["tranches"]["A"]["total_interest"]
    assert total == pytest.approx(12345678.90123456789 * 0.0253 * 30, abs=1e-8)


def test_bad_input_is_refused_with_every_fault() -> None:
    bad = {
        "id": "x",
        "principal": 0,
        "rate": 0.31,
        "value_date": "2024-06-19",
        "maturity": "2023-01-01",
        "repayment": "none",
    }
    found = answer(bad, status=1)
    assert [(error["path"], error["rule"]) for error in found["errors"]] == [
        ("repayment", "unknown_repayment"), ("value_date", "value_date_after_maturity"), ("principal", "not_positive"),
        ("rate", "rate_too_high"),
    ]  # fmt: skip
    assert found["errors"][3]["value"] == 0.31 and "30 %" in found["errors"][3]["message"]
    done = call("-", stdin=json.dumps(bad), language="zh")
    assert done.returncode == 1 and done.stdout == "" and "利率高于 30%" in done.stderr


@pytest.mark.parametrize(
    ("text", "rule"),
    [("{", "not_json"), ("\xff", "not_json"), ("", "not_json"), ("[" * 100_000, "not_json"), ('{"id": 1, "id": 2}', "duplicate_key"),
     ('{"principal": NaN}', "not_a_number"), ('{"principal": 1e999999999999}', "not_a_number"), ('{"rate": ' + "9" * 5000 + "}", "not_a_number")],
)  # fmt: skip
def test_what_is_no_document_is_refused(text: str, rule: str) -> None:
    assert rule in [error["rule"] for error in answer(text, status=1)["errors"]]


def test_a_missing_file_and_wrong_usage(tmp_path: Path) -> None:
    done = call(str(tmp_path / "none.json"), "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["errors"][0]["rule"] == "unreadable"
    assert call().returncode == 2 and call("a", "b").returncode == 2


def test_for_people_it_is_a_table(tmp_path: Path) -> None:
    file = tmp_path / "project.json"
    file.write_text("\ufeff" + json.dumps(PROJECT), encoding="utf-8")
    done = call(str(file))
    assert done.returncode == 0, done.stderr
    assert "-126.5000" in done.stdout and "all_interest: " in done.stdout and "✗ No year has" in done.stdout
    assert "本息覆盖倍数" not in done.stdout
    assert "各年累计结余" in call(str(file), language="zh").stdout
    assert (
        call("-", stdin='{"term_years": 1, "frequency": 1, "value_dates": ["2024-02-29"]}').stdout
        == "2024-02-29: 2025-02-28\n"
    )


def test_django_is_not_loaded_and_it_starts_quickly() -> None:
    program = (
        "import sys, io, json\n"
        "from yuanmai.cli import cli\n"
        "sys.argv = ['yuanmai', 'engine', 'bond', '-', '--json']\n"
        "try:\n    cli(prog_name='yuanmai')\n"
        "finally:\n    print('django' in sys.modules, 'yaml' in sys.modules, file=sys.stderr)\n"
    )
    took = []
    for _try in range(3):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, input=json.dumps(PROJECT),
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        took.append(time.perf_counter() - start)
        assert done.stderr.strip() == "False True"
    assert min(took) < 1.5, took  # half a second on a machine that has nothing else to do
