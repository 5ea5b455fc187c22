"""Organisations, users, roles and posts."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node


class Organisation(MP_Node):
    """A node of the organisation tree, the backbone of the data scope."""

    class Kind(models.TextChoices):
        PROVINCE = "province", _("Province")
        CITY = "city", _("City")
        COUNTY = "county", _("County or district")
        TOWN = "town", _("Town or subdistrict")
        PARK = "park", _("Park")
        DEPARTMENT = "department", _("Department")
        TEAM = "team", _("Team")
        COMPANY = "company", _("Company")

    code = models.SlugField(max_length=60, unique=True, verbose_name=_("Code"))
    name = models.CharField(max_length=120, verbose_name=_("Name"))
    name_en = models.CharField(max_length=160, blank=True, verbose_name=_("English name"))
    short_name = models.CharField(max_length=60, blank=True, verbose_name=_("Short name"))
    kind = models.CharField(max_length=12, choices=Kind.choices, verbose_name=_("Kind"))
    level = models.CharField(
        max_length=60, blank=True, verbose_name=_("Level")
    )  # 国家级, 省级 …: an input of bond rules
    # The day that pages open at instead of today: for a demonstration or an archived place.
    default_as_of = models.DateField(null=True, blank=True, verbose_name=_("Pages open at"))
    active = models.BooleanField(default=True, verbose_name=_("In use"))

    node_order_by: list[str] = []

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the active language."""
        if self.name_en and (get_language() or "").startswith("en"):
            return self.name_en
        return self.short_name or self.name


class Role(models.Model):
    """A named set of permissions. The three administrators exclude each other (see `exclusive`)."""

    class Group(models.TextChoices):
        BUSINESS = "business", _("Business")
        SYSTEM = "system", _("System administrator")
        SECURITY = "security", _("Security administrator")
        AUDIT = "audit", _("Audit administrator")

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80, verbose_name=_("Name"))
    name_en = models.CharField(max_length=80, blank=True)
    group = models.CharField(max_length=10, choices=Group.choices, default=Group.BUSINESS)
    permissions = models.JSONField(default=list)  # codes, or "room.*"
    second_factor = models.BooleanField(default=False, verbose_name=_("Second factor required"))
    home = models.CharField(max_length=20, default="officer")  # which home page the role lands on
    order = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["order", "code"]
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the active language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class User(AbstractUser):
    """A person with an account of their own."""

    full_name = models.CharField(max_length=80, blank=True, verbose_name=_("Full name"))
    phone = models.CharField(max_length=30, blank=True, verbose_name=_("Phone"))
    # Where the person works: who keeps the account. What they may do and see, the posts say.
    org = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="staff",
        verbose_name=_("Organisation"),
    )
    password_changed_at = models.DateTimeField(null=True, blank=True)
    must_change_password = models.BooleanField(default=False)
    one_time_until = models.DateTimeField(
        null=True, blank=True
    )  # a password made by the program works until then
    is_demo = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        """The name as one word: Chinese names have no order of first and last."""
        return self.full_name


class PasswordHistory(models.Model):
    """Hash of a password that a user had, so that it is not used again soon."""

    user = models.ForeignKey(User, models.CASCADE, related_name="password_history")
    password = models.CharField(max_length=128)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("former password")
        verbose_name_plural = _("former passwords")

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d}"


class Post(models.Model):
    """A role that a user holds at an organisation and, by that, in everything below it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="posts")
    org = models.ForeignKey(
        Organisation, models.PROTECT, related_name="posts", verbose_name=_("Organisation")
    )
    role = models.ForeignKey(Role, models.PROTECT, related_name="posts", verbose_name=_("Role"))
    title = models.CharField(max_length=80, blank=True, verbose_name=_("Job title"))
    since = models.DateField(null=True, blank=True, verbose_name=_("Since"))
    until = models.DateField(null=True, blank=True, verbose_name=_("Until"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "org", "role"], name="post_once")]
        ordering = ["id"]
        verbose_name = _("post")
        verbose_name_plural = _("posts")

    def __str__(self) -> str:
        return f"{self.user} · {self.role} · {self.org}"

    @staticmethod
    def held_on(day: Any) -> Q:
        """Return the condition for posts held on a day."""
        return (Q(since=None) | Q(since__lte=day)) & (Q(until=None) | Q(until__gt=day))


class ApiToken(models.Model):
    """A bearer token for the API: scoped, dated, revocable. Only its hash is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, verbose_name=_("Name"))
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    permissions = models.JSONField(default=list)  # empty: all of the user's
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """Something that is brought to a user: the to-dos as a calendar, a saved view or a figure by mail.

    It holds no data and no rights: what is delivered is decided at each delivery by what the user may see then. Of the secret
    in the address of a calendar only the hash is kept.
    """

    class Kind(models.TextChoices):
        CALENDAR = "calendar", _("To-do calendar")
        VIEW = "view", _("Saved view")
        FIGURE = "figure", _("Figure")

    class Every(models.TextChoices):
        DAY = "day", _("Every day")
        WEEK = "week", _("Every Monday")

    user = models.ForeignKey(User, models.CASCADE, related_name="subscriptions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=120, verbose_name=_("Name"))
    view = models.ForeignKey("core.SavedView", models.CASCADE, null=True, related_name="+")
    figure = models.CharField(max_length=80, blank=True)
    org = models.ForeignKey(Organisation, models.CASCADE, null=True, related_name="+")
    every = models.CharField(max_length=6, choices=Every.choices, blank=True)
    language = models.CharField(max_length=10)
    prefix = models.CharField(max_length=12, blank=True, db_index=True)
    digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

    def __str__(self) -> str:
        return self.name
