"""Every yuan is somewhere: the strands of the money, the graph of their sums, and what lies before and behind a node."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from yuanmai.funds.engine import flow, flow_graph
from yuanmai.funds.engine.flow import Books, Given, Issue, Lending, Paid, Space, Work

D = Decimal


def books(**changes):
    """One tranche of 1,000, on-lent to the city, for two projects; a contract with two works, one building, two tenants."""
    plain = Books(
        issues=[Issue("t1", "province", D(1000))],
        lendings=[Lending("t1", "province", "city", D(900))],
        given=[Given("t1", "p1", D(600), D(500)), Given("t1", "p2", D(200), D(0))],
        paid=[Paid("t1", "p1", "c1", "u1", D(300))],
        works=[
            Work("w1", "p1", "c1", "", "m", D(100), D(25)),
            Work("w2", "p1", "c1", "b1", "m", D(300), D(300)),
        ],
        spaces=[Space("b1", "e1", D(60)), Space("b1", "e2", D(30)), Space("b1", "", D(10))],
        above={"p1": ("north", "city", "province"), "p2": ("north", "city", "province")},
        contracts={"c1": ("p1", D(400))},
    )
    return replace(plain, **changes)


def amounts(strands):
    """(from, to) → amount."""
    return {(link.source, link.target): link.amount for link in flow_graph.graph(strands).links}


def test_every_yuan_of_a_tranche_is_laid_out():
    links = amounts(flow.strands(books()))
    assert links == {
        ("place:province", "tranche:t1"): D(1000),
        ("tranche:t1", "lent:t1:city"): D(900),
        ("tranche:t1", "rest:unallotted"): D(100),
        ("lent:t1:city", "project:p1"): D(600),
        ("lent:t1:city", "project:p2"): D(200),
        ("lent:t1:city", "rest:unallotted"): D(100),
        ("project:p2", "rest:undisbursed"): D(200),
        ("project:p1", "use:u1"): D(300),
        ("project:p1", "rest:unpaid"): D(200),
        ("project:p1", "rest:undisbursed"): D(100),
        ("use:u1", "contract:c1"): D(300),
        ("contract:c1", "payment:c1"): D(300),
        ("payment:c1", "work:w1"): D(75),  # 100 of 400 metres
        ("payment:c1", "work:w2"): D(225),
        ("work:w1", "rest:standing"): D(25),  # 100 of the contract's 400, a quarter measured
        ("work:w1", "rest:unbuilt"): D(50),
        ("work:w2", "building:b1"): D(225),
        ("building:b1", "tenant:e1"): D(135),
        ("building:b1", "tenant:e2"): D("67.50"),
        ("building:b1", "rest:unlet"): D("22.50"),
    }


def test_shared_parts_name_their_rule():
    links = {(link.source, link.target): link.rules for link in flow_graph.graph(flow.strands(books())).links}
    assert links["payment:c1", "work:w1"] == {"quantity"}
    assert links["building:b1", "tenant:e1"] == {"area"}
    assert links["project:p1", "use:u1"] == set()
    works = [Work("w1", "p1", "c1", "", "m", D(100), D(0)), Work("w2", "p1", "c1", "", "set", D(3), D(0))]
    mixed = amounts(flow.strands(books(works=works)))
    assert mixed["payment:c1", "work:w1"] == mixed["payment:c1", "work:w2"] == D(150)


def test_money_that_the_books_do_not_explain_comes_from_its_own_node():
    strands = flow.strands(
        books(given=[Given("t1", "p1", D(1000), D(0))], paid=[Paid("t1", "p1", "c1", "", D(1050))])
    )
    links = amounts(strands)
    assert links["excess:lending", "lent:t1:city"] == D(100)
    assert links["excess:allotment", "project:p1"] == D(50)
    assert links["project:p1", "use:none:p1"] == D(1050)


def test_a_tranche_allotted_beyond_its_amount_shows_it():
    strands = flow.strands(books(lendings=[], given=[Given("t1", "p1", D(800)), Given("t1", "p2", D(300))]))
    assert amounts(strands)["excess:tranche", "tranche:t1"] == D(100)
    before, _behind = flow_graph.around(strands, "project:p2")
    assert {part.key: part.amount for part in before}["excess:tranche"] == D(
        100
    )  # the last allotment is short
    before, _behind = flow_graph.around(strands, "project:p1")
    assert "excess:tranche" not in {part.key for part in before}


def test_works_without_contract_belong_to_the_contracts_without_works():
    works = [Work("w1", "p1", "", "", "m", D(100), D(50))]
    contracts = {"c1": ("p1", D(400)), "c2": ("p1", D(100))}
    paid = [Paid("t1", "p1", "c1", "u1", D(200)), Paid("t1", "p1", "c2", "u1", D(100))]
    links = amounts(flow.strands(books(works=works, contracts=contracts, paid=paid)))
    assert links["payment:c1", "work:w1"] == D(200)
    assert links["payment:c2", "work:w1"] == D(100)
    assert links["work:w1", "rest:standing"] == D(250)  # half of both contracts stands on the ground
    assert links["work:w1", "rest:unbuilt"] == D(50)


def test_payments_without_any_work_rest_unrecorded_and_empty_buildings_unlet():
    assert amounts(flow.strands(books(works=[])))["payment:c1", "rest:unrecorded"] == D(300)
    assert amounts(flow.strands(books(spaces=[])))["building:b1", "rest:unlet"] == D(225)


def test_lending_in_a_circle_does_not_hang():
    lendings = [Lending("t1", "city", "county", D(10)), Lending("t1", "county", "city", D(20))]
    strands = flow.strands(books(lendings=lendings))
    assert unbalanced(strands) == []


def test_around_a_node_says_where_from_and_where_to():
    before, behind = flow_graph.around(flow.strands(books()), "tenant:e1")
    assert behind == []
    assert [(part.key, part.amount, part.shared) for part in before] == [
        (key, D(135), True)
        for key in (
            "place:province", "tranche:t1", "lent:t1:city", "project:p1", "use:u1", "contract:c1", "payment:c1",
            "work:w2", "building:b1",
        )
    ]  # fmt: skip
    before, behind = flow_graph.around(flow.strands(books()), "project:p1")
    assert [part.shared for part in before] == [False] * 3
    assert {part.key: part.shared for part in behind} == {
        "use:u1": False, "contract:c1": False, "payment:c1": False, "work:w1": True, "work:w2": True,
        "building:b1": True, "tenant:e1": True, "tenant:e2": True, "rest:unpaid": False, "rest:undisbursed": False,
        "rest:standing": True, "rest:unbuilt": True, "rest:unlet": True,
    }  # fmt: skip


def test_stages_left_out_keep_the_sums_and_the_rules():
    strands = flow.strands(books())
    fewer = flow_graph.only(strands, {"tranche", "building", "tenant"})
    links = {(link.source, link.target): link for link in flow_graph.graph(fewer).links}
    assert links["tranche:t1", "building:b1"].amount == D(225)
    assert links["tranche:t1", "building:b1"].rules == {"quantity"}
    assert flow_graph.graph(fewer).total == flow_graph.graph(strands).total == D(1000)


def test_folding_keeps_the_sums_and_the_chosen_node():
    given_ = [Given("t1", f"p{n}", D(n)) for n in range(1, 11)]
    strands = flow.strands(books(lendings=[], given=given_, paid=[]))
    folded, hidden = flow_graph.fold(strands, 4, keep="project:p1")
    drawn = [node for node in flow_graph.graph(folded).nodes.values() if node.stage == "project"]
    assert hidden == {"project": 7}
    assert {node.key: node.inflow for node in drawn} == {
        "project:p10": D(10), "project:p9": D(9), "project:p1": D(1), "project:folded": D(35),
    }  # fmt: skip
    assert unbalanced(folded) == []


def unbalanced(strands):
    """Nodes that give on, or keep, another sum than they took in, from the links alone."""
    picture = flow_graph.graph(strands)
    into, out = {}, {}
    for link in picture.links:
        into[link.target] = into.get(link.target, D(0)) + link.amount
        out[link.source] = out.get(link.source, D(0)) + link.amount
    faults = []
    for node in picture.nodes.values():
        first, last = node.key not in into, node.key not in out
        if not first and into[node.key] != node.inflow:
            faults.append(node)
        if not last and out[node.key] + (node.rests if last else D(0)) != node.inflow:
            faults.append(node)
        if node.inflow != node.outflow + node.rests:
            faults.append(node)
    return faults


cents = st.integers(0, 10**9).map(lambda n: D(n) / 100)
small = st.sampled_from
ids = ["1", "2", "3"]


@st.composite
def any_books(draw):
    """Books with every kind of contradiction: beyond the tranche, beyond the lending, paid without allotment, no works."""
    issues = [Issue(i, "province", draw(cents)) for i in ids[: draw(st.integers(1, 3))]]
    tranche = st.sampled_from([issue.id for issue in issues])
    places = ["province", "city", "north", "south"]
    lendings = draw(
        st.lists(st.builds(Lending, tranche, small(places), small(places[1:]), cents), max_size=5)
    )
    pairs = draw(st.lists(st.tuples(tranche, small(ids)), unique=True, max_size=6))
    given_ = [Given(t, p, draw(cents), draw(cents)) for t, p in pairs]
    contracts = {f"c{n}": (draw(small(ids)), draw(cents)) for n in range(draw(st.integers(1, 4)))}
    paid = []
    for name in contracts:
        times = range(draw(st.integers(0, 2)))
        paid += [
            Paid(draw(tranche), contracts[name][0], name, draw(small(["", "u"])), draw(cents)) for _ in times
        ]
    works = []
    for n in range(draw(st.integers(0, 5))):
        name = draw(small(["", *contracts]))
        project = contracts[name][0] if name else draw(small(ids))
        works.append(
            Work(
                f"w{n}",
                project,
                name,
                draw(small(["", "b1", "b2"])),
                draw(small(["m", "set"])),
                draw(cents),
                draw(cents),
            )
        )
    spaces = draw(st.lists(st.builds(Space, small(["b1", "b2"]), small(["", "e1", "e2"]), cents), max_size=6))
    above = {p: draw(st.permutations(places)) for p in ids}
    return Books(issues, lendings, given_, paid, works, spaces, above, contracts)


@given(any_books())
@settings(max_examples=300, deadline=None)
def test_sums_are_conserved_whatever_the_books_say(made):
    strands = flow.strands(made)
    assert all(strand.amount > 0 for strand in strands)
    assert unbalanced(strands) == []
    picture = flow_graph.graph(strands)
    for issue in made.issues:
        begun = sum(
            (
                s.amount
                for s in strands
                if s.path[0].node.startswith("place:") and s.path[1].node == f"tranche:{issue.id}"
            ),
            D(0),
        )
        assert begun == issue.amount  # every yuan issued is somewhere
    for name in made.contracts:
        spent = sum((p.amount for p in made.paid if p.contract == name), D(0))
        node = picture.nodes.get(f"payment:{name}")
        assert (node.inflow if node else D(0)) == spent  # every payment is followed
    # No strand passes a node twice, and stages never go back: a picture without circles.
    order = {stage: index for index, stage in enumerate(flow.STAGES)}
    for strand in strands:
        ranks = [
            order.get(flow.stage_of(step.node), 99 if step.node.startswith("rest") else -1)
            for step in strand.path
        ]
        assert ranks == sorted(ranks)
        assert len({step.node for step in strand.path}) == len(strand.path)
    # Both directions from any node give the same yuan.
    for node in picture.nodes:
        before, behind = flow_graph.around(strands, node)
        for side in (before, behind):
            by_stage = {}
            for part in side:
                stage = flow.stage_of(part.key)
                by_stage[stage] = by_stage.get(stage, D(0)) + part.amount
            most = picture.nodes[node].inflow
            assert all(
                value <= most for stage, value in by_stage.items() if stage not in ("lent", "excess", "rest")
            )
        for part in behind:
            back = {p.key: p.amount for p in flow_graph.around(strands, part.key)[0]}
            assert back[node] == part.amount


@given(cents, st.lists(cents, min_size=1, max_size=8))
def test_shares_are_whole_cents_and_add_up(amount, weights):
    parts = flow.shares(amount, weights)
    assert sum(parts) == amount
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert part == part.quantize(D("0.01"))
        if whole:
            assert abs(part - amount * weight / whole) < D("0.01")
