"""Projects: identity, facts that are only added to, and the bitemporal projection that every figure reads.

A `Project` is only an identity. What is said of it are *facts*: `ProjectVersion` (its attributes), `YearPlan`,
`ProgressReport`, `ListMembership`. `ProjectState` is folded from them by ``engine/fold.py`` and answers "as of day D, as
known at moment K" with one row per project; it can be rebuilt at any time.
"""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.fields import MoneyField
from yuanmai.core.scope import M, Owned, OwnedManager
from yuanmai.core.temporal import Bitemporal, BitemporalManager, Fact


class Kind(models.TextChoices):
    """Kind of a project in a plan year."""

    NEW_START = "new_start", _("New start")
    CONTINUING = "continuing", _("Continuing")
    RESERVE = "reserve", _("Reserve")


class Stage(models.TextChoices):
    """Where a project stands in its life."""

    RESERVE = "reserve", _("Reserve")
    PREPARATION = "preparation", _("Preparation")
    CONSTRUCTION = "construction", _("Under construction")
    COMPLETED = "completed", _("Completed")
    OPERATING = "operating", _("In operation")


class Project(Owned):
    """The identity of a project; `uid` appears in addresses."""

    uid = models.UUIDField(unique=True)
    created_at = models.DateTimeField()
    synthetic = models.BooleanField(default=False, verbose_name=_("Demonstration record"))

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")

    def __str__(self) -> str:
        return str(self.uid)


class ProjectFactManager(OwnedManager[M]):
    """Facts of the projects of the open scope."""

    path = "project__org_id"


class ProjectFact(Fact):
    """A fact about a project."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="%(class)s_facts")

    objects = ProjectFactManager()

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["project", "effective_on"], name="%(class)s_on")]


class ProjectVersion(ProjectFact):
    """The attributes of a project, complete, from a day on."""

    name = models.CharField(max_length=200, verbose_name=_("Name"))
    code = models.CharField(max_length=80, blank=True, verbose_name=_("Project code"))
    parent = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Main project")
    )
    category = models.CharField(max_length=60, blank=True, verbose_name=_("Category"))
    stage = models.CharField(max_length=14, choices=Stage.choices, blank=True, verbose_name=_("Stage"))
    owner = models.ForeignKey(
        "enterprises.Enterprise",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Owner enterprise"),
    )
    responsible = models.CharField(max_length=120, blank=True, verbose_name=_("Responsible organisation"))
    leader = models.CharField(max_length=80, blank=True, verbose_name=_("Leader in charge"))
    park = models.ForeignKey(
        "places.Park", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Park")
    )
    start_on = models.DateField(null=True, blank=True, verbose_name=_("Start"))
    finish_on = models.DateField(null=True, blank=True, verbose_name=_("Completion"))
    total_investment = MoneyField(null=True, blank=True, verbose_name=_("Total investment"))
    content = models.TextField(blank=True, verbose_name=_("Content and scale"))
    address = models.CharField(max_length=200, blank=True, verbose_name=_("Address"))
    site = models.JSONField(null=True, blank=True, verbose_name=_("Site"))  # GeoJSON geometry, WGS84
    in_statistics = models.BooleanField(null=True, blank=True, verbose_name=_("In statistics"))
    extra = models.JSONField(
        default=dict, blank=True
    )  # columns of imported sheets that have no field of their own

    class Meta(ProjectFact.Meta):
        verbose_name = _("project version")


class YearPlan(ProjectFact):
    """What a project is to do in a year: its kind in the plan, the planned investment, and its split by month."""

    year = models.PositiveSmallIntegerField(verbose_name=_("Year"))
    kind = models.CharField(max_length=12, choices=Kind.choices, blank=True, verbose_name=_("Kind"))
    planned_investment = MoneyField(null=True, blank=True, verbose_name=_("Planned investment of the year"))
    monthly = models.JSONField(null=True, blank=True)  # twelve amounts in yuan as text, or null

    class Meta(ProjectFact.Meta):
        verbose_name = _("year plan")


class ProgressReport(ProjectFact):
    """How far a project was on `effective_on`. Amounts are cumulative: of the year, and since the start."""

    investment_done = MoneyField(null=True, blank=True, verbose_name=_("Investment done this year"))
    done_total = MoneyField(null=True, blank=True, verbose_name=_("Investment done since the start"))
    visible_progress = models.TextField(blank=True, verbose_name=_("Visible progress"))
    visible_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, verbose_name=_("Visible progress (%)")
    )
    started = models.BooleanField(null=True, blank=True, verbose_name=_("Started"))
    resumed = models.BooleanField(null=True, blank=True, verbose_name=_("Resumed"))
    completed = models.BooleanField(null=True, blank=True, verbose_name=_("Completed"))
    problems = models.TextField(blank=True, verbose_name=_("Problems"))

    class Meta(ProjectFact.Meta):
        verbose_name = _("progress report")


class ListMembership(ProjectFact):
    """A dated tag: the project is on a list (市重点, 重中之重, 技改 …) from `effective_on`, or, with `on` false, no longer."""

    list_code = models.CharField(max_length=60, verbose_name=_("List"))
    on = models.BooleanField(default=True)

    class Meta(ProjectFact.Meta):
        verbose_name = _("list membership")


class ProjectState(Owned, Bitemporal):
    """The projection: everything that lists and figures need of a project, one row per span and knowledge.

    `lists` is text like ``|市重点|技改|``, so that membership is one LIKE on both databases. `main` is false for
    sub-projects, which count within their main project.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="states")
    parent = models.ForeignKey(Project, models.CASCADE, null=True, related_name="child_states")
    main = models.BooleanField(default=True)
    name = models.CharField(max_length=200, verbose_name=_("Name"))
    pinyin = models.CharField(max_length=400, blank=True)
    code = models.CharField(max_length=80, blank=True, verbose_name=_("Project code"))
    category = models.CharField(max_length=60, blank=True, verbose_name=_("Category"))
    kind = models.CharField(max_length=12, choices=Kind.choices, blank=True, verbose_name=_("Kind"))
    stage = models.CharField(max_length=14, choices=Stage.choices, verbose_name=_("Stage"))
    owner = models.ForeignKey("enterprises.Enterprise", models.CASCADE, null=True, related_name="+")
    responsible = models.CharField(max_length=120, blank=True, verbose_name=_("Responsible organisation"))
    leader = models.CharField(max_length=80, blank=True, verbose_name=_("Leader in charge"))
    park = models.ForeignKey("places.Park", models.CASCADE, null=True, related_name="+")
    start_on = models.DateField(null=True, verbose_name=_("Start"))
    finish_on = models.DateField(null=True, verbose_name=_("Completion"))
    total_investment = MoneyField(null=True, verbose_name=_("Total investment"))
    lists = models.CharField(max_length=400, blank=True, verbose_name=_("Lists"))
    has_site = models.BooleanField(default=False)
    in_statistics = models.BooleanField(null=True)
    plan_year = models.PositiveSmallIntegerField(null=True)  # set only where the span's year has a plan
    planned_investment = MoneyField(null=True, verbose_name=_("Planned investment of the year"))
    investment_done = MoneyField(null=True, verbose_name=_("Investment done this year"))
    done_total = MoneyField(null=True, verbose_name=_("Investment done since the start"))
    started = models.BooleanField(default=False, verbose_name=_("Started"))
    resumed = models.BooleanField(default=False, verbose_name=_("Resumed"))
    completed = models.BooleanField(default=False, verbose_name=_("Completed"))
    visible_progress = models.TextField(blank=True, verbose_name=_("Visible progress"))
    visible_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    problems = models.TextField(blank=True, verbose_name=_("Problems"))
    reported_on = models.DateField(null=True, verbose_name=_("Last report"))
    version = models.ForeignKey(ProjectVersion, models.CASCADE, related_name="+")
    plan = models.ForeignKey(YearPlan, models.CASCADE, null=True, related_name="+")
    report = models.ForeignKey(ProgressReport, models.CASCADE, null=True, related_name="+")

    objects: ClassVar[BitemporalManager[Self]] = BitemporalManager()

    class Meta:
        indexes = [
            models.Index(fields=["org", "known_until", "effective_until", "effective_from"], name="state_at"),
            # With the organisation in it, which every query names: else SQLite prefers "state_at" and walks a whole park.
            models.Index(fields=["project", "org", "known_until", "effective_until"], name="state_project"),
            models.Index(fields=["parent", "known_until"], name="state_children"),
            models.Index(fields=["known_until", "name", "id"], name="state_by_name"),
        ]
        verbose_name = _("project state")

    def __str__(self) -> str:
        return self.name


class Blocker(Owned):
    """What stops a project: of a kind, handed to a body with a deadline, answered, closed or sent back, escalated."""

    class Kind(models.TextChoices):
        LAND = "land", _("Land")
        FOREST = "forest", _("Forest")
        UTILITIES = "utilities", _("Water and power")
        MONEY = "money", _("Money")
        DEMOLITION = "demolition", _("Demolition")
        PERMITS = "permits", _("Permits")
        OTHER = "other", _("Other")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("state of a blocker", "Open")
        HANDED = "handed", _("Handed over")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    class Way(models.TextChoices):
        AT_ONCE = "at_once", _("At once")
        ON_SITE = "on_site", _("On site")
        NAMED = "named", _("By a named person")

    project = models.ForeignKey(Project, models.PROTECT, related_name="blockers")
    kind = models.CharField(max_length=12, choices=Kind.choices, verbose_name=_("Kind"))
    way = models.CharField(max_length=10, choices=Way.choices, blank=True, verbose_name=_("Way"))
    title = models.CharField(max_length=200, verbose_name=_("What stops it"))
    detail = models.TextField(blank=True, verbose_name=_("Details"))
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.OPEN, verbose_name=_("State")
    )
    level = models.PositiveSmallIntegerField(default=0)  # 0 office, 1 deputy leader, 2 leader
    body = models.CharField(max_length=120, blank=True, verbose_name=_("Handed to"))
    opened_on = models.DateField(verbose_name=_("Opened on"))
    due_on = models.DateField(null=True, blank=True, verbose_name=_("Due"))
    answer = models.TextField(blank=True, verbose_name=_("Answer"))
    closed_on = models.DateField(null=True, blank=True, verbose_name=_("Closed on"))
    recorded_at = models.DateTimeField()
    synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["due_on", "id"]
        indexes = [models.Index(fields=["org", "state", "due_on"], name="blocker_due")]
        verbose_name = _("blocker")
        verbose_name_plural = _("blockers")

    def __str__(self) -> str:
        return self.title


class BlockerStepManager(OwnedManager[M]):
    """Steps of the blockers of the open scope."""

    path = "blocker__org_id"


class BlockerStep(models.Model):
    """One step in the life of a blocker: added, never edited. It is the blocker's history and says who did what."""

    blocker = models.ForeignKey(Blocker, models.CASCADE, related_name="steps")
    transition = models.CharField(max_length=20)  # "raise", or a code of the workflow
    state = models.CharField(max_length=10, choices=Blocker.State.choices)  # the state after the step
    level = models.PositiveSmallIntegerField(default=0)
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("people.User", models.PROTECT, null=True, blank=True, related_name="+")
    body = models.CharField(max_length=120, blank=True)
    due_on = models.DateField(null=True, blank=True)
    text = models.TextField(blank=True)

    objects = BlockerStepManager()

    class Meta:
        ordering = ["recorded_at", "id"]
        verbose_name = _("step of a blocker")

    def __str__(self) -> str:
        return f"{self.transition} → {self.state}"


class LightRule(models.Model):
    """The bounds of the lights that an organisation, and all below it, decided from a day on.

    Without organisation it is the rule of the whole installation. The fields are those of ``engine.lights.Rule``. Rules
    are public inside an installation, so they carry no data scope.
    """

    class Measure(models.TextChoices):
        POINTS = "points", _("Points behind the time progress")
        RATIO = "ratio", _("Shortfall in % of the time progress")

    org = models.ForeignKey(
        "people.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Organisation"),
    )
    effective_on = models.DateField(verbose_name=_("Valid from"))
    name = models.CharField(max_length=80, verbose_name=_("Name"))
    source = models.CharField(max_length=300, verbose_name=_("Source"))
    measure = models.CharField(max_length=8, choices=Measure.choices, verbose_name=_("Measure"))
    yellow_from = models.PositiveSmallIntegerField(verbose_name=_("Yellow from (‰)"))
    yellow_included = models.BooleanField(default=True, verbose_name=_("The lower bound itself is yellow"))
    red_above = models.PositiveSmallIntegerField(verbose_name=_("Red above (‰)"))
    start_red_months = models.PositiveSmallIntegerField(
        default=3, verbose_name=_("Start overdue: red from (months)")
    )
    statistics_yellow_months = models.PositiveSmallIntegerField(
        default=0, verbose_name=_("Statistics entry: yellow from (months, 0 = not checked)")
    )
    statistics_red_months = models.PositiveSmallIntegerField(
        default=0, verbose_name=_("Statistics entry: red from (months)")
    )
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-effective_on", "-recorded_at"]
        verbose_name = _("rule of lights")
        verbose_name_plural = _("rules of lights")

    def __str__(self) -> str:
        return self.name


class StatedTotal(Owned):
    """A total as a published source states it, kept beside the sum of the rows so that a difference stays visible."""

    figure = models.CharField(max_length=60)
    label = models.CharField(max_length=200)
    value = models.DecimalField(max_digits=24, decimal_places=6)
    effective_on = models.DateField()
    filters = models.JSONField(default=dict)
    source = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True)
    batch = models.ForeignKey("core.ImportBatch", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("stated total")

    def __str__(self) -> str:
        return self.label
