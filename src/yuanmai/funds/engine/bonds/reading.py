"""Reading single values of a JSON document: names by meaning, numbers and dates in the spellings in use, faults collected (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from yuanmai.funds.engine.bonds.terms import Fault, Repayment

# Which keys say what; the first is the one we write.
NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "code", "name", "债券代码", "代码", "编号", "名称"),
    "principal": ("principal", "amount", "本金", "金额", "发行金额", "发行额"),
    "rate": ("rate", "coupon_rate", "coupon", "annual_rate", "利率", "票面利率", "年利率"),
    "value_date": ("value_date", "start_date", "起息日"),
    "term_years": ("term_years", "term", "tenor", "期限"),
    "maturity": ("maturity", "maturity_date", "到期日"),
    "frequency": ("frequency", "freq", "payments_per_year", "coupons_per_year", "付息频率", "年付息次数"),
    "repayment": ("repayment", "repayment_kind", "repayment_type", "还本方式"),
    "instalments": ("instalments", "installments", "instalment", "installment", "principal_schedule", "分期还本"),
    "early_redemption": (
        "early_redemption", "early_redemptions", "redemption", "redemptions", "prepayment", "prepayments", "提前偿还", "提前还本",
    ),
    "grace_years": ("grace_years", "grace", "宽限期"),
    "grace_periods": ("grace_periods",),
    "principal_frequency": ("principal_frequency", "principal_freq", "还本频率"),
    "kind": ("kind", "repayment", "type", "method", "还款方式", "还本方式"),
    "periods": ("periods", "n_periods", "number_of_periods", "期数"),
    "drawn_on": ("drawn_on", "value_date", "start_date", "start", "起息日", "放款日"),
    "first_year": ("first_year", "first_payment_year"),
    "start_year": ("start_year",),
    "years": ("years", "年数"),
    "year": ("year", "年份", "年度"),
    "revenue": ("revenue", "income", "收入"),
    "operating_cost": ("operating_cost", "operating_costs", "cost", "costs", "opex", "运营成本", "经营成本", "成本"),
    "tax": ("tax", "taxes", "税费", "税金"),
    "net_revenue": ("net_revenue", "net_income", "净收益"),
    "issue": ("issue", "issuance", "发行费", "发行"),
    "registration": ("registration", "registry", "登记费", "登记"),
    "redemption": ("redemption", "payment", "兑付费", "兑付手续费", "兑付"),
    "total": ("total", "total_investment", "总投资"),
    "capital": ("capital", "equity", "project_capital", "资本金"),
    "other_debt": ("other_debt", "other", "其他融资"),
    "outlays": ("outlays", "by_year", "分年投资"),
    "bonds_as_capital": ("bonds_as_capital", "bond_capital", "专项债券用作资本金"),
}  # fmt: skip

REPAYMENTS: dict[str, Repayment] = {
    spelling: kind
    for kind, spellings in {
        Repayment.BULLET: (
            "bullet", "at_maturity", "到期一次还本", "到期还本", "一次还本", "到期一次性还本", "到期一次性偿还本金", "到期一次还本付息",
            "先息后本", "按期付息到期还本",
        ),
        Repayment.INSTALMENTS: (
            "instalments", "instalment", "installments", "installment", "by_year", "by_years", "instalments_by_year", "amortising",
            "amortizing", "schedule", "分期还本", "分年还本", "分期偿还", "分期还款", "按年还本",
        ),
        Repayment.EQUAL_PRINCIPAL: (
            "equal_principal", "equal_principals", "constant_principal", "straight_line", "linear", "等额本金", "等本",
        ),
        Repayment.LEVEL_PAYMENT: (
            "level_payment", "level_payments", "level", "annuity", "equal_payment", "equal_payments", "equal_installment",
            "equal_instalment", "equal_instalments", "equal_installments", "等额本息", "等额",
        ),
    }.items()
    for spelling in spellings
}  # fmt: skip

FREQUENCIES: dict[str, int] = {
    spelling: number
    for number, spellings in {
        0: ("at_maturity", "maturity", "once", "zero", "到期一次还本付息", "到期付息", "利随本清"),
        1: ("annual", "annually", "yearly", "year", "a", "y", "年", "每年", "按年", "年付", "按年付息", "每年付息一次", "一年一次"),
        2: ("semiannual", "semiannually", "semi_annual", "semi_annually", "half_yearly", "halfyearly", "half_year", "biannual", "s", "半年", "每半年", "按半年", "半年付", "按半年付息", "每半年付息一次", "半年付息", "半年一次"),
        4: ("quarterly", "quarter", "q", "季", "每季", "按季", "季付", "按季付息"),
        12: ("monthly", "month", "m", "月", "每月", "按月", "月付", "按月付息"),
    }.items()
    for spelling in spellings
}  # fmt: skip

FULL_WIDTH = str.maketrans("０１２３４５６７８９．％，－（）", "0123456789.%,-()")
DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$")
MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?$")
WHOLE = re.compile(r"(\d+)(?:\.0*)?\s*(?:年期?|y|yr|yrs|year|years|期)?$", re.IGNORECASE)


def spelled(value: str) -> str:
    """Return a word as the tables above have it."""
    return re.sub(r"[\s\-]+", "_", value.strip().translate(FULL_WIDTH).lower())


def to_number(value: Any) -> Decimal | None:
    """Return a finite number: JSON numbers, and texts like "10,000" or "2.53%" (a percentage is divided by 100); else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip().translate(FULL_WIDTH).replace(",", "").replace(" ", "")
        percent = text.endswith("%")
        try:
            number = Decimal(text.rstrip("%"))
        except InvalidOperation:
            return None
        number = number.scaleb(-2) if percent and number.is_finite() else number
    elif isinstance(value, int | float | Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    else:
        return None
    if not number.is_finite() or (number and not -60 <= number.adjusted() <= 60):
        return None
    return number


def to_whole(value: Any) -> int | None:
    """Return a whole number: 10, 10.0, "10", "10年"; else None."""
    if isinstance(value, str):
        found = WHOLE.match(value.strip().translate(FULL_WIDTH))
        return int(found[1]) if found and len(found[1]) < 10 else None
    number = to_number(value)
    if number is None or abs(number) > 10**9 or number != number.to_integral_value():
        return None
    return int(number)


def to_date(value: Any) -> date | None:
    """Return a day: 2024-06-19, 2024/6/19, 2024年6月19日, 20240619, a date; else None."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = value.strip().translate(FULL_WIDTH)
    text = re.sub(r"T00:00(:00)?(\.0+)?Z?$", "", text)
    if re.fullmatch(r"\d{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    found = DATE.fullmatch(text)
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


@dataclass
class Reading:
    """What has been found wrong so far, and what should be said about how the document was understood."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)

    def fault(self, path: str, value: Any, rule: str, **params: Any) -> None:
        """Keep a fault."""
        self.faults.append(Fault(path, value, rule, params))

    def note(self, path: str, value: Any, rule: str, **params: Any) -> None:
        """Keep a remark on how something was understood."""
        self.notes.append(Fault(path, value, rule, params))

    def item(self, source: Mapping[str, Any], name: str) -> tuple[str, Any]:
        """Return key and value of what is called `name`; the value is None when nothing is said."""
        for key in NAMES[name]:
            if source.get(key) is not None:
                return key, source[key]
        return NAMES[name][0], None

    def number(
        self, source: Mapping[str, Any], name: str, path: str, *, default: Decimal | None = None
    ) -> Decimal | None:
        """Return a number; without a default it must be there."""
        key, value = self.item(source, name)
        if value is None:
            if default is None:
                self.fault(path + key, None, "missing")
            return default
        number = to_number(value)
        if number is None:
            self.fault(path + key, value, "not_a_number")
        return number

    def whole(
        self, source: Mapping[str, Any], name: str, path: str, *, default: int | None = None
    ) -> int | None:
        """Return a whole number; without a default it must be there."""
        key, value = self.item(source, name)
        if value is None:
            if default is None:
                self.fault(path + key, None, "missing")
            return default
        number = to_whole(value)
        if number is None:
            self.fault(path + key, value, "not_a_whole_number")
        return number

    def day(self, source: Mapping[str, Any], name: str, path: str) -> date | None:
        """Return a day that must be there."""
        key, value = self.item(source, name)
        if value is None:
            self.fault(path + key, None, "missing")
            return None
        day = to_date(value)
        if day is None:
            self.fault(path + key, value, "not_a_date")
        return day

    def unread(self, source: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
        """Remark on keys that mean nothing to us, so that a misspelt one does not pass silently."""
        meant = {key for name in known for key in NAMES.get(name, (name,))}
        for key, value in source.items():
            if key not in meant:
                self.note(f"{path}{key}", value, "not_understood")
