"""What an entry holds, in words: fields by their names, codes and keys by what they stand for.

The log keeps what was stored: `kind: land`, `park: 12`, `role: leader`. A reader sees “Land acquisition”, the park's name and
the role's. A key whose row is gone, and a code that nobody knows any more, are shown as they were kept.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.actions import ACTIONS
from yuanmai.core.policy import PERMISSIONS, Text
from yuanmai.core.scope import everywhere

# Names of actions. An action without one is shown by the name of its right.
ACTION_NAMES: dict[str, Text] = {
    "core.export_audit": gettext_lazy("Export the audit log"),
    "core.verify_audit": gettext_lazy("Verify the audit log"),
}
# Words for what entries note besides fields of a table.
FIELD_NAMES: dict[str, Text] = {
    "reason": gettext_lazy("Reason"),
    "entries": gettext_lazy("Entries"),
    "filters": gettext_lazy("Filters"),
    "whole": gettext_lazy("Whole"),
    "file": gettext_lazy("File"),
    "options": gettext_lazy("Choices"),
    "columns": gettext_lazy("Columns"),
    "created": gettext_lazy("New"),
    "updated": gettext_lazy("Changed"),
    "unchanged": gettext_lazy("Unchanged"),
    "undone": gettext_lazy("Entries taken back"),
    "as_of": gettext_lazy("As of"),
    "action": gettext_lazy("Action"),
    "cancel": gettext_lazy("Cancelled"),
    "facts": gettext_lazy("Entries"),
}
# Models besides the target's own whose fields entries about it note: of a project its attributes, plans, reports.
ALSO_OF: dict[str, tuple[str, ...]] = {}
# What a value under a key stands for: the name of a role by its code. Returns None for what it does not know.
VALUE_NAMES: dict[str, Callable[[str], Text | None]] = {}


def name_actions(names: Mapping[str, Text]) -> None:
    """Give actions of a room names for the log."""
    ACTION_NAMES.update(names)


def name_fields(names: Mapping[str, Text]) -> None:
    """Give what a room notes in the log names."""
    FIELD_NAMES.update(names)


def name_values(names: Mapping[str, Callable[[str], Text | None]]) -> None:
    """Say how a room's codes under a key are shown."""
    VALUE_NAMES.update(names)


def note_of(target: str, models: Iterable[str]) -> None:
    """Say that entries about a kind of thing (``projects.project``) note fields of further models, too."""
    ALSO_OF[target] = (*ALSO_OF.get(target, ()), *models)


def action_name(code: str) -> str:
    """Return an action's name in the active language."""
    if code in ACTION_NAMES:
        return str(ACTION_NAMES[code])
    declared = ACTIONS.get(code)
    return (
        str(PERMISSIONS[declared.permission].name)
        if declared and declared.permission in PERMISSIONS
        else code
    )


def _model(target_type: str) -> type[models.Model] | None:
    try:
        return apps.get_model(target_type) if target_type else None
    except (LookupError, ValueError):
        return None


def kind_name(target_type: str) -> str:
    """Return what kind of thing an entry is about, in the active language."""
    model = _model(target_type)
    return str(model._meta.verbose_name) if model else target_type


def field_of(target_type: str, key: str) -> Any:
    """Return the field that a key of an entry names, of the target's own model or of one noted with it; None if none does."""
    for label in (target_type, *ALSO_OF.get(target_type, ())):
        model = _model(label)
        for name in (key, key.removesuffix("_id")) if model is not None else ():
            try:
                field = model._meta.get_field(name)  # type: ignore[union-attr]
            except FieldDoesNotExist:
                continue
            if isinstance(field, models.Field):
                return field
    return None


def field_name(target_type: str, key: str) -> str:
    """Return a field's name in the active language, or the key where the kind has no such field."""
    field = field_of(target_type, key)
    if field is not None and (key not in FIELD_NAMES or _named(field)):
        return str(field.verbose_name)
    return str(FIELD_NAMES.get(key, key))


def _named(field: Any) -> bool:
    """Whether a field has a name of its own; Django makes one of its code otherwise."""
    return str(field.verbose_name) != str(field.name).replace("_", " ")


class Values:
    """Shows values of entries; what was looked up once is not looked up again."""

    def __init__(self) -> None:
        self.rows: dict[tuple[type[models.Model], Any], str | None] = {}
        self.words: dict[tuple[str, str], str | None] = {}

    def show(self, target_type: str, key: str, value: Any) -> str:
        """Return a value under a key as people read it."""
        return self._show(field_of(target_type, key), target_type, key, value)

    def _show(self, field: Any, target_type: str, key: str, value: Any) -> str:
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, list | tuple):
            return ", ".join(self._show(field, target_type, key, item) for item in value)
        if isinstance(value, Mapping):
            return "; ".join(
                f"{field_name(target_type, name)}: {self.show(target_type, name, item)}"
                for name, item in value.items()
            )
        if isinstance(field, models.ForeignKey) and isinstance(value, int):
            return self._row(field.related_model, value) or str(value)
        return self._word(field, key, value)

    def _word(self, field: Any, key: str, value: Any) -> str:
        choices = dict(getattr(field, "flatchoices", ()) or ())
        if value in choices:
            return str(choices[value])
        if isinstance(value, str):
            if (name := self._coded(key, value)) is not None:
                return name
            if value in PERMISSIONS:
                return str(PERMISSIONS[value].name)
            if value in ACTIONS or value in ACTION_NAMES:
                return action_name(value)
        return str(value)

    def _coded(self, key: str, value: str) -> str | None:
        if key in VALUE_NAMES and (key, value) not in self.words:
            name = VALUE_NAMES[key](value)
            self.words[key, value] = None if name is None else str(name)
        return self.words.get((key, value))

    def _row(self, model: Any, pk: int) -> str | None:
        """The name of a row that may lie outside the reader's scope: the entry that names it is his to read."""
        if (model, pk) not in self.rows:
            with everywhere():
                found = model._base_manager.filter(pk=pk).first()
                self.rows[model, pk] = None if found is None else str(found)
        return self.rows[model, pk]
