"""Black-box optimizers with an ask/tell interface (quantsearch/optimizers.h).

>>> from quantsearch.optimizers import FloatRange, IntRange, tpe_optimizer
>>> optimizer = tpe_optimizer({"rate": FloatRange(1e-5, 1, log=True), "layers": IntRange(1, 8), "act": ["relu", "gelu"]}, seed=1)
>>> for _ in range(100):
...     trial = optimizer.ask()
...     if trial is None:
...         break  # every point of a small domain was tried
...     optimizer.tell(trial, loss(**trial.values))

All of them minimise; to maximise, tell the negated value. A domain maps names to dimensions: FloatRange(low, high,
log=, step=), IntRange(low, high, step=, log=), or a list of choices. Proposals depend only on the seed and on what was
told, in its order.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from . import _core
from ._errors import InvalidInput, type_name

Categories = _core.Categories
FloatRange = _core.FloatRange
IntRange = _core.IntRange
#: A range, or the choices of a category.
Dimension = Union[FloatRange, IntRange, Sequence[Any]]

__all__ = [
    "Dimension",
    "Domain",
    "FloatRange",
    "IntRange",
    "Optimizer",
    "Proposal",
    "auto_optimizer",
    "cma_optimizer",
    "gp_optimizer",
    "nsga_optimizer",
    "qmc_optimizer",
    "random_optimizer",
    "tpe_optimizer",
]


class Domain:
    """Named dimensions, and points as the numbers that the optimizers take."""

    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        self.dimensions = dict(dimensions)
        self.choices: Dict[str, List[Any]] = {}
        self.core: List[Any] = []
        for name, dimension in self.dimensions.items():
            self.core.append(self._core_dimension(name, dimension))
        self._integers = [isinstance(dimension, IntRange) for dimension in self.core]

    def _core_dimension(self, name: str, dimension: Dimension) -> Any:
        if isinstance(dimension, (FloatRange, IntRange)):
            return dimension
        if isinstance(dimension, (str, bytes)) or not isinstance(dimension, Sequence):
            raise InvalidInput(
                f"optimize: dimension '{name}' is of type {type_name(dimension)}, expected a FloatRange, an IntRange or a "
                "list of choices"
            )
        self.choices[name] = list(dimension)
        return Categories(len(dimension))

    def values(self, at: Sequence[float]) -> Dict[str, Any]:
        """The values of a point; dimensions without effect in it are left out."""
        found: Dict[str, Any] = {}
        for name, coordinate, is_integer in zip(self.dimensions, at, self._integers):
            if coordinate != coordinate:
                continue
            choices = self.choices.get(name)
            found[name] = choices[int(coordinate)] if choices else int(coordinate) if is_integer else coordinate
        return found

    def coordinates(self, values: Mapping[str, Any]) -> List[float]:
        """The point of these values. A value that is absent is a dimension without effect. Raises InvalidInput for a
        value that is no choice."""
        return [math.nan if name not in values else self._coordinate(name, values[name]) for name in self.dimensions]

    def _coordinate(self, name: str, value: Any) -> float:
        choices = self.choices.get(name)
        if choices is None:
            return float(value)
        for index, choice in enumerate(choices):
            if choice is value or choice == value and type(choice) is type(value):
                return float(index)
        raise InvalidInput(f"optimize: '{name}' is {value!r}, expected one of {choices}")


class Proposal(NamedTuple):
    """A point to try: its number and the value of each dimension."""

    number: int
    values: Dict[str, Any]


class Optimizer:
    """Proposes points of a domain. Made by the functions of this module."""

    def __init__(self, domain: Domain, core: Any) -> None:
        self.domain = domain
        self._core = core
        self._pending: Dict[int, List[float]] = {}
        self._next = 0

    def ask(self, number: Optional[int] = None) -> Optional[Proposal]:
        """The next point, neither told nor pending; None when a small domain has none left.

        Args:
            number: of the proposal; None counts on. Proposals of the same numbers after the same observations are
                equal.
        """
        number = self._next if number is None else number
        at = self._core.ask(number, list(self._pending.items()))
        if at is None:
            return None
        self._next = max(self._next, number + 1)
        self._pending[number] = at
        return Proposal(number, self.domain.values(at))

    def tell(
        self,
        point: Union[Proposal, Mapping[str, Any]],
        objectives: Union[float, Sequence[float], None] = None,
        *,
        state: str = "complete",
        constraints: Sequence[float] = (),
        variance: float = 0.0,
        number: Optional[int] = None,
    ) -> None:
        """Tells the result of a proposal, or of a point that came from elsewhere.

        Args:
            point: what ask() returned, or the values of a point.
            objectives: to be minimised, finite; None for a trial that failed.
            state: "complete", "pruned" (the objective is an estimate) or "failed".
            constraints: feasible when every one is <= 0.
            variance: known squared standard error of the first objective; 0 means exact.
            number: of a point that came from elsewhere; None counts on.
        """
        if isinstance(point, Proposal):
            number = point.number
            at = self._pending.pop(number, None) or self.domain.coordinates(point.values)
        else:
            at = self.domain.coordinates(point)
            number = self._next if number is None else number
            self._next = max(self._next, number + 1)
        if objectives is None:
            objectives = ()
            state = "failed" if state == "complete" else state
        values = [float(value) for value in objectives] if isinstance(objectives, Sequence) else [float(objectives)]
        self._core.tell(number, at, state, values, list(constraints), variance)

    def set_pending(self, points: Mapping[int, Mapping[str, Any]]) -> None:
        """Replaces the points that are being tried, by number, where others keep the account of them."""
        self._pending = {number: self.domain.coordinates(values) for number, values in points.items()}

    def forget(self, proposal: Proposal) -> None:
        """A proposal that is not tried; it may be proposed again."""
        self._pending.pop(proposal.number, None)


def _domain(domain: Union[Domain, Mapping[str, Dimension]]) -> Domain:
    return domain if isinstance(domain, Domain) else Domain(domain)


DomainSource = Union[Domain, Mapping[str, Dimension]]


def random_optimizer(domain: DomainSource, *, seed: int = 0) -> Optimizer:
    """Uniform points (Bergstra and Bengio 2012)."""
    space = _domain(domain)
    return Optimizer(space, _core.random_optimizer(space.core, seed))


def qmc_optimizer(domain: DomainSource, *, seed: int = 0, kind: str = "sobol", scramble: bool = True) -> Optimizer:
    """Low-discrepancy points, "sobol" or "halton"; scrambled after Owen 1995."""
    if kind not in ("sobol", "halton"):
        raise InvalidInput(f"optimize: got the kind '{kind}', expected 'sobol' or 'halton'")
    space = _domain(domain)
    return Optimizer(space, _core.qmc_optimizer(space.core, seed, kind == "halton", scramble))


def tpe_optimizer(
    domain: DomainSource,
    *,
    seed: int = 0,
    objectives: int = 1,
    startup_trials: int = 10,
    candidates: int = 24,
    multivariate: Optional[bool] = None,
    constant_liar: Optional[bool] = None,
) -> Optimizer:
    """Tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127; several objectives: Ozaki
    et al. 2022).

    Args:
        startup_trials: random points first.
        candidates: drawn for each proposal.
        multivariate: draw dimensions jointly; None: jointly for one objective.
        constant_liar: pending points count as bad; None: with several objectives only.
    """
    space = _domain(domain)
    core = _core.tpe_optimizer(space.core, seed, objectives, startup_trials, candidates, multivariate, constant_liar)
    return Optimizer(space, core)


def cma_optimizer(
    domain: DomainSource,
    *,
    seed: int = 0,
    restarts: str = "ipop",
    learning_rate_adaptation: bool = False,
    population: int = 0,
    mean: Optional[Mapping[str, Any]] = None,
    sigma: float = 0.0,
) -> Optimizer:
    """CMA-ES (Hansen 2016) with margin; with categories CatCMA (Hamano et al. 2025, arXiv 2504.07884). One objective.

    Args:
        restarts: "none", "ipop" or "bipop".
        learning_rate_adaptation: for noise and many optima (Nomura et al. 2023).
        population: 0 means 4 + floor(3 ln d).
        mean: point to start from; None: the middle.
        sigma: first step as a share of the box; 0 means 0.12.
    """
    space = _domain(domain)
    start = None if mean is None else space.coordinates(mean)
    core = _core.cma_optimizer(space.core, seed, restarts, learning_rate_adaptation, population, start, sigma)
    return Optimizer(space, core)


def gp_optimizer(
    domain: DomainSource, *, seed: int = 0, objectives: int = 1, startup_trials: int = 10, deterministic_objective: bool = False
) -> Optimizer:
    """Gaussian process with log expected improvement (Ament et al. 2023). At most 3 objectives."""
    space = _domain(domain)
    return Optimizer(space, _core.gp_optimizer(space.core, seed, objectives, startup_trials, deterministic_objective))


def nsga_optimizer(
    domain: DomainSource,
    *,
    seed: int = 0,
    objectives: int = 2,
    population: int = 50,
    reference_points: bool = False,
    offspring: int = 1,
) -> Optimizer:
    """NSGA-II (Deb et al. 2002), or NSGA-III with `reference_points` (Deb and Jain 2014)."""
    space = _domain(domain)
    return Optimizer(space, _core.nsga_optimizer(space.core, seed, objectives, population, reference_points, offspring))


def auto_optimizer(
    domain: DomainSource, *, seed: int = 0, objectives: int = 1, budget: Optional[int] = None, workers: int = 1
) -> Optimizer:
    """Chooses and switches optimizers by the number of trials expected (`budget`), objectives and the domain."""
    space = _domain(domain)
    return Optimizer(space, _core.auto_optimizer(space.core, seed, objectives, budget, workers))
