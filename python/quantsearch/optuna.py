"""This library's optimizers as a sampler of Optuna.

>>> import optuna
>>> from quantsearch.optuna import Sampler
>>> study = optuna.create_study(sampler=Sampler("tpe", seed=1))
"""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, List, Optional, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from .optimizers import Dimension, FloatRange, IntRange, Optimizer
from .search import Sampler as Choice

__all__ = ["Sampler"]

_CONSTRAINTS = "constraints"  # where Optuna keeps the constraints of a trial
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class Sampler(BaseSampler):
    """A sampler of Optuna that proposes what one of this library's optimizers proposes.

    Parameters that all finished trials have are sampled together; others at random.

    Args:
        name: "tpe", "random", "cma", "gp", "nsga", "qmc" or "auto".
        seed: of everything random; None: another one for each sampler.
        constraints_func: as in Optuna: returns one number for each constraint, feasible when all are <= 0.
        options: of the function of quantsearch.optimizers.
    """

    def __init__(
        self,
        name: str = "tpe",
        *,
        seed: Optional[int] = None,
        constraints_func: Optional[Callable[[FrozenTrial], Sequence[float]]] = None,
        **options: Any,
    ) -> None:
        self._independent = RandomSampler(seed=seed)
        self._choice = Choice(name, seed=_drawn_seed(self._independent) if seed is None else seed, **options)
        self._constraints_func = constraints_func
        self._space = IntersectionSearchSpace(include_pruned=True)
        self._optimizer: Optional[Optimizer] = None
        self._of: Dict[str, BaseDistribution] = {}  # the space of the optimizer
        self._study_id: Optional[int] = None
        self._told: set[int] = set()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> Dict[str, BaseDistribution]:
        space = self._space.calculate(study)
        return {name: distribution for name, distribution in space.items() if not distribution.single()}

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Dict[str, BaseDistribution]) -> Dict[str, Any]:
        self._require_objectives(study)
        if not search_space:
            return {}
        optimizer = self._optimizer_of(study, search_space)
        trials = study.get_trials(deepcopy=False)
        for finished in trials:
            if finished.state in _FINISHED and finished.number not in self._told:
                self._tell(optimizer, study, finished)
        optimizer.set_pending({running.number: running.params for running in trials if _is_pending(running, trial, search_space)})
        proposal = optimizer.ask(trial.number)
        if proposal is None:  # every point of a small space was tried
            return {}
        return proposal.values

    def sample_independent(self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution) -> Any:
        self._require_objectives(study)
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def _require_objectives(self, study: Study) -> None:
        if self._choice.name == "cma":
            self._raise_error_if_multi_objective(study)

    def reseed_rng(self) -> None:
        self._independent.reseed_rng()
        self._choice = Choice(self._choice.name, seed=_drawn_seed(self._independent), **self._choice.options)
        self._optimizer = None

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Optional[Sequence[float]]) -> None:
        if self._constraints_func is not None and state in (TrialState.COMPLETE, TrialState.PRUNED):
            constraints = [float(value) for value in self._constraints_func(trial)]
            study._storage.set_trial_system_attr(trial._trial_id, _CONSTRAINTS, constraints)

    def _optimizer_of(self, study: Study, space: Dict[str, BaseDistribution]) -> Optimizer:
        if self._optimizer is None or space != self._of or self._study_id != study._study_id:
            dimensions = {name: _dimension(distribution) for name, distribution in space.items()}
            self._optimizer = self._choice.make(dimensions, len(study.directions))
            self._of, self._study_id, self._told = dict(space), study._study_id, set()
        return self._optimizer

    def _tell(self, optimizer: Optimizer, study: Study, trial: FrozenTrial) -> None:
        self._told.add(trial.number)
        params = {name: trial.params[name] for name, of in self._of.items() if name in trial.params and _holds(of, trial.params[name])}
        if len(params) < len(self._of):
            return  # it has no point of this space
        values = _minimized(study, trial)
        state = "failed" if values is None else "complete" if trial.state == TrialState.COMPLETE else "pruned"
        constraints = trial.system_attrs.get(_CONSTRAINTS) or ()
        optimizer.tell(params, values, state=state, constraints=list(constraints), number=trial.number)


def _drawn_seed(sampler: RandomSampler) -> int:
    return int(sampler._rng.rng.randint(0, 2**31 - 1))


def _is_pending(running: FrozenTrial, current: FrozenTrial, space: Dict[str, BaseDistribution]) -> bool:
    return running.state == TrialState.RUNNING and running.number != current.number and all(name in running.params for name in space)


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    return bool(distribution._contains(distribution.to_internal_repr(value)))


def _dimension(distribution: BaseDistribution) -> Dimension:
    if isinstance(distribution, FloatDistribution):
        return FloatRange(distribution.low, distribution.high, log=distribution.log, step=distribution.step)
    if isinstance(distribution, IntDistribution):
        return IntRange(distribution.low, distribution.high, step=distribution.step, log=distribution.log)
    assert isinstance(distribution, CategoricalDistribution)
    return list(distribution.choices)


def _minimized(study: Study, trial: FrozenTrial) -> Optional[List[float]]:
    values = trial.values
    if values is None and trial.state == TrialState.PRUNED and trial.intermediate_values and len(study.directions) == 1:
        values = [trial.intermediate_values[max(trial.intermediate_values)]]
    if not values or not all(map(math.isfinite, values)):
        return None
    return [-value if direction == StudyDirection.MAXIMIZE else value for value, direction in zip(values, study.directions)]
