"""Loading the demonstration through one action, in bulk."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from yuanmai.core.actions import Act, action, touch
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.demo import permissions, places
from yuanmai.demo.accounts import ACCOUNTS, PASSWORD
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts import bonds, devices, heshan, licheng, longyan, tanzhou, zhaoqing
from yuanmai.people.models import Organisation, Post, Role, User
from yuanmai.people.presets_loader import ensure_roles
from yuanmai.projects.findings import refresh_findings

PLACES: dict[str, Callable[[Act, dict[str, Organisation]], int]] = {
    "tanzhou": tanzhou.load,
    "heshan": heshan.load,
    "longyan": longyan.load,
    "zhaoqing": zhaoqing.load,
    "licheng": licheng.load,
}


def loaded() -> bool:
    """Whether the demonstration is already there."""
    return User.objects.filter(is_demo=True).exists()


def load() -> bool:
    """Load the five places and the devices; return False and change nothing where they are there already."""
    if loaded():
        return False
    ensure_roles()
    with everywhere():
        load_demo(SYSTEM)
    devices.load()
    return True


@action("demo.load", permission=permissions.LOAD_DEMO)
def load_demo(act: Act) -> None:
    """Create organisations, places, enterprises, projects with their history, and accounts; all or nothing."""
    orgs = create_organisations()
    act.log(None, after={"organisations": len(orgs)}, name="organisations")
    for name, run in PLACES.items():
        count = run(act, orgs)
        act.log(orgs[name], org_id=orgs[name].pk, after={"projects": count})
    places.load(orgs)
    act.log(None, after={"reserve_projects": bonds.load(act, orgs)}, name="special bonds")
    for org in orgs.values():
        if org.default_as_of is not None:
            refresh_findings([org.pk], org.default_as_of, act)
    users = create_accounts(orgs)
    act.log(None, after={"accounts": users}, name="accounts")
    touch("people", "places", "enterprises", "funds")


def create_organisations() -> dict[str, Organisation]:
    """Create the organisation tree; return organisations by code."""
    result: dict[str, Organisation] = {}
    for record in preset("organisations")["organisations"]:
        values: dict[str, Any] = dict(record)
        parent = values.pop("parent", None)
        if parent:
            # Read anew: treebeard keeps the number of children in the row.
            result[values["code"]] = Organisation.objects.get(code=parent).add_child(**values)
        else:
            result[values["code"]] = Organisation.add_root(**values)
    return result


def create_accounts(orgs: dict[str, Organisation]) -> list[str]:
    """Create the demonstration accounts with their posts; return the account names."""
    roles = {role.code: role for role in Role.objects.all()}
    hashed, now = make_password(PASSWORD), timezone.now()
    users = User.objects.bulk_create(
        [
            User(
                username=a.username,
                full_name=a.full_name,
                org=orgs[a.org],
                password=hashed,
                password_changed_at=now,
                is_demo=True,
            )
            for a in ACCOUNTS
        ]
    )
    Post.objects.bulk_create(
        [
            Post(user=user, org=orgs[a.org], role=roles[a.role], title=a.title, since=date(2020, 1, 1))
            for user, a in zip(users, ACCOUNTS, strict=True)
        ]
    )
    return [a.username for a in ACCOUNTS]
