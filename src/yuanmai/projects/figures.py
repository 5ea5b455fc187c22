"""The figures of the projects room, each defined once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Calendar, Derived, Dimension, Facts, Query, Result, Unit, register
from yuanmai.core.figures.model import RowView
from yuanmai.core.policy import Text
from yuanmai.core.search import matching
from yuanmai.core.templatetags.ui import LIGHTS
from yuanmai.projects.engine.lights import year_passed
from yuanmai.projects.engine.rates import COMPLETION
from yuanmai.projects.models import Kind, ProjectState, Stage
from yuanmai.projects.queries import list_codes, main_projects, planned_projects, reserve_projects, states
from yuanmai.projects.queries.lights import with_light

BILLION = Decimal(1_000_000_000)
DISPATCH = _("Key-project ledgers and half-monthly progress reports")


def _choice(choices: Any, empty: Text) -> Any:
    labels = dict(choices)
    return lambda value: labels.get(value) or (str(value) if value else empty)


def _in_list(facts: QuerySet[Any], code: str) -> QuerySet[Any]:
    return facts.filter(lists__contains=f"|{code}|")


def _search(facts: QuerySet[Any], text: str) -> QuerySet[Any]:
    return facts.filter(matching(text, "name", "code", pinyin="pinyin"))


def _flag(name: str) -> Any:
    return lambda facts, value: facts.filter(**{name: value == "yes"})


def _reported(facts: QuerySet[Any], value: str) -> QuerySet[Any]:
    return facts.filter(reported_on__isnull=value != "yes")


def _on_plan(facts: QuerySet[Any], value: str) -> QuerySet[Any]:
    on_plan = Q(plan_year__isnull=False) & ~Q(kind=Kind.RESERVE)
    return facts.filter(on_plan if value == "yes" else ~on_plan)


def project_uid(value: Any) -> UUID | None:
    """Return a filter's value as the uid of a project; None where it is none."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _one_project(facts: QuerySet[Any], value: str) -> QuerySet[Any]:
    uid = project_uid(value)
    return facts.filter(project__uid=uid) if uid else facts.none()


def project_name(value: Any) -> Text:
    """Return what the project of a uid is called."""
    uid = project_uid(value)
    state = (
        ProjectState.objects.filter(project__uid=uid).order_by("-known_until", "-effective_from").first()
        if uid
        else None
    )
    return state.name if state else str(value)


def _yes_no(value: Any) -> Text:
    return _("Yes") if value in ("yes", True) else _("No")


def _light(value: Any) -> Text:
    return LIGHTS.get(str(value), LIGHTS["grey"])[0]


NOT_STATED = _("Not stated")
DIMENSIONS = (
    Dimension("kind", _("Project kind"), "kind", _choice(Kind.choices, NOT_STATED)),
    Dimension("category", _("Category"), "category", lambda value: value or NOT_STATED),
    Dimension("organisation", _("Organisation"), "org__name", lambda value: value or NOT_STATED),
    Dimension("responsible", _("Responsible organisation"), "responsible", lambda value: value or NOT_STATED),
    Dimension("leader", _("Leader in charge"), "leader", lambda value: value or NOT_STATED),
    Dimension("stage", _("Stage"), "stage", _choice(Stage.choices, NOT_STATED)),
    Dimension("park", _("Park"), "park__name", lambda value: value or NOT_STATED),
    Dimension("list", _("List"), "lists", narrow=_in_list, values=list_codes),
    Dimension("light", _("Light"), "light", _light, daily=True),
)
CONDITIONS = (
    Dimension("q", _("Search"), "name", narrow=_search),
    Dimension("started", _("Started"), "started", _yes_no, narrow=_flag("started")),
    Dimension("project", _("Project"), "project__uid", project_name, narrow=_one_project),
    Dimension("reported", _("Reported"), "reported_on", _yes_no, narrow=_reported),
    Dimension("planned", _("On the plan of the year"), "plan_year", _yes_no, narrow=_on_plan),
)


def project_row(state: ProjectState) -> RowView:
    """Show one project behind a figure."""
    return RowView(
        state.name,
        reverse("projects:record", args=[state.project.uid]),
        {
            "kind": state.get_kind_display(),
            "category": state.category,
            "responsible": state.responsible,
            "total_investment": state.total_investment,
            "planned_investment": state.planned_investment,
            "investment_done": state.investment_done,
            "reported_on": state.reported_on,
        },
    )


def _with_links(source: Any) -> Any:
    def facts(query: Query) -> QuerySet[ProjectState]:
        return with_light(source(query).select_related("project").order_by("name", "id"), query)

    return facts


def _one_if(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())


def _amount(field: str) -> Coalesce:
    """An amount that is not stated counts as 0."""
    return Coalesce(F(field), Value(Decimal(0)))


def _define(
    code: str, name: Text, unit: Unit, definition: Text, source: Any, numerator: Any, **more: Any
) -> None:
    register(
        Facts(
            code=code,
            name=name,
            unit=unit,
            definition=definition,
            source=more.pop("stated_in", DISPATCH),
            grain=_("one main project"),
            dimensions=DIMENSIONS,
            conditions=CONDITIONS,
            rooms=("core", "people"),
            permission="projects.view",
            facts=_with_links(source),
            bare=source,
            numerator=numerator,
            row=project_row,
            spanning=more.pop("spanning", True),
            org_path="org_id",
            **more,
        )
    )


def _new_starts(query: Query) -> QuerySet[ProjectState]:
    return planned_projects(query).filter(kind=Kind.NEW_START)


def _continuing(query: Query) -> QuerySet[ProjectState]:
    return planned_projects(query).filter(kind=Kind.CONTINUING)


def _over_1bn(query: Query) -> QuerySet[ProjectState]:
    return planned_projects(query).filter(total_investment__gte=BILLION)


def _subprojects(query: Query) -> QuerySet[ProjectState]:
    return states(query).filter(main=False)


def _not_started(query: Query) -> QuerySet[ProjectState]:
    return _new_starts(query).filter(started=False, completed=False)


def _with_light_of(value: str) -> Any:
    return lambda query: with_light(planned_projects(query), query).filter(light=value)


def _library(query: Query) -> QuerySet[ProjectState]:
    return main_projects(query)


_define("projects.count", _("Number of projects"), Unit.COUNT,
        _("Main projects on the plan of the year: new starts, continuing and unclassified ones; the reserve is not counted."),
        planned_projects, Value(1))  # fmt: skip
_define("projects.total_investment", _("Total investment"), Unit.YUAN,
        _("Sum of the total investment of the projects on the plan of the year."),
        planned_projects, _amount("total_investment"))  # fmt: skip
_define("projects.planned_investment", _("Planned investment of the year"), Unit.YUAN,
        _("Sum of the planned investment of the year."),
        planned_projects, _amount("planned_investment"))  # fmt: skip
_define("projects.investment_done", _("Investment done this year"), Unit.YUAN,
        _("Sum of the investment done from 1 January to the last report not later than the day asked for."),
        planned_projects, _amount("investment_done"), higher_is_better=True)  # fmt: skip
_define("projects.completion_rate", _("Completion rate"), Unit.RATIO,
        _("Investment done this year ÷ planned investment of the year."),
        planned_projects, _amount(COMPLETION.numerator), denominator=_amount(COMPLETION.denominator), higher_is_better=True)  # fmt: skip
_define("projects.start_rate", _("Start rate"), Unit.RATIO,
        _("Started new-start projects ÷ all new-start projects of the year's plan."),
        _new_starts, _one_if(Q(started=True)), denominator=Value(1), higher_is_better=True)  # fmt: skip
_define("projects.resumption_rate", _("Resumption rate"), Unit.RATIO,
        _("Resumed continuing projects ÷ all continuing projects of the year's plan."),
        _continuing, _one_if(Q(resumed=True)), denominator=Value(1), higher_is_better=True)  # fmt: skip
_define("projects.over_1bn_count", _("Projects of 1 billion and more"), Unit.COUNT,
        _("Projects on the plan of the year whose total investment is at least 1 billion yuan."),
        _over_1bn, Value(1))  # fmt: skip
_define("projects.library_count", _("Projects in the library"), Unit.COUNT,
        _("All main projects of the library, whatever their plan."), _library, Value(1))  # fmt: skip
_define("projects.library_investment", _("Investment of the library"), Unit.YUAN,
        _("Sum of the total investment of all main projects of the library."),
        _library, _amount("total_investment"))  # fmt: skip
_define("projects.reserve_count", _("Reserve projects"), Unit.COUNT,
        _("Main projects that wait, reviewed, for funding."), reserve_projects, Value(1))  # fmt: skip
_define("projects.reserve_investment", _("Investment of the reserve"), Unit.YUAN,
        _("Sum of the total investment of the reserve projects."),
        reserve_projects, _amount("total_investment"))  # fmt: skip
_define("projects.subproject_count", _("Sub-projects"), Unit.COUNT,
        _("Projects that are part of a main project."), _subprojects, Value(1))  # fmt: skip
_define("projects.not_started", _("New starts not begun"), Unit.COUNT,
        _("New-start projects of the year's plan that have not been reported as started."),
        _not_started, Value(1), higher_is_better=False)  # fmt: skip
_define("projects.red_count", _("Red lights"), Unit.COUNT,
        _("Projects on the plan of the year whose light is red by the rule of lights that holds for their organisation."),
        _with_light_of("red"), Value(1), higher_is_better=False, spanning=False)  # fmt: skip
_define("projects.yellow_count", _("Yellow lights"), Unit.COUNT,
        _("Projects on the plan of the year whose light is yellow by the rule of lights that holds for their organisation."),
        _with_light_of("yellow"), Value(1), higher_is_better=False, spanning=False)  # fmt: skip
_define("projects.green_count", _("Green lights"), Unit.COUNT,
        _("Projects on the plan of the year whose light is green by the rule of lights that holds for their organisation."),
        _with_light_of("green"), Value(1), higher_is_better=True, spanning=False)  # fmt: skip


def time_progress(query: Query) -> Result:
    """Return the share of the year that has passed: (full months + share of the running month) ÷ 12.

    At a month's end this is months ÷ 12, the measure of the monthly dispatch.
    """
    passed = year_passed(query.as_of)
    months = passed * 12
    exact = Decimal(passed.numerator) / Decimal(passed.denominator)
    return Result(exact, Decimal(months.numerator) / Decimal(months.denominator), Decimal(12))


def ahead(results: Mapping[str, Result]) -> Result:
    """Return completion rate − time progress, both unrounded; undefined where one is."""
    done, passed = results["projects.completion_rate"].value, results["projects.time_progress"].value
    return Result(None) if done is None or passed is None else Result(done - passed, done, passed)


register(
    Calendar(
        code="projects.time_progress",
        name=_("Time-proportional progress"),
        unit=Unit.RATIO,
        definition=_("The share of the year that has passed: months ÷ 12, the running month by its days."),
        source=_("The calendar"),
        grain=_("one day"),
        permission="projects.view",
        compute=time_progress,
    )
)
register(
    Derived(
        code="projects.ahead_points",
        name=_("Ahead of time"),
        unit=Unit.POINTS,
        definition=_(
            "Completion rate − time-proportional progress, in percentage points of unrounded values."
        ),
        source=DISPATCH,
        grain=_("one main project"),
        dimensions=DIMENSIONS,
        conditions=CONDITIONS,
        rooms=("core", "people"),
        permission="projects.view",
        inputs=("projects.completion_rate", "projects.time_progress"),
        combine=ahead,
        rows_of="projects.completion_rate",
        higher_is_better=True,
    )
)
