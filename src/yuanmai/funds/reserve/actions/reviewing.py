"""Reviews by finance and development-reform, and the steps from the reserve to the repayment."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query
from yuanmai.core.policy import Actor, Denied
from yuanmai.core.workflow import Offer, missing, move, offers
from yuanmai.funds.coverage import record_coverage
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.review import missing as missing_items
from yuanmai.funds.engine.review import stopped, weighted
from yuanmai.funds.findings.reserve import refresh_reserve
from yuanmai.funds.issuing.ceilings import standing_sum
from yuanmai.funds.issuing.service import plan_of
from yuanmai.funds.models import Allotment, PlanYear, Reserve, Review
from yuanmai.funds.permissions import REVIEW_FINANCE, REVIEW_REFORM, SEE_FUNDS
from yuanmai.funds.reserve.actions.entering import locked
from yuanmai.funds.reserve.moving import last_day, log, not_before_last, record_step, shift
from yuanmai.funds.reserve.queries import examine, standing_reviews
from yuanmai.funds.reserve.rules import name_of
from yuanmai.funds.reserve.wording import GATE_NAMES, gate_reason, plain, yuan
from yuanmai.funds.reserve.workflow import PREPARED, RESERVE, REVIEWED
from yuanmai.projects.actions.wording import reason_needed

BODIES = {Review.Body.FINANCE: REVIEW_FINANCE, Review.Body.REFORM: REVIEW_REFORM}
BEST = Decimal(100)
OPINION_MAX = 5000


def not_due(reserve: Reserve, body: str) -> str | None:
    """Return why a body has nothing to review now, in words; None where it has."""
    if reserve.withdrawn_at is not None or reserve.state != PREPARED or reserve.submitted_at is None:
        return _("This project has not been handed in for review.")
    if body in standing_reviews(reserve):
        return _("This body has reviewed it already.")
    return None


def partial(reserve: Reserve, actor: Actor) -> str | None:
    """Return why a person must not review this application, in words: his own, or one he reviewed for the other body."""
    if actor.user_id is None:
        return None
    if actor.user_id in reserve.editors:
        return _("You entered or changed this application yourself; somebody else must review it.")
    if any(review.reviewer_id == actor.user_id for review in standing_reviews(reserve).values()):
        return _("You have reviewed it for the other body; somebody else must review it here.")
    return None


def why_no_review(reserve: Reserve, body: str, actor: Actor) -> str | None:
    """Return why an actor may not review for a body now, in words; None where he may."""
    right = actor.why_not(BODIES[Review.Body(body)], reserve.org_id)
    return right or not_due(reserve, body) or partial(reserve, actor)


@action("funds.review_reserve", permission=SEE_FUNDS)
def review_reserve(
    act: Act,
    reserve: Reserve,
    body: str,
    on: date,
    headings: Mapping[str, Mapping[str, Any]],
    verdict: str,
    opinion: str = "",
) -> Review:
    """Review a reserve project for finance or development-reform: heading → `score` (0–100) and `opinion`, and the verdict.

    A pass needs every hard gate passed and the least score; a send-back needs its reason as `opinion`. With the second body's pass
    the project is reviewed. Raises `Denied` where the reviewer entered the application himself, `ValidationError` by field.
    """
    if body not in Review.Body.values:
        raise ValidationError({"body": [_("Choose one of the list.")]})
    reserve = locked(reserve)
    act.require(reserve.org_id, BODIES[Review.Body(body)])
    if reason := not_due(reserve, body):
        raise ValidationError(reason)
    if reason := partial(reserve, act.actor):
        raise Denied(reason)
    not_before_last(reserve, on)
    seen = examine(reserve, Query((reserve.org_id,), on))
    scores = _scores(headings, seen.rules["review_headings"])
    score = weighted({code: entry["score"] for code, entry in scores.items()}, seen.rules["review_headings"])
    opinion = opinion.strip()[:OPINION_MAX]
    if verdict == Review.Verdict.PASS:
        if stops := stopped(seen.gates):
            raise ValidationError(
                {"verdict": [f"{GATE_NAMES[gate.code]}: {gate_reason(gate)}" for gate in stops]}
            )
        least = seen.rules["review_pass_score"]
        if score is None or score < least:
            raise ValidationError(
                {
                    "verdict": [
                        _("The score of %(score)s is below %(least)s.") % {"score": score, "least": least}
                    ]
                }
            )
    elif verdict == Review.Verdict.SEND_BACK:
        if not opinion:
            raise ValidationError({"opinion": [_("Say why it is sent back and what must be put right.")]})
    else:
        raise ValidationError({"verdict": [_("Choose one of the list.")]})
    review = Review.objects.create(
        reserve=reserve,
        body=body,
        headings={code: {"score": str(e["score"]), "opinion": e["opinion"]} for code, e in scores.items()},
        score=score,
        verdict=verdict,
        opinion=opinion,
        reviewed_on=on,
        recorded_at=act.now,
        reviewer_id=act.actor.user_id,
        gates=plain(seen.gates),
    )
    said = f"{review.get_body_display()}: {review.get_verdict_display()}"
    record_step(act, reserve, "review", on, text=f"{said}. {opinion}".strip(". ") if opinion else said)
    log(act, reserve, after={"body": body, "verdict": verdict, "score": score, "opinion": opinion})
    _conclude(act, reserve, review, on)
    return review


def _scores(
    headings: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return the scores as numbers; raises `ValidationError` (field ``score_<heading>``) for one that is missing or out of range."""
    faults: dict[str, list[str]] = {}
    found = {}
    for code in wanted:
        entry = headings.get(code) or {}
        score = entry.get("score")
        if score is None:
            faults[f"score_{code}"] = [
                _("“%(heading)s” has no score.") % {"heading": name_of("headings", code)}
            ]
        elif not 0 <= score <= BEST:
            faults[f"score_{code}"] = [_("From 0 to 100.")]
        else:
            found[code] = {
                "score": Decimal(score),
                "opinion": str(entry.get("opinion") or "").strip()[:OPINION_MAX],
            }
    if faults:
        raise ValidationError(faults)
    return found


def _conclude(act: Act, reserve: Reserve, review: Review, on: date) -> None:
    if review.verdict == Review.Verdict.SEND_BACK:
        shift(
            act, reserve, "returned", PREPARED, on,
            text=review.opinion, submitted_at=None, sent_back_at=act.now,
        )  # fmt: skip
        return
    passed = {body for body, row in standing_reviews(reserve).items() if row.verdict == Review.Verdict.PASS}
    if passed == set(Review.Body.values):
        shift(act, reserve, "pass", REVIEWED, on)


@action("funds.take_back_review", permission=SEE_FUNDS)
def take_back_review(act: Act, review: Review, on: date, reason: str) -> Review:
    """Take a review back, by whoever may review for that body, as long as the project was not reported."""
    reserve = locked(review.reserve)
    act.require(reserve.org_id, BODIES[Review.Body(review.body)])
    reason = reason_needed(reason)
    standing = standing_reviews(reserve).get(review.body)
    if standing is None or standing.pk != review.pk or reserve.state not in {PREPARED, REVIEWED}:
        raise ValidationError(_("This review can no longer be taken back: the project has moved on."))
    if act.actor.user_id is not None and review.reviewer_id != act.actor.user_id:
        raise Denied(_("Only the reviewer himself may take a review back."))
    Review.objects.filter(pk=review.pk, retracted_at=None).update(retracted_at=act.now)
    day = max(on, last_day(reserve) or on)
    shift(act, reserve, "unreviewed", PREPARED, day, text=f"{review.get_body_display()}: {reason}")
    return review


def possible(reserve: Reserve, actor: Actor) -> list[Offer]:
    """Return the steps that people can take now, each with the reason why this actor may not, if so."""
    if reserve.withdrawn_at is not None:
        return []
    hidden = {"recall"} if reserve.submitted_at is None else {"submit"}
    return [offer for offer in offers(RESERVE, reserve, actor) if offer.transition.code not in hidden]


@action("funds.move_reserve", permission=SEE_FUNDS)
def move_reserve(act: Act, reserve: Reserve, code: str, on: date, given: Mapping[str, Any]) -> Reserve:
    """Take a step of ``workflow.RESERVE``, which also names the right it needs; `given` holds what it needs.

    Raises `ValidationError` by input, `Conflict` where somebody else was faster.
    """
    reserve = locked(reserve)
    transition = RESERVE.transition(code)
    act.require(reserve.org_id, transition.permission)
    if reserve.withdrawn_at is not None:
        raise ValidationError(_("This project was withdrawn from the reserve; put it back first."))
    not_before_last(reserve, on)
    if reserve.state in transition.sources and not missing(transition, given):
        changes = _CHANGES.get(code, _nothing)(act, reserve, on, given)
    else:
        changes = {}  # `move` says what is wrong
    before = {"state": reserve.state, **{name: getattr(reserve, name) for name in changes}}
    moved = move(act, RESERVE, reserve, code, given, **changes)
    text = "\n".join(str(given[name]).strip() for name in ("document", "text") if given.get(name))
    record_step(act, reserve, code, on, text=text)
    record_coverage(act, [reserve], on)
    log(
        act,
        reserve,
        before=before,
        after={"state": moved.after, **changes, **({"text": text} if text else {})},
    )
    refresh_reserve(act, [reserve], on)
    return reserve


def _nothing(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _submit(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    if reserve.submitted_at is not None:
        raise ValidationError(_("It has been handed in already."))
    if reserve.sent_back_at is not None and not str(given.get("text") or "").strip():
        raise ValidationError({"text": [_("It was sent back: say what was done about it.")]})
    return {"submitted_at": act.now, "sent_back_at": None}


def _recall(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    if reserve.submitted_at is None:
        raise ValidationError(_("It is not being reviewed."))
    return {"submitted_at": None}


def _send_back(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"submitted_at": None, "sent_back_at": act.now}


def _amount(reserve: Reserve, given: Mapping[str, Any]) -> Decimal:
    amount: Decimal = given["amount"]
    if amount <= 0:
        raise ValidationError({"amount": [_("State an amount greater than 0.")]})
    if amount > reserve.requested:
        raise ValidationError(
            {
                "amount": [
                    _("More than the %(limit)s that were asked for.") % {"limit": yuan(reserve.requested)}
                ]
            }
        )
    return amount


def _approve(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    seen = examine(reserve, Query((reserve.org_id,), on))
    absent = missing_items(
        seen.application.items, seen.application.files, seen.rules["checklist"], "review", "approval"
    )
    if absent:
        names = ", ".join(name_of("checklist", code) for code in absent)
        raise ValidationError(_("Still missing on the checklist: %(names)s") % {"names": names})
    return {"approved": _amount(reserve, given)}


def _adjust(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    amount, allotted = _amount(reserve, given), standing_sum(Allotment, project=reserve.project)
    if amount < allotted:
        raise ValidationError(
            {"amount": [_("Less than the %(limit)s that were allotted already.") % {"limit": yuan(allotted)}]}
        )
    return {"approved": amount}


def _revoke(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    if standing_sum(Allotment, project=reserve.project):
        raise ValidationError(_("Tranches are allotted to this project; take the allotment back first."))
    return {"approved": None}


def _repay(act: Act, reserve: Reserve, on: date, given: Mapping[str, Any]) -> dict[str, Any]:
    found = statement(plan_of(reserve, PlanYear.Version.ISSUED, Query((reserve.org_id,), on)))
    last = max((row.date for rows in found.flows.values() for row in rows), default=on)
    if last > on:
        raise ValidationError(_("The last payment is due on %(day)s.") % {"day": last.isoformat()})
    return {}


_CHANGES = {
    "submit": _submit, "recall": _recall, "send_back": _send_back, "approve": _approve, "adjust": _adjust,
    "revoke": _revoke, "repay": _repay,
}  # fmt: skip
