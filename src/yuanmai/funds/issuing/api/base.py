"""The router of this part, and what its operations share."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.api import Router
from yuanmai.people.models import Organisation

router = Router(tags=["funds"])


def organisation(code: str, field: str) -> Organisation:
    """Return an organisation by its code; raises `ValidationError` at `field`."""
    org = Organisation.objects.filter(code=code).first()
    if org is None:
        raise ValidationError({field: [_("There is no organisation of this code.")]})
    return org
