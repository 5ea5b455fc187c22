"""Password rules by profile: `dengbao3` (complexity and rotation) or `asvs` (length and breach list)."""

from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class ProfileValidator:
    """Django password validator that follows ``settings.PASSWORD_PROFILE``."""

    def __init__(self) -> None:
        self.common = CommonPasswordValidator()

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` with every rule that the password breaks."""
        errors = []
        if settings.PASSWORD_PROFILE == "asvs":
            if len(password) < 15:
                errors.append(ValidationError(_("At least 15 characters."), code="too_short"))
        else:
            classes = [str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum()]
            if len(password) < 8:
                errors.append(ValidationError(_("At least 8 characters."), code="too_short"))
            if sum(any(map(test, password)) for test in classes) < 3:
                errors.append(
                    ValidationError(_("At least three of: small letters, capitals, digits, signs."), code="too_simple")
                )
        try:
            self.common.validate(password, user)
        except ValidationError as error:
            errors.append(error)
        if errors:
            raise ValidationError(errors)

    def get_help_text(self) -> str:
        """Return the rules in words."""
        if settings.PASSWORD_PROFILE == "asvs":
            return _("At least 15 characters, none of the passwords known to be broken.")
        return _("At least 8 characters with three of: small letters, capitals, digits, signs.")
