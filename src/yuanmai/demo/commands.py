"""The command that loads the demonstration."""

import click
from django.conf import settings
from django.utils import timezone

from yuanmai.core.console import Refused, command, print_json
from yuanmai.demo.accounts import ACCOUNTS, PASSWORD


@click.command()
@command
def demo(as_json: bool) -> None:
    """Load the five demonstration places (a second time changes nothing) and print the accounts.

    Only in demonstration mode (YUANMAI_DEMO=1): a real installation ships no accounts.
    """
    from yuanmai.config.commands import prepare
    from yuanmai.demo.load import load
    from yuanmai.demo.scripts import alarms, history

    if not settings.DEMO:
        raise Refused("YUANMAI_DEMO=1 yuanmai demo")
    prepare()
    created = load()
    if created:
        now = timezone.now()
        history.load(now)
        alarms.load(now)
    if as_json:
        print_json({"created": created, "accounts": [a.username for a in ACCOUNTS]})
        return
    click.echo(f"{'password':24}{PASSWORD}")
    for account in ACCOUNTS:
        click.echo(f"{account.username:24}{account.full_name}  {account.org}")
