"""Ask/tell optimizers."""

import pickle

import pytest
import quantsearch
from quantsearch import optimizers
from quantsearch.optimizers import Domain, FloatRange, IntRange

DOMAIN = {"rate": FloatRange(1e-5, 1, log=True), "layers": IntRange(1, 8), "act": ["relu", "tanh", "gelu"]}
ALL = ["random_optimizer", "qmc_optimizer", "tpe_optimizer", "cma_optimizer", "gp_optimizer", "nsga_optimizer", "auto_optimizer"]


def loss(rate, layers, act):
    import math

    return (math.log10(rate) + 2) ** 2 + 0.1 * (layers - 3) ** 2 + {"relu": 0.2, "tanh": 0.5, "gelu": 0.0}[act]


def run(optimizer, trials):
    values = []
    for _ in range(trials):
        proposal = optimizer.ask()
        values.append(loss(**proposal.values))
        optimizer.tell(proposal, values[-1])
    return values


@pytest.mark.parametrize("name", ALL)
def test_proposals_lie_in_the_domain_and_depend_on_the_seed_alone(name):
    make = getattr(optimizers, name)
    options = {"objectives": 1} if name in ("nsga_optimizer",) else {}
    first = make(DOMAIN, seed=3, **options)
    second = make(DOMAIN, seed=3, **options)
    for _ in range(20):
        a, b = first.ask(), second.ask()
        assert a == b
        assert 1e-5 <= a.values["rate"] <= 1 and 1 <= a.values["layers"] <= 8 and a.values["act"] in DOMAIN["act"]
        assert isinstance(a.values["layers"], int)
        for optimizer, proposal in ((first, a), (second, b)):
            optimizer.tell(proposal, loss(**proposal.values))
    assert make(DOMAIN, seed=4, **options).ask() != make(DOMAIN, seed=3, **options).ask()


@pytest.mark.parametrize("name", ["tpe_optimizer", "gp_optimizer", "cma_optimizer", "auto_optimizer"])
def test_model_based_optimizers_beat_random_points(name):
    assert min(run(getattr(optimizers, name)(DOMAIN, seed=1), 60)) < 0.15


def test_a_small_domain_is_exhausted():
    optimizer = optimizers.random_optimizer({"a": ["x", "y"], "b": IntRange(0, 1)}, seed=0)
    seen = set()
    while (proposal := optimizer.ask()) is not None:
        seen.add(tuple(proposal.values.values()))
        optimizer.tell(proposal, 0.0)
    assert seen == {("x", 0), ("x", 1), ("y", 0), ("y", 1)}


def test_points_from_elsewhere_failures_and_several_objectives_are_told():
    optimizer = optimizers.tpe_optimizer(DOMAIN, seed=0, objectives=2)
    optimizer.tell({"rate": 0.01, "layers": 3, "act": "gelu"}, [0.0, 1.0])
    optimizer.tell(optimizer.ask(), None)
    optimizer.tell(optimizer.ask(), [1.0, 0.0], constraints=[0.5])
    optimizer.tell(optimizer.ask(), [1.0, 0.0], state="pruned")
    assert optimizer.ask().number == 4


def test_pending_points_are_not_proposed_again():
    optimizer = optimizers.random_optimizer({"a": [1, 2, 3]}, seed=0)
    proposals = [optimizer.ask() for _ in range(3)]
    assert sorted(proposal.values["a"] for proposal in proposals) == [1, 2, 3]
    assert optimizer.ask() is None
    optimizer.forget(proposals[0])
    assert optimizer.ask().values == proposals[0].values


def test_values_and_coordinates_are_inverse():
    domain = Domain({"x": FloatRange(0, 1), "n": IntRange(0, 4, step=2), "c": [1, 1.0, True, None, "a"]})
    for choice in (1, 1.0, True, None, "a"):
        values = {"x": 0.5, "n": 4, "c": choice}
        back = domain.values(domain.coordinates(values))
        assert back == values and type(back["c"]) is type(choice)
    assert domain.values(domain.coordinates({"x": 0.5})) == {"x": 0.5}


def test_ranges_are_compared_pickled_and_printed():
    for dimension in (FloatRange(0.5, 1, log=True), FloatRange(0, 1, step=0.25), IntRange(1, 9, step=2)):
        assert pickle.loads(pickle.dumps(dimension)) == dimension
        assert eval(repr(dimension)) == dimension
    assert FloatRange(0, 1) != FloatRange(0, 2) and FloatRange(0, 1) != IntRange(0, 1) and FloatRange(0, 1) != None  # noqa: E711


def test_bad_domains_and_values_are_refused():
    with pytest.raises(quantsearch.InvalidInput, match="dimension 'a' is of type int, expected a FloatRange"):
        optimizers.tpe_optimizer({"a": 3})
    with pytest.raises(quantsearch.InvalidInput):
        optimizers.tpe_optimizer({"a": FloatRange(1, 0)})
    with pytest.raises(quantsearch.InvalidInput):
        optimizers.tpe_optimizer({})
    with pytest.raises(quantsearch.InvalidInput, match="'a' is 4, expected one of"):
        optimizers.random_optimizer({"a": [1, 2]}).tell({"a": 4}, 0.0)
    with pytest.raises(quantsearch.InvalidInput, match="got the state 'done'"):
        optimizers.random_optimizer({"a": [1, 2]}).tell({"a": 1}, 0.0, state="done")
    with pytest.raises(quantsearch.InvalidInput, match="'sobol' or 'halton'"):
        optimizers.qmc_optimizer({"a": [1, 2]}, kind="grid")
    with pytest.raises(quantsearch.InvalidInput, match="'none', 'ipop' or 'bipop'"):
        optimizers.cma_optimizer({"a": FloatRange(0, 1)}, restarts="often")
