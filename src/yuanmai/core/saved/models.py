"""Tables of saved views and preferences."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedView(models.Model):
    """A list as someone wants to see it again: the address with its filters, columns and order, under a name.

    A view belongs to a user. A shared one is also offered to everybody who may see the organisation `org_id` it was
    saved in. It holds no data: whoever opens it sees what his own data scope allows.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    path = models.CharField(max_length=200)
    name = models.CharField(max_length=60, verbose_name=_("Name"))
    query = models.CharField(max_length=2000, blank=True)
    shared = models.BooleanField(default=False, verbose_name=_("Shared"))
    org = models.ForeignKey("people.Organisation", models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "path", "name"], name="saved_view_once")]
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")

    def __str__(self) -> str:
        return self.name


class Preference(models.Model):
    """A small choice that pages remember for a user, e.g. the columns of a list."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="preferences")
    key = models.CharField(max_length=80)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="preference_once")]
        verbose_name = _("preference")

    def __str__(self) -> str:
        return self.key
