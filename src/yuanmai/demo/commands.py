"""The command that loads the demonstration."""

import click

from yuanmai.core.console import command


@click.command()
@command
def demo(as_json: bool) -> None:
    """Load the five demonstration places (again: changes nothing)."""
    from yuanmai.demo.load import load

    load()
