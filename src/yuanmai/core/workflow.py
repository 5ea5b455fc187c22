"""Workflows: states and transitions declared beside the model; pages, API and actions read the same table.

A room's `workflows.py` declares one :class:`Workflow` per kind of object. Whoever shows buttons asks :func:`offers`; whoever
changes the state calls :func:`move` inside an action: it checks the permission, what the transition needs, and the present
state in one compare-and-swap ``update``, so that of two people only one wins and the other is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act
from yuanmai.core.policy import Actor, Text


@dataclass(frozen=True)
class Need:
    """Something that must be stated with a transition: the name of the input and how a form asks for it.

    `kind` is text, long or date. An optional need is asked for, but may stay empty.
    """

    name: str
    label: Text
    kind: str = "text"
    optional: bool = False


@dataclass(frozen=True)
class Transition:
    """One permitted change: from which states, to which (empty: the state stays), by whom, and what it needs."""

    code: str
    name: Text
    sources: tuple[str, ...]
    target: str
    permission: str
    needs: tuple[Need, ...] = ()
    icon: str = "arrow-right"
    tone: str = ""
    explain: Text = ""


@dataclass(frozen=True)
class Workflow:
    """The table of transitions of one model; `field` holds the state."""

    code: str
    name: Text
    initial: str
    states: Mapping[str, Text]
    transitions: tuple[Transition, ...]
    final: tuple[str, ...] = ()
    field: str = "state"

    def transition(self, code: str) -> Transition:
        """Return a transition by its code; raises `KeyError` naming it."""
        for transition in self.transitions:
            if transition.code == code:
                return transition
        raise KeyError(f"{self.code} has no transition {code}")

    def leaving(self, state: str) -> list[Transition]:
        """Return the transitions that are possible from a state."""
        return [t for t in self.transitions if state in t.sources]


@dataclass(frozen=True)
class Offer:
    """A transition as a page shows it: possible from the present state; `why_not` is the refusal in words, or None."""

    transition: Transition
    why_not: str | None = None


WORKFLOWS: dict[str, Workflow] = {}


def workflow(declared: Workflow) -> Workflow:
    """Declare a workflow; raises `ValueError` for a code declared twice or a transition between unknown states."""
    if declared.code in WORKFLOWS:
        raise ValueError(f"workflow {declared.code} is declared twice")
    known = set(declared.states)
    for transition in declared.transitions:
        used = {*transition.sources, *([transition.target] if transition.target else [])}
        if not used <= known:
            raise ValueError(f"{declared.code}.{transition.code} uses unknown states {sorted(used - known)}")
    WORKFLOWS[declared.code] = declared
    return declared


class Conflict(ValidationError):  # noqa: N818  (named for what happened)
    """The object is no longer in the state that the change was meant for."""


def offers(flow: Workflow, obj: Any, actor: Actor) -> list[Offer]:
    """Return what can be done with `obj` now, each with the reason why this actor may not, if so."""
    state = getattr(obj, flow.field)
    return [Offer(t, actor.why_not(t.permission, obj.org_id)) for t in flow.leaving(state)]


def missing(transition: Transition, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return a message for every need that was not met."""
    return {
        need.name: [_("“%(label)s” must be stated.") % {"label": need.label}]
        for need in transition.needs
        if not need.optional and given.get(need.name) in (None, "")
    }


@dataclass(frozen=True)
class Moved:
    """What a transition did: the states and the values set with it."""

    transition: Transition
    before: str
    after: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def move(
    act: Act, flow: Workflow, obj: models.Model, code: str, given: Mapping[str, Any], **changes: Any
) -> Moved:
    """Carry out a transition inside an action; `given` are the inputs it needs, `changes` the columns set with it.

    Raises `Denied` without the right, `ValidationError` with a message for each missing need, :class:`Conflict` when the
    object has left the state in which the caller saw it.
    """
    transition = flow.transition(code)
    act.require(getattr(obj, "org_id", None), transition.permission)
    before = str(getattr(obj, flow.field))
    if before not in transition.sources:
        raise Conflict(_not_from(flow, transition, before))
    if faults := missing(transition, given):
        raise ValidationError(faults)
    after = transition.target or before
    values = {flow.field: after, **changes}
    rows = type(obj)._default_manager.filter(pk=obj.pk, **{flow.field: before})
    if not rows.update(**values):
        present = type(obj)._default_manager.filter(pk=obj.pk).values_list(flow.field, flat=True).first()
        raise Conflict(_not_from(flow, transition, str(present or "")))
    for name, value in values.items():
        setattr(obj, name, value)
    return Moved(transition, before, after, changes)


def _not_from(flow: Workflow, transition: Transition, state: str) -> str:
    return _("“%(step)s” is not possible any more: the present state is “%(state)s”.") % {
        "step": transition.name,
        "state": flow.states.get(state, state),
    }
