"""The command line: ``yuanmai …``.

Commands live in the rooms' `commands.py` and are imported only when called, so that `yuanmai engine …` needs no database
and starts quickly. With ``--json`` a command prints one JSON document on standard output and nothing else. Exit codes:
0 fine, 1 refused input (with problem JSON), 2 wrong usage.
"""

import importlib
import os
import sys

import click

# name → (module, attribute, one line of help); a command or a group.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "serve": ("yuanmai.config.commands", "serve", "Start everything on this machine."),
    "web": ("yuanmai.config.commands", "web", "Start the web process."),
    "worker": ("yuanmai.config.commands", "worker", "Start the process that does background work."),
    "live": ("yuanmai.config.commands", "live", "Start the process that streams what moves to pages."),
    "ingest": ("yuanmai.gateway.ingest.commands", "ingest", "Take what devices said into the lake."),
    "migrate": ("yuanmai.config.commands", "migrate", "Bring the database up to date."),
    "backup": (
        "yuanmai.core.backup.commands",
        "backup_command",
        "Write database and files into one archive.",
    ),
    "restore": (
        "yuanmai.core.backup.commands",
        "restore_command",
        "Bring an archive back into an empty installation.",
    ),
    "demo": ("yuanmai.demo.commands", "demo", "Load the demonstration places."),
    "doctor": ("yuanmai.core.doctor.commands", "doctor_command", "Say what is missing and how to mend it."),
    "org": ("yuanmai.people.commands", "org", "Organisations: add, list."),
    "user": ("yuanmai.people.commands", "user", "Users: add."),
    "import": ("yuanmai.core.workbooks.commands", "import_command", "Take over a workbook."),
    "undo": ("yuanmai.core.workbooks.commands", "undo_command", "Undo an import."),
    "export": ("yuanmai.funds.papers.commands", "export", "Hand data out in open formats: oc4ids."),
    "figure": ("yuanmai.cockpit.commands", "figure", "Compute one figure."),
    "figures": ("yuanmai.cockpit.commands", "figures", "List the figures and their definitions."),
    "bulletin": ("yuanmai.cockpit.commands", "bulletin", "Write the bulletin of a period."),
    "audit": ("yuanmai.core.audit.commands", "audit", "The audit log: verify."),
    "gateway": ("yuanmai.gateway.commands", "gateway", "Start the process that speaks with devices."),
    "decode": ("yuanmai.protocols.commands", "decode", "Say what frames of devices hold: hj212, jt808, ..."),
    "simulate": (
        "yuanmai.demo.simulators.commands",
        "simulate",
        "Run simulated devices: stations, terminals, …",
    ),
    "engine": ("yuanmai.cli", "engine", "Compute from a file, without a database: bond."),
}
# What the pure engines of the rooms compute from one JSON document.
ENGINES: dict[str, tuple[str, str, str]] = {
    "bond": ("yuanmai.funds.engine_commands", "bond", "Debt service and coverage of special bonds."),
}
# The doctor sets up Django itself and says what keeps it from starting; engines need none.
WITHOUT_DJANGO = {"doctor", "engine", "decode", "simulate", *ENGINES}


class Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    names = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, with Django set up where it needs that."""
        if cmd_name not in self.names:
            return None
        module, attribute, _help = self.names[cmd_name]
        if cmd_name not in WITHOUT_DJANGO:
            setup_django()
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_module, _attribute, text) in self.names.items()])


class Engines(Lazy):
    """The engines."""

    names = ENGINES


def setup_django() -> None:
    """Load settings and rooms."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yuanmai.config.settings")
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()

    from yuanmai.core import console

    def prepare() -> None:
        from yuanmai.config.commands import prepare

        prepare()

    console.set_up = prepare


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="yuanmai")
def cli() -> None:
    """Yuanmai (园脉): one ledger for the life of an industrial park."""


@click.group(cls=Engines)
def engine() -> None:
    """Compute from a JSON document, without a database."""


def main() -> None:
    """Entry point of the console script."""
    cli(prog_name="yuanmai")
    sys.exit(0)
