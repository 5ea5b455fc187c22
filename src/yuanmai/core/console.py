"""What all commands share: JSON on standard output, refusals as problem documents, exit codes."""

import json
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import click
from django.core.exceptions import BadRequest, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, OperationalError, connection
from django.utils import translation
from django.utils.translation import gettext as _

from yuanmai.common.language import console_language
from yuanmai.common.plain import plain
from yuanmai.core.policy import Denied

F = TypeVar("F", bound=Callable[..., Any])


class Refused(Exception):  # noqa: N818  (what happened, not a failure of ours)
    """Input that is refused; `problem` is printed as JSON, `message` for people."""

    def __init__(self, message: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.problem = dict(problem or {"title": message, "status": 400})


def print_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(plain(document), ensure_ascii=False, indent=2, cls=DjangoJSONEncoder))


def command(function: F) -> F:
    """Give a command the `--json` option and the house's way to refuse: exit 1 with a problem document.

    The language follows ``LANG``/``LC_ALL`` (English for ``en…``), Chinese otherwise. The function gets `as_json`.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
    @wraps(function)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        translation.activate(console_language())
        try:
            try:
                return function(*args, as_json=as_json, **kwargs)
            except DatabaseError:
                if not set_up_when_empty():
                    raise
                # The command had nothing to read from and has done nothing; now it has.
                return function(*args, as_json=as_json, **kwargs)
        except (Refused, Denied, BadRequest, ValidationError, DatabaseError) as error:
            if isinstance(error, DatabaseError):
                message = database_trouble(error)
                problem = {"title": message, "status": 503}
            elif isinstance(error, Refused):
                message, problem = error.message, error.problem
            elif isinstance(error, ValidationError):
                message, problem = (
                    "; ".join(error.messages),
                    {"title": "; ".join(error.messages), "status": 422},
                )
            else:
                message = str(error)
                problem = {"title": message, "status": 403 if isinstance(error, Denied) else 400}
            if as_json:
                print_json(problem)
            else:
                click.echo(message, err=True)
            sys.exit(1)

    return run  # type: ignore[return-value]


# How to set an empty database up; the command line puts the action of the floor above here.
set_up: Callable[[], None] | None = None


def set_up_when_empty() -> bool:
    """Create the tables where the database has none at all, as on the first command of a new installation."""
    try:
        if set_up is None or connection.introspection.table_names():
            return False
    except DatabaseError:
        return False
    set_up()
    return True


def database_trouble(error: DatabaseError) -> str:
    """Return what is wrong with the database and what to do; raises `error` itself where it is a mistake of ours."""
    said = " ".join(str(error).split())
    if "no such table" in said or "does not exist" in said or "no such column" in said:
        return _("The database has not been set up, or is older than the program. Run “yuanmai migrate”.")
    if isinstance(error, OperationalError):
        return _("The database cannot be used: %(reason)s. “yuanmai doctor” says more.") % {"reason": said}
    raise error
