"""The form of a rule: what is typed for each kind of parameter, and how it is read back."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from yuanmai.funds.reserve.rules import Parameter, names
from yuanmai.projects.forms import ConfirmingForm, DayInput


class RuleForm(ConfirmingForm):
    """A new value of one parameter. Tables are entered one line each: code, blank, value."""

    org = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Organisation"))
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Valid from"))
    value = forms.CharField(label=pgettext_lazy("rule", "Value"))
    source = forms.CharField(
        max_length=300,
        label=gettext_lazy("Document that decides it"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self, *args: Any, parameter: Parameter, orgs: Iterable[tuple[int, str]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.parameter = parameter
        self.fields["org"].choices = list(orgs)  # type: ignore[attr-defined]
        kind = parameter.kind
        if kind in {"share", "weights"}:
            self.fields["value"].help_text = _("In per cent: 30 is 30 %.") if kind == "share" else ""
        if kind in {"shares", "weights", "fields", "checklist"}:
            self.fields["value"].widget = forms.Textarea(attrs={"rows": 12, "spellcheck": "false"})
            self.fields["value"].help_text = TABLE_HELP[kind]
        elif kind == "terms":
            self.fields["value"].help_text = _("Years, divided by commas: 5, 7, 10.")
        elif kind == "level":
            self.fields["value"] = forms.ChoiceField(choices=LEVEL_CHOICES, label=_("Value"))

    def stored(self) -> Any:
        """Return what was typed as the action takes it; raises `ValidationError` (field ``value``)."""
        return parse_value(self.parameter.kind, self.cleaned_data["value"])


LEVEL_CHOICES = [
    ("refuse", gettext_lazy("Refuse")), ("flag", gettext_lazy("Let through and flag")), ("off", gettext_lazy("Do not check")),
]  # fmt: skip
TABLE_HELP = {
    "shares": gettext_lazy("One line for each code, in per cent: “port 20”."),
    "weights": gettext_lazy("One line for each code with its weight: “income 20”."),
    "fields": gettext_lazy(
        "One line for each field: “code negative”, “code any” (bonds may be capital), “code park national,provincial” "
        "(in parks of these levels), or only the code."
    ),
    "checklist": gettext_lazy("One line for each paper: “code group weight review|approval|issue”, and “file” where a file is needed."),
}  # fmt: skip


def value_text(kind: str, value: Any) -> str:
    """Return a stored value as the form shows it for change."""
    if kind == "share":
        return f"{(Decimal(str(value)) * 100).normalize():f}"
    if kind == "terms":
        return ", ".join(str(term) for term in value)
    if kind == "shares":
        return "\n".join(f"{code} {(Decimal(str(v)) * 100).normalize():f}" for code, v in value.items())
    if kind == "weights":
        return "\n".join(f"{code} {v}" for code, v in value.items())
    if kind == "fields":
        return "\n".join(f"{code} {_field_words(entry)}".strip() for code, entry in value.items())
    if kind == "checklist":
        return "\n".join(
            f"{code} {e['group']} {e['weight']} {e['needed']}{' file' if e.get('file') else ''}"
            for code, e in value.items()
        )
    return str(value)


def _field_words(entry: Mapping[str, Any]) -> str:
    if entry.get("negative"):
        return "negative"
    if entry.get("capital") == "park":
        return f"park {','.join(entry.get('levels', ()))}"
    return str(entry.get("capital", ""))


def parse_value(kind: str, text: str) -> Any:
    """Return what was typed as a stored value; raises `ValidationError` (field ``value``) naming the line."""
    if kind == "share":
        return f"{_decimal(text) / 100:f}"
    if kind == "terms":
        return [
            _whole(part) for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()
        ]
    if kind not in {"shares", "weights", "fields", "checklist"}:
        return text.strip()
    found: dict[str, Any] = {}
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        try:
            found[words[0]] = _parse_line(kind, words[1:])
        except (ValueError, IndexError):
            raise ValidationError(
                {"value": [_("This line is not understood: %(line)s") % {"line": line}]}
            ) from None
    return found


def _parse_line(kind: str, words: list[str]) -> Any:
    if kind == "shares":
        (number,) = words
        return f"{_decimal(number) / 100:f}"
    if kind == "weights":
        (number,) = words
        return f"{_decimal(number):f}"
    if kind == "fields":
        if not words:
            return {}
        if words == ["negative"]:
            return {"negative": True}
        if words == ["any"]:
            return {"capital": "any"}
        word, levels = words
        known = set(names("park_levels"))
        if word != "park" or not set(levels.split(",")) <= known:
            raise ValueError(word)
        return {"capital": "park", "levels": levels.split(",")}
    group, weight, needed, *rest = words
    if (
        group not in names("checklist_groups")
        or needed not in {"review", "approval", "issue"}
        or rest not in ([], ["file"])
    ):
        raise ValueError(group)
    entry: dict[str, Any] = {"group": group, "weight": f"{_decimal(weight):f}", "needed": needed}
    return {**entry, "file": True} if rest else entry


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.strip().removesuffix("%"))
    except ArithmeticError:
        raise ValidationError({"value": [_("This is not a number: %(text)s") % {"text": text}]}) from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValidationError({"value": [_("This is not a number: %(text)s") % {"text": text}]}) from None
