"""The registry of checks and how they are run."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _

Text = str | Promise


class State(enum.Enum):
    """How a check came out: all right; works, but look at it; does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Outcome:
    """What a check found: its state, what it saw, and (unless all is well) what to do about it."""

    state: State
    what: Text
    mend: Text = ""

    @classmethod
    def ok(cls, what: Text) -> "Outcome":
        """All is well."""
        return cls(State.OK, what)

    @classmethod
    def warn(cls, what: Text, mend: Text) -> "Outcome":
        """The program works, but somebody should look at this."""
        return cls(State.WARN, what, mend)

    @classmethod
    def fail(cls, what: Text, mend: Text) -> "Outcome":
        """Something does not work until this is mended."""
        return cls(State.FAIL, what, mend)


@dataclass(frozen=True)
class Check:
    """A declared check; ``needs_database`` ones are left out when the database cannot be used."""

    name: str
    title: Text
    run: Callable[[], Outcome]
    needs_database: bool


@dataclass(frozen=True)
class Examined:
    """A check with what it found."""

    name: str
    title: Text
    outcome: Outcome


CHECKS: dict[str, Check] = {}


def check(
    name: str, title: Text, *, needs_database: bool = False
) -> Callable[[Callable[[], Outcome]], Callable[[], Outcome]]:
    """Declare a check. ``name`` is stable (scripts read it), ``title`` is shown.

    Raises `ValueError` for a name declared twice.
    """

    def declare(function: Callable[[], Outcome]) -> Callable[[], Outcome]:
        if name in CHECKS:
            raise ValueError(f"check {name} is declared twice")
        CHECKS[name] = Check(name, title, function, needs_database)
        return function

    return declare


def examine() -> Iterator[Examined]:
    """Run every check, in the order of the rooms, yielding each as it comes out.

    A check that fails by itself is reported as failed, so that one broken part does not hide the others. Checks that read
    the database come last and are left out when the check named ``database`` failed.
    """
    autodiscover_modules("doctor.checks", "doctor.work", "checks")
    usable = True
    for one in sorted(CHECKS.values(), key=lambda c: c.needs_database):
        if one.needs_database and not usable:
            continue
        outcome = _run(one)
        if one.name in {"database", "migrations"} and outcome.state is State.FAIL:
            usable = False
        yield Examined(one.name, one.title, outcome)


def _run(one: Check) -> Outcome:
    try:
        return one.run()
    except Exception as error:
        return Outcome.fail(
            f"{type(error).__name__}: {error}",
            _(
                "The check itself failed. Please report it with the lines above; YUANMAI_LOG_LEVEL=DEBUG shows more."
            ),
        )
