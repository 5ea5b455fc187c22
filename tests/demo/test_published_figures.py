"""Every published figure of the five places that the rooms can hold comes out of the demonstration's records."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from yuanmai.core.audit.log import verify
from yuanmai.core.figures import Query, breakdown, evaluate, get, rows, trend
from yuanmai.core.figures.display import display
from yuanmai.core.findings import Finding
from yuanmai.core.scope import open_scope
from yuanmai.demo.load import load
from yuanmai.funds.models import FundingState
from yuanmai.people.actor import subtree_ids
from yuanmai.people.models import Organisation, User
from yuanmai.places.models import Building
from yuanmai.projects.models import Blocker, Project, ProjectState

# The mark makes pytest-django set the database up; every test runs inside the transaction of `_demo`.
pytestmark = pytest.mark.django_db

PLANNED = {"planned": "yes"}
YI, WAN = Decimal(100_000_000), Decimal(10_000)
DAYS = {
    "tanzhou": date(2022, 3, 31),
    "heshan": date(2022, 12, 12),
    "longyan": date(2020, 8, 31),
    "zhaoqing": date(2022, 3, 31),
    "licheng": date(2024, 8, 13),
}


@pytest.fixture(scope="module")
def _demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demonstration, loaded once for the module and rolled back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        assert load() is True
        yield
        transaction.set_rollback(True)


class Place:
    """A place, asked at its own day."""

    def __init__(self, code: str) -> None:
        self.org = Organisation.objects.get(code=code)
        self.ids = tuple(sorted(subtree_ids([self.org.path])[self.org.path]))
        self.query = Query(self.ids, DAYS[code])

    def value(self, code: str, **filters: str) -> Decimal | None:
        """The value of a figure."""
        with open_scope(self.ids):
            return evaluate(code, self.query.where(**filters)).value

    def text(self, code: str) -> str:
        """The value as pages show it."""
        with open_scope(self.ids):
            return display(get(code), evaluate(code, self.query))


@pytest.fixture
def place(_demo: None, request: pytest.FixtureRequest) -> Place:
    """The place named by the parameter or by the test's module-level class."""
    return Place(request.param)


tanzhou = pytest.mark.parametrize("place", ["tanzhou"], indirect=True)
heshan = pytest.mark.parametrize("place", ["heshan"], indirect=True)
longyan = pytest.mark.parametrize("place", ["longyan"], indirect=True)
zhaoqing = pytest.mark.parametrize("place", ["zhaoqing"], indirect=True)
licheng = pytest.mark.parametrize("place", ["licheng"], indirect=True)


@tanzhou
@pytest.mark.parametrize(
    ("code", "filters", "value"),
    [
        ("projects.count", {}, 12),
        ("projects.count", {"kind": "new_start"}, 5),
        ("projects.count", {"kind": "continuing"}, 7),
        ("projects.total_investment", {}, Decimal("74.71") * YI),
        ("projects.total_investment", {"kind": "new_start"}, Decimal("23.85") * YI),
        ("projects.total_investment", {"kind": "continuing"}, Decimal("50.86") * YI),
        ("projects.planned_investment", {}, Decimal("11.61") * YI),
        ("projects.planned_investment", {"kind": "new_start"}, Decimal("4.80") * YI),
        ("projects.planned_investment", {"kind": "continuing"}, Decimal("6.81") * YI),
        ("projects.investment_done", {}, Decimal("2.90") * YI),
        ("projects.start_rate", {}, Decimal("0.8")),
        ("projects.resumption_rate", {}, 1),
        ("projects.over_1bn_count", {}, 3),
        ("projects.reserve_count", {}, 11),
        ("projects.reserve_investment", {}, Decimal("63.43") * YI),
        ("projects.library_count", {"list": "工业项目"}, 15),
        ("projects.library_investment", {"list": "工业项目"}, Decimal(78) * YI),
        ("projects.library_count", {"list": "2022年第一季度集体动工"}, 3),
        ("projects.library_investment", {"list": "2022年第一季度集体动工"}, Decimal("7.8") * YI),
        ("projects.library_investment", {"list": "2022年第二批集体动工"}, Decimal(20) * YI),
    ],
)
def test_tanzhou(place: Place, code: str, filters: dict[str, str], value: Any) -> None:
    assert place.value(code, **filters) == value


@tanzhou
def test_tanzhou_as_shown(place: Place) -> None:
    assert place.text("projects.completion_rate") == "25.0 %"
    assert place.text("projects.start_rate") == "80.0 %"
    assert place.text("projects.resumption_rate") == "100.0 %"
    with open_scope(place.ids):
        groups = {group.value for group in breakdown("projects.count", place.query, "category")}
    assert groups == {"工业投资", "交通设施", "工改工", "产业园区配套设施"}


@tanzhou
def test_the_contradiction_of_tanzhou_is_found(place: Place) -> None:
    with open_scope(place.ids):
        findings = [finding.params for finding in Finding.objects.filter(kind__contains="stated")]
    assert [Decimal(params["stated"]) for params in findings] == [Decimal("75.70") * YI]
    assert [Decimal(params["computed"]) for params in findings] == [Decimal("74.71") * YI]


@tanzhou
def test_twenty_blockers_of_tanzhou_were_solved_in_2022(place: Place) -> None:
    with open_scope(place.ids):
        solved = Blocker.objects.filter(closed_on__year=2022, closed_on__lte=DAYS["tanzhou"])
        assert solved.count() == 20
        assert set(solved.values_list("way", flat=True)) == {"at_once", "on_site", "named"}


@tanzhou
def test_tanzhou_has_a_history_of_half_months(place: Place) -> None:
    with open_scope(place.ids):
        done = [evaluate("projects.investment_done", place.query.on(day)).value or Decimal(0)
                for day in (date(2022, 1, 15), date(2022, 1, 31), date(2022, 2, 15), date(2022, 2, 28), date(2022, 3, 15))]  # fmt: skip
        months = [result.value for _day, result in trend("projects.completion_rate", place.query)]
    # Nothing moves before the new starts begin and the others resume after the Spring Festival.
    assert done == sorted(done)
    assert 0 < done[2] < done[3] < done[4] < Decimal("2.90") * YI
    assert len(months) == 3
    assert None not in months


@heshan
@pytest.mark.parametrize(
    ("code", "filters", "value"),
    [
        ("projects.subproject_count", {}, 19),
        ("projects.total_investment", {}, Decimal("11.85") * YI),
        ("projects.library_investment", PLANNED, Decimal("11.85") * YI),
        ("funds.secured", PLANNED, (Decimal("7.35") + Decimal("2.07")) * YI),
        ("funds.issued", PLANNED, Decimal("2.07") * YI),
        ("funds.planned", {}, Decimal("1.00") * YI),
        ("funds.gap", {}, Decimal("1.43") * YI),
        ("bonds.issued", {}, Decimal("4.80") * YI),
        ("funds.issued", {}, Decimal("4.80") * YI),
    ],
)
def test_heshan(place: Place, code: str, filters: dict[str, str], value: Any) -> None:
    assert place.value(code, **filters) == value


@heshan
def test_the_bonds_of_heshans_project(place: Place) -> None:
    with open_scope(place.ids):
        main = ProjectState.objects.filter(main=True, name__contains="5G智慧园区配套设施").latest(
            "known_from"
        )
        uid = str(main.project.uid)
    assert place.value("bonds.issued", project=uid) == Decimal("2.07") * YI
    assert place.value("bonds.approved", project=uid) == Decimal("3.07") * YI
    assert round(place.value("bonds.coverage", project=uid) or 0, 2) == Decimal("1.12")
    assert place.value("bonds.idle", project=uid) == 1_400 * WAN


@heshan
def test_the_schedule_of_heshan(place: Place) -> None:
    with open_scope(place.ids):
        main = ProjectState.objects.filter(main=True, name__contains="5G智慧园区配套设施").latest(
            "known_from"
        )
        parts = ProjectState.objects.filter(
            parent=main.project, effective_until=date(9999, 12, 31), known_until__year=9999
        )
        assert sum(part.total_investment or 0 for part in parts) == Decimal("11.85") * YI
    assert (main.start_on, main.finish_on) is not None
    assert main.start_on and (main.start_on.year, main.start_on.month) == (2021, 3)
    assert main.finish_on and (main.finish_on.year, main.finish_on.month) == (2024, 2)


@longyan
@pytest.mark.parametrize(
    ("code", "filters", "value"),
    [
        ("projects.count", {}, 66),
        ("projects.investment_done", {}, Decimal("45.67") * YI),
        ("projects.library_count", {"list": "园区标准化建设"}, 124),
        ("projects.library_investment", {"list": "园区标准化建设"}, Decimal(552) * YI),
        ("projects.library_count", {"list": "重中之重"}, 30),
        ("projects.library_count", {"list": "重点技改"}, 100),
        ("projects.library_count", {"list": "武平县第三季度集中开竣工"}, 8),
        ("projects.library_investment", {"list": "武平县第三季度集中开竣工"}, Decimal("13.79") * YI),
        ("places.standard_factory_area", {}, 1_097_500),
    ],
)
def test_longyan(place: Place, code: str, filters: dict[str, str], value: Any) -> None:
    assert place.value(code, **filters) == value


@longyan
def test_bonds_of_longyan(place: Place) -> None:
    with open_scope(place.ids):
        bonds = FundingState.objects.filter(source="special_bond", security="issued", known_until__year=9999)
        assert bonds.values("project").distinct().count() == 13
        assert sum(bond.amount for bond in bonds) == Decimal("14.33") * YI
    assert place.value("bonds.approved_count") == 13
    assert place.value("bonds.approved") == place.value("bonds.issued") == Decimal("14.33") * YI
    assert place.value("bonds.paid_out") == Decimal("6.53") * YI
    assert place.text("bonds.payout_rate") == "45.6 %"


@tanzhou
def test_bonds_of_tanzhou(place: Place) -> None:
    assert place.value("bonds.applied_count") == 19
    assert place.value("bonds.reserve_count") == 30


@longyan
def test_longyan_as_shown(place: Place) -> None:
    assert place.text("projects.completion_rate") == "96.5 %"


@longyan
def test_the_batch_of_wuping(place: Place) -> None:
    with open_scope(place.ids):
        _figure, facts = rows(
            "projects.library_investment", place.query.where(list="武平县第三季度集中开竣工")
        )
        assert facts is not None
        states = list(facts.facts)
    started = [s.total_investment for s in states if not s.completed]
    completed = [s.total_investment for s in states if s.completed]
    assert (len(started), sum(started)) == (5, Decimal("10.9") * YI)
    assert (len(completed), sum(completed)) == (3, Decimal("2.89") * YI)


@longyan
def test_the_named_projects_of_longyan(place: Place) -> None:
    with open_scope(place.ids):
        named = ProjectState.objects.filter(known_until__year=9999, effective_until=date(9999, 12, 31))
        plant = named.get(name="上杭县第二污水处理厂及配套污水管网工程二期")
        ring = named.get(name="龙岩经开区(高新区)南北环路网")
        assert plant.total_investment == 21643 * WAN
        assert "63847" in plant.version.content and "20000" in plant.version.content
        assert ring.total_investment == 11 * YI
        assert ring.completed and ring.start_on == date(2019, 9, 1)
        assert not Project.objects.get(pk=plant.project_id).synthetic


@pytest.mark.parametrize("place", ["tanzhou", "longyan", "zhaoqing"], indirect=True)
def test_nothing_that_has_not_started_has_investment(place: Place) -> None:
    with open_scope(place.ids):
        _figure, facts = rows("projects.start_rate", place.query)
        assert facts is not None
        waiting = [state for state in facts.facts if not state.started]
    assert all(not state.investment_done for state in waiting)


@zhaoqing
@pytest.mark.parametrize(
    ("code", "filters", "value"),
    [
        ("projects.count", {}, 18),
        ("projects.total_investment", {}, 100 * YI),
        ("projects.library_count", {"list": "制造业重大项目库"}, 6),
    ],
)
def test_zhaoqing(place: Place, code: str, filters: dict[str, str], value: Any) -> None:
    assert place.value(code, **filters) == value


@licheng
def test_licheng(place: Place) -> None:
    assert place.value("places.standard_factory_area") == 670_000
    with open_scope(place.ids):
        _figure, facts = rows("projects.library_count", place.query.where(list="十分钟生活圈"))
        assert facts is not None
        contents = [state.version.content for state in facts.facts]
    places = [int(found[1]) for text in contents if (found := re.search(r"学位(\d+)个", text))]
    assert (len(places), sum(places)) == (4, 5200)
    assert any("1300" in text for text in contents)


def test_single_records_are_named_as_made_up(_demo: None) -> None:
    ids = tuple(Organisation.objects.values_list("id", flat=True))
    with open_scope(ids):
        made_up = Project.objects.filter(synthetic=True)
        names = ProjectState.objects.filter(project__in=made_up).values_list("name", flat=True).distinct()
        assert made_up.exists()
        assert [name for name in names if "示例" not in name] == []
        assert not Building.objects.filter(synthetic=False).exists()


def test_places_have_geometry_in_the_right_part_of_the_world(_demo: None) -> None:
    with open_scope(tuple(Organisation.objects.values_list("id", flat=True))):
        buildings = Building.objects.exclude(geometry=None)
        assert buildings.count() > 100
        for west, south, east, north in buildings.values_list("west", "south", "east", "north"):
            assert 109 < west < east < 121
            assert 20 < south < north < 29


def test_loading_again_changes_nothing_and_the_log_is_whole(_demo: None) -> None:
    before = (User.objects.count(), Organisation.objects.count())
    assert load() is False
    assert (User.objects.count(), Organisation.objects.count()) == before
    assert verify().whole
    assert User.objects.filter(is_demo=False).count() == 0
