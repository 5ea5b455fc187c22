"""Commands of the audit log."""

import sys

import click

from yuanmai.core.audit.log import verify
from yuanmai.core.console import command, print_json


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command("verify")
@command
def audit_verify(as_json: bool) -> None:
    """Prove that no entry was changed, deleted, moved or cut off."""
    verdict = verify()
    broken = verdict.broken
    if as_json:
        print_json(
            {
                "whole": verdict.whole,
                "entries": verdict.entries,
                "first_bad": None
                if broken is None
                else {"position": broken.position, "sequence": broken.sequence, "reason": broken.reason},
            }
        )
    elif broken is None:
        click.echo(f"whole: {verdict.entries}")
    else:
        click.echo(f"broken at {broken.position}: {broken.reason}", err=True)
    sys.exit(0 if verdict.whole else 1)
