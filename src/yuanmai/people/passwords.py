"""Password rules by profile: `dengbao3` (complexity, rotation, history) or `asvs` (length and a list of leaked passwords).

`dengbao3` follows GB/T 22239-2019, 8.1.4.1 a; `asvs` follows OWASP ASVS 5.0, 6.2, which forbids rules of composition and
forced rotation. The two contradict each other, so an installation chooses one.
"""

import secrets
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.people.models import PasswordHistory, User

LONG_ALONE = 15  # asvs: without a second factor
LONG_WITH_FACTOR = 8  # asvs: with one
LONG_COMPLEX = 10  # dengbao3
REMEMBERED = 5  # dengbao3: passwords that are not used again
ONE_TIME_DAYS = 3  # a password made by the program works this long


def by_asvs() -> bool:
    """Whether the installation follows OWASP ASVS instead of GB/T 22239."""
    return str(settings.PASSWORD_PROFILE).casefold() == "asvs"


def rotation_days() -> int:
    """After how many days a new password is asked for; 0 for never."""
    return 0 if by_asvs() else int(settings.PASSWORD_ROTATION_DAYS)


def has_second_factor(user: Any) -> bool:
    """Whether the user signs in with an app or a security key (recovery codes alone do not count)."""
    if user is None or user.pk is None:
        return False
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=kinds).exists())


class ProfileValidator:
    """Django password validator that follows ``settings.PASSWORD_PROFILE``."""

    def __init__(self) -> None:
        self.common = CommonPasswordValidator()

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` with every rule that the password breaks."""
        errors = []
        if by_asvs():
            least = LONG_WITH_FACTOR if has_second_factor(user) else LONG_ALONE
        else:
            least = LONG_COMPLEX
            classes = [str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum()]
            if sum(any(map(test, password)) for test in classes) < 3:
                errors.append(
                    ValidationError(
                        _("At least three of: small letters, capitals, digits, signs."), code="too_simple"
                    )
                )
        if len(password) < least:
            errors.append(ValidationError(_("At least %(n)d characters.") % {"n": least}, code="too_short"))
        try:
            self.common.validate(password, user)
        except ValidationError as error:
            errors.append(error)
        if errors:
            raise ValidationError(errors)

    def get_help_text(self) -> str:
        """Return the rules in words."""
        if by_asvs():
            return _(
                "At least 15 characters (8 with a second factor), and no password that is known to be leaked."
            )
        return _("At least 10 characters with three of: small letters, capitals, digits, signs.")


class HistoryValidator:
    """Refuse the passwords that the user had last (`dengbao3`), and remember each new one."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` for a password among the last five."""
        if by_asvs() or user is None or user.pk is None:
            return
        former = PasswordHistory.objects.filter(user_id=user.pk).order_by("-id")[:REMEMBERED]
        if any(check_password(password, row.password) for row in former) or check_password(
            password, user.password
        ):
            raise ValidationError(
                _("You had this password lately. The last %(n)d cannot be used again.") % {"n": REMEMBERED},
                code="used",
            )

    def password_changed(self, password: str, user: Any = None) -> None:
        """Django calls this after a new password was stored."""
        if user is None or user.pk is None:
            return
        now = timezone.now()
        PasswordHistory.objects.create(user_id=user.pk, password=user.password, created_at=now)
        kept = (
            PasswordHistory.objects.filter(user_id=user.pk)
            .order_by("-id")
            .values_list("id", flat=True)[:REMEMBERED]
        )
        PasswordHistory.objects.filter(user_id=user.pk).exclude(id__in=list(kept)).delete()
        user.password_changed_at = now
        User.objects.filter(pk=user.pk).update(password_changed_at=now)

    def get_help_text(self) -> str:
        """Return the rule in words."""
        if by_asvs():
            return ""
        return _("None of the last %(n)d passwords.") % {"n": REMEMBERED}


def rotation_due(user: User) -> bool:
    """Whether the profile asks for a new password because the present one is too old."""
    if not rotation_days() or user.is_demo:
        return False
    if not user.has_usable_password():
        return False
    since = user.password_changed_at or user.date_joined
    return bool(timezone.now() - since >= timedelta(days=rotation_days()))


def must_change(user: User) -> bool:
    """Whether the user has to choose a new password before anything else."""
    return user.must_change_password or rotation_due(user)


def one_time_password() -> str:
    """Return a random password (95 bits) that satisfies both profiles and is easy to read out."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    groups = ["".join(secrets.choice(alphabet) for _n in range(5)) for _g in range(4)]
    groups[0] = groups[0].capitalize() if groups[0][0].isalpha() else f"K{groups[0][1:]}"
    groups[3] = f"{groups[3][:4]}{secrets.choice('23456789')}"
    return "-".join(groups)
