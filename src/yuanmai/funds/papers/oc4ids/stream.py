"""A project package piece by piece, so that a province needs no more memory than a park."""

import json
import uuid
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere, open_scope
from yuanmai.funds.papers.oc4ids.build import head, project
from yuanmai.funds.papers.oc4ids.gather import chunks, facts_of, project_ids

Scope = Collection[int] | None  # None: everywhere


def prefix() -> str:
    """Return what our project identifiers begin with.

    The default is no prefix of the register of project identifier prefixes: who publishes asks for one of their own and sets
    ``YUANMAI_OC4IDS_PREFIX``.
    """
    return str(settings.OC4IDS_PREFIX)


def uri_of(code: str, query: Query) -> str:
    """Return what names the package: the same for the same question."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{prefix()}:{code}:{query.as_of}:{query.known_at}").urn


def package(
    query: Query, *, uri: str, publisher: str, moment: datetime | None = None, scope: Scope = None
) -> Iterator[str]:
    """Yield the package of a question as JSON text. The data scope is opened for each chunk, since whoever asked may be gone by then."""
    moment = timezone.localtime(moment or timezone.now())
    language = translation.get_language()
    first = json.dumps(
        head(uri, publisher, moment.isoformat(timespec="seconds")), ensure_ascii=False, indent=1
    )
    yield first[: first.rindex("}")].rstrip() + ',\n "projects": ['
    with _opened(scope):
        ids = project_ids(query)
    comma = ""
    for part in chunks(ids):
        with _opened(scope), translation.override(language):
            documents = [project(facts) for facts in facts_of(query, part, prefix(), moment)]
        yield "".join(
            f"{comma if n == 0 else ','}\n{json.dumps(doc, ensure_ascii=False)}"
            for n, doc in enumerate(documents)
        )
        comma = ","
    yield "\n]}\n"


def _opened(scope: Scope) -> Any:
    return everywhere() if scope is None else open_scope(scope)
