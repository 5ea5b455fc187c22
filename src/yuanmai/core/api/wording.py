"""What schema validation found, said in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Rule of the schema library → sentence; {…} are values of the rule.
SENTENCES = {
    "missing": gettext_noop("This is required."),
    "extra_forbidden": gettext_noop("There is no field of this name."),
    "json_invalid": gettext_noop("This is not valid JSON."),
    "string_type": gettext_noop("This must be text."),
    "string_unicode": gettext_noop("This text is not valid Unicode."),
    "string_too_short": gettext_noop("At least %(min_length)s characters."),
    "string_too_long": gettext_noop("At most %(max_length)s characters."),
    "string_pattern_mismatch": gettext_noop("This does not have the form %(pattern)s."),
    "int_type": gettext_noop("This must be a whole number."),
    "int_parsing": gettext_noop("This must be a whole number."),
    "int_from_float": gettext_noop("This must be a whole number."),
    "int_parsing_size": gettext_noop("This number is too large."),
    "float_type": gettext_noop("This must be a number."),
    "float_parsing": gettext_noop("This must be a number."),
    "decimal_type": gettext_noop("This must be a number."),
    "decimal_parsing": gettext_noop("This must be a number."),
    "finite_number": gettext_noop("This must be a finite number."),
    "decimal_max_digits": gettext_noop("At most %(max_digits)s digits."),
    "decimal_max_places": gettext_noop("At most %(decimal_places)s decimal places."),
    "decimal_whole_digits": gettext_noop("At most %(whole_digits)s digits before the point."),
    "greater_than": gettext_noop("This must be greater than %(gt)s."),
    "greater_than_equal": gettext_noop("This must be at least %(ge)s."),
    "less_than": gettext_noop("This must be less than %(lt)s."),
    "less_than_equal": gettext_noop("This must be at most %(le)s."),
    "bool_type": gettext_noop("This must be true or false."),
    "bool_parsing": gettext_noop("This must be true or false."),
    "date_type": gettext_noop("This must be a date such as 2022-03-31."),
    "date_parsing": gettext_noop("This must be a date such as 2022-03-31."),
    "date_from_datetime_parsing": gettext_noop("This must be a date such as 2022-03-31."),
    "date_from_datetime_inexact": gettext_noop("This must be a date such as 2022-03-31."),
    "datetime_type": gettext_noop("This must be a time such as 2022-03-31T18:00:00+08:00."),
    "datetime_parsing": gettext_noop("This must be a time such as 2022-03-31T18:00:00+08:00."),
    "datetime_from_date_parsing": gettext_noop("This must be a time such as 2022-03-31T18:00:00+08:00."),
    "uuid_type": gettext_noop("This must be a UUID."),
    "uuid_parsing": gettext_noop("This must be a UUID."),
    "literal_error": gettext_noop("One of %(expected)s."),
    "enum": gettext_noop("One of %(expected)s."),
    "list_type": gettext_noop("This must be a list."),
    "dict_type": gettext_noop("This must be an object."),
    "model_type": gettext_noop("This must be an object."),
    "model_attributes_type": gettext_noop("This must be an object."),
    "too_short": gettext_noop("At least %(min_length)s entries."),
    "too_long": gettext_noop("At most %(max_length)s entries."),
}


def say(error: Mapping[str, Any]) -> str:
    """Return a fault of the schema library (its `type`, `msg` and `ctx`) as a sentence."""
    rule, values = str(error["type"]), error.get("ctx") or {}
    if rule == "value_error":
        # Raised by our own validators, which speak the reader's language already.
        return str(values.get("error") or error.get("msg", ""))
    sentence = SENTENCES.get(rule)
    if sentence is None:
        return _("This value is not valid.")
    return _(sentence) % values
