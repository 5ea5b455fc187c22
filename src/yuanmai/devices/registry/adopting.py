"""What somebody unknown would be taken into the register as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.addresses import address_fits
from yuanmai.devices.engine.adoption import Guess, Offer, code_of, fits, guesses, numeric
from yuanmai.devices.engine.units import unit_of
from yuanmai.devices.models import ProductTemplate, TemplatePoint, UnknownDevice
from yuanmai.devices.registry.tables import SHORT

MOST_POINTS = 200


@dataclass(frozen=True)
class Proposal:
    """The best template with what fits it, a code, a name, and points for what no template point stands for."""

    template: ProductTemplate | None
    heard: int
    hits: int
    code: str
    name: str
    extra: tuple[Guess, ...]
    names: Mapping[str, tuple[str, str]] = field(
        default_factory=dict
    )  # name and unit of addresses the template has


@dataclass(frozen=True)
class Known:
    """The points of some templates: addresses and codes by template (one query)."""

    addresses: dict[int, set[str]]
    codes: dict[int, set[str]]
    names: dict[int, dict[str, tuple[str, str]]]

    @classmethod
    def of(cls, templates: Sequence[ProductTemplate]) -> "Known":
        """Read them; templates of organisations above lie outside the data scope, and serve all the same."""
        ids = [template.pk for template in templates]
        known = cls({pk: set() for pk in ids}, {pk: set() for pk in ids}, {pk: {} for pk in ids})
        with everywhere():
            rows = list(TemplatePoint.objects.filter(template__in=ids))
        for row in rows:
            known.addresses[row.template_id].add(row.address)
            known.codes[row.template_id].add(row.code)
            known.names[row.template_id][row.address] = (row.label, row.unit)
        return known


def _named(protocol: str, addresses: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return what the tables of the protocol know of addresses: name and unit."""
    if protocol != "hj212":
        return {}
    from yuanmai.protocols.hj212.factors import find

    found = {}
    for address in addresses:
        factor = find(address.partition("@")[0].rpartition("-")[0])
        if factor is not None and factor.name != "--":
            found[address] = (f"{factor.name} {address.rpartition('-')[2]}", unit_of(factor.unit))
    return found


def propose(row: UnknownDevice, templates: Sequence[ProductTemplate], chosen: int = 0) -> Proposal:
    """Return what to take somebody in as: with the template `chosen`, else with the one that names most of what is heard."""
    return _propose(row, templates, Known.of(templates), chosen)


def propose_all(rows: Sequence[UnknownDevice], templates: Sequence[ProductTemplate]) -> dict[int, Proposal]:
    """Return a proposal for each, by primary key (one query for all)."""
    known = Known.of(templates)
    return {row.pk: _propose(row, templates, known) for row in rows}


def _propose(
    row: UnknownDevice, templates: Sequence[ProductTemplate], known: Known, chosen: int = 0
) -> Proposal:
    said = row.sample.get("addresses") if isinstance(row.sample, dict) else None
    heard = numeric(said if isinstance(said, dict) else {})
    fitting = {template.pk: template for template in templates if template.protocol == row.protocol}
    ranked = fits(heard, [Offer(pk, frozenset(known.addresses[pk])) for pk in fitting])
    if not ranked:
        return Proposal(None, len(heard), 0, code_for(row), name_for(row, None), ())
    best = next((fit for fit in ranked if fit.number == chosen), ranked[0])
    template = fitting[best.number]
    rest = [address for address in best.rest if address_fits(row.protocol, address)][:MOST_POINTS]
    extra = tuple(guesses(rest, _named(row.protocol, rest), known.codes[template.pk]))
    return Proposal(
        template,
        len(heard),
        best.hits,
        code_for(row),
        name_for(row, template),
        extra,
        known.names[template.pk],
    )


def code_for(row: UnknownDevice) -> str:
    """Return a code for a device: its protocol and the end of its identity."""
    return f"{row.protocol}-{code_of(row.key)[-24:].strip('_')}"


def name_for(row: UnknownDevice, template: ProductTemplate | None) -> str:
    """Return a name for a device: that of its template and the end of its identity."""
    return f"{template.label if template else SHORT[row.protocol]} {row.key[-12:]}"
