"""Commands of the people room."""

import sys
from typing import Any

import click

from yuanmai.core.console import Refused, command, print_json
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.people import actions
from yuanmai.people.models import Organisation, Role, User


@click.group()
def org() -> None:
    """Organisations."""


@org.command("add")
@click.argument("code")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(Organisation.Kind.values))
@click.option("--parent", help="Code of the organisation above.")
@command
def org_add(code: str, name: str, kind: str, parent: str | None, as_json: bool) -> None:
    """Add an organisation with a CODE and a NAME."""
    with everywhere():
        created = actions.add_organisation(SYSTEM, code=code, name=name, kind=kind, parent_code=parent)
    if as_json:
        print_json({"code": created.code, "name": created.name, "kind": created.kind, "parent": parent})
    else:
        click.echo(f"{created.code} {created.name}")


@org.command("list")
@command
def org_list(as_json: bool) -> None:
    """List the organisations as a tree."""
    nodes = list(Organisation.objects.order_by("path"))
    if as_json:
        print_json([{"code": n.code, "name": n.name, "kind": n.kind, "depth": n.depth} for n in nodes])
    for node in nodes if not as_json else ():
        click.echo(f"{'  ' * (node.depth - 1)}{node.code}  {node.name}  {node.get_kind_display()}")


@click.group()
def user() -> None:
    """Users."""


@user.command("add")
@click.argument("username")
@click.option("--name", default="", help="Full name.")
@click.option("--role", "role_code", required=True)
@click.option("--org", "org_code", required=True)
@click.option("--password-stdin", is_flag=True, help="Read the first password from standard input.")
@command
def user_add(
    username: str, name: str, role_code: str, org_code: str, password_stdin: bool, as_json: bool
) -> None:
    """Add a user with one post; without a password one is made and printed, to be changed at the first sign-in."""
    if not Role.objects.filter(code=role_code).exists():
        raise Refused(f"role? {', '.join(Role.objects.values_list('code', flat=True))}")
    password = sys.stdin.readline().strip() if password_stdin else None
    with everywhere():
        created, first = actions.add_user(
            SYSTEM,
            username=username,
            full_name=name,
            role_code=role_code,
            org_code=org_code,
            password=password,
        )
    if as_json:
        print_json({"username": created.username, "password": first})
    else:
        click.echo(f"{created.username}" + (f"  {first}" if first else ""))


def _account(username: str) -> User:
    found = User.objects.filter(username__iexact=username).first()
    if found is None:
        raise Refused(f"{username}? yuanmai user list")
    return found


@user.command("list")
@command
def user_list(as_json: bool) -> None:
    """List the accounts with their posts."""
    rows: list[dict[str, Any]] = [
        {
            "username": account.username,
            "name": account.full_name,
            "active": account.is_active,
            "posts": [f"{post.role.code}@{post.org.code}" for post in account.posts.all()],
        }
        for account in User.objects.prefetch_related("posts__role", "posts__org").order_by("username")
    ]
    if as_json:
        print_json(rows)
    for row in rows if not as_json else ():
        click.echo(
            f"{row['username']}  {row['name']}  {' '.join(row['posts'])}" + ("" if row["active"] else "  ×")
        )


@user.command("reset-password")
@click.argument("username")
@command
def user_reset_password(username: str, as_json: bool) -> None:
    """Give an account a one-time password and print it; also for the three administrators."""
    with everywhere():
        password = actions.reset_password(SYSTEM, _account(username))
    if as_json:
        print_json({"username": username, "password": password})
    else:
        click.echo(password)


@user.command("unlock")
@click.argument("username")
@command
def user_unlock(username: str, as_json: bool) -> None:
    """Open an account that a person or wrong passwords have locked."""
    with everywhere():
        account = actions.unlock_user(SYSTEM, _account(username))
    if as_json:
        print_json({"username": account.username, "active": account.is_active})
    else:
        click.echo(account.username)


@user.command("remove-second-factor")
@click.argument("username")
@command
def user_remove_second_factor(username: str, as_json: bool) -> None:
    """Take away the second factor of an account whose owner lost phone and codes."""
    with everywhere():
        removed = actions.remove_second_factor(SYSTEM, _account(username))
    if as_json:
        print_json({"username": username, "removed": removed})
    else:
        click.echo(str(removed))
