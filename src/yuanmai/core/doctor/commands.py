"""The command ``yuanmai doctor``."""

import json
import os
from collections.abc import Iterator

import click
import django
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yuanmai.core.doctor.model import Examined, Outcome, State, examine

COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


def as_json(results: list[Examined]) -> str:
    """The results as one JSON document: ``{"healthy", "checks": [{"name", "title", "state", "what", "mend"}]}``."""
    document = {
        "healthy": all(result.outcome.state is not State.FAIL for result in results),
        "checks": [
            {
                "name": result.name,
                "title": str(result.title),
                "state": result.outcome.state.value,
                "what": str(result.outcome.what),
                "mend": str(result.outcome.mend),
            }
            for result in results
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


@click.command("doctor")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--rebuild", is_flag=True, help="First fold the state tables anew from the recorded facts.")
def doctor_command(json_: bool, rebuild: bool) -> None:
    """Say what is missing or misconfigured, and how to mend it. Exit code 1 when something does not work."""
    if rebuild:
        _rebuild()
    results = []
    for result in _results():
        results.append(result)
        if not json_:
            _print(result)
    failed = sum(result.outcome.state is State.FAIL for result in results)
    if json_:
        click.echo(as_json(results))
    elif results[0].name == "start":
        pass
    elif failed:
        click.echo(ngettext("%(n)d check failed.", "%(n)d checks failed.", failed) % {"n": failed})
    else:
        click.echo(_("Everything needed works."))
    raise SystemExit(1 if failed else 0)


def _rebuild() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yuanmai.config.settings")
    django.setup()
    from yuanmai.core.doctor.states import rebuild
    from yuanmai.core.policy import SYSTEM

    autodiscover_modules("checks")
    rebuild(SYSTEM)


def _results() -> Iterator[Examined]:
    """The results of all checks, or the one reason why the program does not even start (in English: the translations
    are part of what does not start)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yuanmai.config.settings")
    try:
        django.setup()
    except Exception as error:
        yield Examined("start", "Start", Outcome.fail(f"{type(error).__name__}: {error}", _advice(error)))
        return
    yield from examine()


def _advice(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return "Run 'make setup', or reinstall the wheel: a part of the program is missing."
    if isinstance(error, OSError):
        return "Set YUANMAI_HOME to a directory that this user may write."
    return "Check the environment variables (docs/configuration.md), DATABASE_URL first."


def _print(result: Examined) -> None:
    outcome = result.outcome
    state = click.style(f"{outcome.state.value:<4}", fg=COLOURS[outcome.state])
    click.echo(f"{state}  {result.title}: {outcome.what}")
    if outcome.mend:
        click.echo(f"      → {outcome.mend}")
