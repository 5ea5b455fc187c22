"""One object of each kind that an address can name, for the access matrix."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from tests.house import alarm_samples, paying_samples, register_samples
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.people.models import User


def add_samples(objects: dict[str, Any], org: Any, user: User) -> None:
    """One object of each further kind that an address can name."""
    from allauth.usersessions.models import UserSession

    from yuanmai.cockpit.models import Bulletin
    from yuanmai.core.audit.models import AuditEntry
    from yuanmai.core.findings import Finding
    from yuanmai.core.jobs.models import Job
    from yuanmai.core.saved.models import SavedView
    from yuanmai.core.scope import everywhere
    from yuanmai.core.undo.models import UndoStep
    from yuanmai.core.workbooks.models import ImportBatch
    from yuanmai.enterprises.models import Enterprise
    from yuanmai.people.models import ApiToken, Post, Subscription
    from yuanmai.places.models import Building, Park, Unit
    from yuanmai.projects.models import Blocker

    with everywhere():
        objects["bulletin"] = Bulletin.objects.create(
            org=org, uid=uuid.uuid4(), kind="month", period="2022-03", title="Bulletin", org_ids=[org.pk],
            as_of=date(2022, 3, 31), known_at=timezone.now(), issued_at=timezone.now(), word=b"PK", pdf=b"%PDF",
        )  # fmt: skip
        objects["finding"] = Finding.objects.create(
            org=org,
            kind="projects.total",
            key=f"matrix-{org.pk}",
            effective_on=date(2022, 3, 31),
            found_at=timezone.now(),
        )
        objects["enterprise"] = Enterprise.objects.create(org=org, name="Works")
        objects["park"] = Park.objects.create(org=org, code="p1", name="Park")
        objects["blocker"] = Blocker.objects.create(
            org=org, project=objects["project"], kind="land", title="Land", opened_on=date(2022, 3, 1),
            recorded_at=timezone.now(),
        )  # fmt: skip
        objects["batches"] = {
            kind: ImportBatch.objects.create(
                org=org,
                kind=kind,
                file_name="a.xlsx",
                digest="0" * 64,
                created_at=timezone.now(),
                created_by=user,
            )
            for kind in KINDS
        }
        objects["post"] = Post.objects.get(user=objects["colleague"])
        objects["token"] = ApiToken.objects.create(
            user=user, name="t", prefix=uuid.uuid4().hex[:12], digest=uuid.uuid4().hex * 2, permissions=[], created_at=timezone.now(),
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        objects["subscription"] = Subscription.objects.create(
            user=user, kind="calendar", name="s", language="en", created_at=timezone.now()
        )
        objects["session"] = UserSession.objects.create(
            user=user,
            session_key=uuid.uuid4().hex,
            ip="127.0.0.1",
            user_agent="test",
            created_at=timezone.now(),
        )
        objects["audit_entry"] = AuditEntry.objects.filter(org_id=org.pk).latest("sequence")
        objects["undo_step"] = UndoStep.objects.create(
            org=org, action="places.edit", created_at=timezone.now()
        )
        building = Building.objects.create(org=org, code="b1", name="Building")
        objects["unit"] = Unit.objects.create(org=org, building=building, code="u1", area=100)
        objects["job"] = Job.objects.create(
            org=org, kind="core.import_workbook", title="Import", created_at=timezone.now(), created_by=user
        )
        objects["failed_job"] = Job.objects.create(
            org=org,
            kind="core.import_workbook",
            title="Import",
            created_at=timezone.now(),
            created_by=user,
            state="failed",
        )
        objects["saved_view"] = SavedView.objects.create(
            user=user, org=org, path="/projects/", name="Mine", created_at=timezone.now()
        )


def add_bonds(objects: dict[str, Any], org: Any) -> None:
    """A tranche with what can be done with it, and a quota."""
    from yuanmai.core.scope import everywhere
    from yuanmai.funds.models import Allotment, EarlyRedemption, OnLending, Quota, Tranche

    day, now = date(2022, 3, 1), timezone.now()
    with everywhere():
        tranche = objects["tranche"] = Tranche.objects.create(
            org=org, uid=uuid.uuid4(), code="1", name="Bond", amount=100, allotted=10, rate="0.03", term_years=10,
            tendered_on=day, value_date=day, frequency=2, recorded_at=now,
        )  # fmt: skip
        fact: dict[str, Any] = {"tranche": tranche, "amount": 10, "effective_on": day, "recorded_at": now}
        objects["allotment"] = Allotment.objects.create(project=objects["project"], **fact)
        objects["redemption"] = EarlyRedemption.objects.create(project=objects["project"], **fact)
        objects["on_lending"] = OnLending.objects.create(org=org, lender=org, **fact)
        objects["quota"] = Quota.objects.create(
            org=org, year=2022, amount=100, effective_on=day, recorded_at=now
        )
        paying_samples.add(objects, org)
        alarm_samples.add(objects, org)
        register_samples.add(objects, org)
