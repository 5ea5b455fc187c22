"""Header words to fields: a synonym table after normalisation, then likeness, each with a confidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from .spec import KindSpec
from .text import key, squeeze
from .units import strip_unit

ACCEPT = 0.8
SUGGEST = 0.5

_BRACKETS = re.compile(r"[(\[【]([^()\[\]【】]*)[)\]】]")
_YEAR = r"(?:19|20|21)\d\d"
_SUBS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"(?:截[至止]到?)?(?:上年|去年|{_YEAR}年?)(?:年?底|年?末|12月(?:底|末|31日))(?!前?计划)"),
        "截至某年底",
    ),
    (
        re.compile(
            rf"(?:从)?(?:{_YEAR}年)?(?:度)?年初(?:以来)?[至到-](?:本月|当月|目前|今|现在|{_YEAR}年)?(?:\d{{1,2}}月)?(?:\d{{1,2}}日|份|底|末|止)*"
        ),
        "年初至今",
    ),
    (
        re.compile(rf"(?:{_YEAR}[年.])?1月?份?[-‐-―−~～至到](?:\d{{1,2}}|本|当)月(?:份|底|末|\d{{1,2}}日)?"),
        "年初至今",
    ),
    (re.compile(rf"(?:{_YEAR}年)?(?:一季度|第一季度|上半年|前三季度|1-[2-4]季度)(?=.*完成)"), "年初至今"),
    (
        re.compile(
            rf"截[至止]到?(?:目前|今|现在|本月底?|当月底?|(?:{_YEAR}[年./-])?\d{{1,2}}(?:月|[./-]\d{{1,2}})(?:\d{{1,2}}日|份|底|末)*|{_YEAR}年底?)(?:止)?"
        ),
        "截至目前",
    ),
    (re.compile(rf"(?:{_YEAR}年)?\d{{1,2}}月底?(?:止|前)?(?=累计)"), "截至目前"),
    (re.compile(rf"(?:{_YEAR}年)?\d{{1,2}}月(?:份|当月)?"), "本月"),
    (re.compile(rf"{_YEAR}(?:年度|年|度)?|本年度|今年|当年|本年|年度|全年"), "本年"),
    (re.compile(r"截止到?目前|至目前|到目前为止|目前累计|自开工(?:以来|之日起)?|开工至今|建设至今"), "@"),
)
_DATE_ONLY = re.compile(r"[\d\s年月日./\-—–~～至、()（）]+")
_ALIASES = {
    "截止到目前": "截至目前",
    "截止目前": "截至目前",
    "至目前": "截至目前",
    "到目前为止": "截至目前",
    "目前累计": "截至目前累计",
}


@dataclass(frozen=True, slots=True)
class HeaderText:
    """A header cell made comparable: canonical text, key, the years it names, and what stood in brackets."""

    text: str
    key: str
    years: tuple[int, ...]
    inner: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field a column may mean, with a confidence from 0 to 1 and how it was found."""

    field: str
    score: float
    how: str


@lru_cache(maxsize=16384)
def canonical(header: str) -> HeaderText:
    """Take years, months, units and brackets out of a header, so that next month's sheet has the same key."""
    plain = strip_unit(header)
    years = tuple(dict.fromkeys(int(y) for y in re.findall(_YEAR, plain)))
    inner = tuple(part for part in _BRACKETS.findall(plain) if part)
    outer = _BRACKETS.sub("", plain)
    if len(key(outer)) >= 2:
        plain = outer
    for pattern, word in _SUBS:
        plain = pattern.sub(_alias if word == "@" else word, plain)
    plain = re.sub(r"(本年){2,}", "本年", plain)
    plain = re.sub(r"^(本年)(年初至今|截至目前|本月)", r"\2", plain)
    return HeaderText(plain, key(plain), years, inner)


def _alias(match: re.Match[str]) -> str:
    found = match.group()
    return _ALIASES.get(found, "开工以来" if "开工" in found or "建设" in found else found)


class Matcher:
    """Finds the fields that header paths mean. Built once per kind; remembered mappings win over everything."""

    def __init__(self, spec: KindSpec, remembered: Mapping[str, str | None] | None = None) -> None:
        self.spec = spec
        self.remembered = dict(remembered or {})
        self.exact: dict[str, str] = {}
        self.words: list[tuple[str, str]] = []
        for field in spec.fields.values():
            for word in (field.label_zh, *field.synonyms):
                for form in (canonical(word).key, key(squeeze(word))):
                    if form and form not in self.exact:
                        self.exact[form] = field.code
                        self.words.append((form, field.code))
        self.generic = frozenset(key(word) for word in spec.generic)
        self.blockers = tuple(key(word) for word in spec.blockers)
        self._cache: dict[tuple[str, ...], tuple[Candidate, ...]] = {}

    def exact_hit(self, text: str) -> str | None:
        """Field of a single header cell by the table alone; used to find the head of a sheet."""
        if len(text) > 40 or _DATE_ONLY.fullmatch(text):
            return None
        form = canonical(text)
        return self.exact.get(form.key)

    def candidates(self, path: Sequence[str]) -> tuple[Candidate, ...]:
        """Fields for a header path from outer to inner word, best first."""
        path = tuple(path)
        found = self._cache.get(path)
        if found is None:
            found = self._cache[path] = tuple(self._find(path))
        return found

    def _find(self, path: tuple[str, ...]) -> list[Candidate]:
        remembered = self.remembered.get(path_key(path), "")
        if remembered is None:
            return []
        if remembered:
            return [Candidate(remembered, 1.0, "remembered")]
        if not path:
            return []
        forms = [canonical(text) for text in path]
        leaf, above = forms[-1], forms[:-1]
        tries: list[tuple[str, float]] = []
        if above:
            tries.append(("".join(f.key for f in forms), 1.0))
            tries.append((above[-1].key + leaf.key, 1.0))
        generic = leaf.key in self.generic
        if not generic or not above:
            tries.append((leaf.key, 0.99))
        if above and (generic or not leaf.key):
            tries.append((above[-1].key, 0.97))
            if len(above) > 1:
                tries.append((above[-2].key + above[-1].key, 0.97))
        best: dict[str, Candidate] = {}

        def offer(field: str, score: float, how: str) -> None:
            if field not in best or best[field].score < score:
                best[field] = Candidate(field, round(score, 3), how)

        for text, weight in tries:
            hit = self.exact.get(text)
            if hit:
                offer(hit, weight, "synonym")
        for text in leaf.inner:  # '业主(建设单位)'
            hit = self.exact.get(canonical(text).key)
            if hit and hit != "index":
                offer(hit, 0.82, "bracket")
        if not any(c.score >= 0.95 for c in best.values()):
            for text, weight in tries:
                for field, score in self._like(text).items():
                    offer(field, score * weight, "likeness")
        return sorted(best.values(), key=lambda c: -c.score)

    def _like(self, text: str) -> dict[str, float]:
        scores: dict[str, float] = {}
        if len(text) < 2 or len(text) > 40:
            return scores
        blockers = [word for word in self.blockers if word in text]
        for word, field in self.words:
            if len(word) < 2 or any(b not in word for b in blockers):
                continue
            score = fuzz.ratio(text, word) / 100
            if len(word) >= 3 and word in text:
                score = max(score, 0.62 + 0.36 * len(word) / len(text))
            if score > scores.get(field, 0):
                scores[field] = min(score, 0.94)
        return {f: s for f, s in scores.items() if s >= SUGGEST}


def path_key(path: Sequence[str]) -> str:
    """What a mapping is remembered under: the canonical words of the path, without years and units."""
    return ">".join(canonical(text).key for text in path if text)
