"""Rights of the demonstration."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

LOAD_DEMO = permission("demo.load", _("Load the demonstration places"), writes=True)
