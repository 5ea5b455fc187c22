"""Search over everything: rooms declare what can be found, one box asks them all.

A room registers a source in its `search.py` with :func:`register_source`. A source gets the actor, the text as typed and a
limit, and returns :class:`Hit` objects; it runs inside the asker's data scope and is only asked when the asker holds
`permission`. :func:`matching` builds the one filter that all sources over tables share: part of a name, of a code, of the
pinyin initials or of the full pinyin.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, IntegerField, Q, Value, When

from yuanmai.common.pinyin import pinyin_of
from yuanmai.core.policy import Actor, Text

LIMIT = 8  # hits of one source in the box; a page shows more


@dataclass(frozen=True)
class Hit:
    """Something found: what it is called, one line more, where it opens. `rank` 0 is the best (the name begins so)."""

    title: str
    url: str
    detail: str = ""
    icon: str = ""
    rank: int = 5


Finder = Callable[[Actor, str, int], Sequence[Hit]]


@dataclass(frozen=True)
class Source:
    """A kind of thing that can be found. `permission` is empty where every signed-in user may look."""

    code: str
    name: Text
    find: Finder
    permission: str = ""
    icon: str = "search"
    order: int = 100


SOURCES: dict[str, Source] = {}


def register_source(
    code: str, name: Text, find: Finder, *, permission: str = "", icon: str = "search", order: int = 100
) -> Source:
    """Declare a source; raises `ValueError` where the code is taken."""
    if code in SOURCES:
        raise ValueError(f"search source {code} is declared twice")
    SOURCES[code] = Source(code, name, find, permission, icon, order)
    return SOURCES[code]


@dataclass(frozen=True)
class Found:
    """The hits of one source."""

    source: Source
    hits: list[Hit]


def clean(text: str) -> str:
    """Return the text as it is searched for: full-width characters as usual ones, single spaces, at most 60 characters."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()[:60]


def search(actor: Actor, text: str, *, limit: int = LIMIT, only: Iterable[str] = ()) -> list[Found]:
    """Ask every source that the actor may ask; sources with hits come back, the ones with the best hit first."""
    wanted = clean(text)
    if not wanted:
        return []
    chosen = set(only)
    answers = []
    for source in sorted(SOURCES.values(), key=lambda s: (s.order, s.code)):
        if (chosen and source.code not in chosen) or (source.permission and actor.why_not(source.permission)):
            continue
        hits = sorted(source.find(actor, wanted, limit), key=lambda hit: hit.rank)[:limit]
        if hits:
            answers.append(Found(source, hits))
    return sorted(answers, key=lambda found: (found.hits[0].rank > 1, found.source.order))


def words(text: str) -> list[str]:
    """Return the words that must all occur."""
    return clean(text).split(" ") if clean(text) else []


def matching(text: str, *names: str, pinyin: str = "") -> Q:
    """Return the condition that every word of `text` occurs in one of the fields `names` or, latin words, in `pinyin`.

    `pinyin` is a field with initials and full pinyin in lower case, separated by a blank.
    """

    def one(word: str) -> Q:
        found = reduce(or_, (Q(**{f"{name}__icontains": word}) for name in names))
        if pinyin and word.isascii():
            found |= Q(**{f"{pinyin}__contains": word.lower()})
        return found

    return reduce(and_, (one(word) for word in words(text)), Q())


def ranked(text: str, name: str, code: str = "", pinyin: str = "") -> Case:
    """Return the rank of a row as an expression: 0 exact name or code, 1 beginning, 2 initials begin, 3 elsewhere in the name, 5."""
    wanted = clean(text)
    best = Q(**{f"{name}__iexact": wanted})
    begins = Q(**{f"{name}__istartswith": wanted})
    if code:
        best |= Q(**{f"{code}__iexact": wanted})
        begins |= Q(**{f"{code}__istartswith": wanted})
    cases = [When(best, then=Value(0)), When(begins, then=Value(1))]
    if pinyin and wanted.isascii():
        cases.append(When(**{f"{pinyin}__startswith": wanted.lower()}, then=Value(2)))
    cases.append(When(**{f"{name}__icontains": wanted}, then=Value(3)))
    return Case(*cases, default=Value(5), output_field=IntegerField())


def rank_of(text: str, *names: str) -> int | None:
    """Rank things that are not in a table (figures, pages): as :func:`ranked`; None where a word occurs nowhere."""
    wanted = clean(text).lower()
    texts = [name.lower() for name in names if name]
    keys = [pinyin_of(name) for name in names if name]
    for word in words(wanted):
        if not any(word in t for t in texts) and not (word.isascii() and any(word in k for k in keys)):
            return None
    if wanted in texts:
        return 0
    if any(t.startswith(wanted) for t in texts):
        return 1
    if wanted.isascii() and any(k.startswith(wanted) for k in keys):
        return 2
    return 3 if any(wanted in t for t in texts) else 5


def hits_of(rows: Iterable[Any], make: Callable[[Any], Hit]) -> list[Hit]:
    """Turn objects into hits."""
    return [make(row) for row in rows]
