"""Studies of functions of your own, with Optuna's names.

>>> from quantsearch.search import create_study
>>> study = create_study(direction="minimize")
>>> study.optimize(lambda trial: (trial.suggest_float("x", -10, 10) - 2) ** 2, n_trials=100)
>>> study.best_params

Trials are kept in memory, or with `storage` in a file or on a PostgreSQL server, in the tables of Optuna.
"""

from __future__ import annotations

import math
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union

from . import optimizers
from ._errors import InvalidInput, TrialPruned, is_pruning, type_name
from ._events import logger
from ._results import data_frame
from ._study_storage import StudyStorage
from ._study_trials import FrozenTrial, TrialState
from .optimizers import Dimension, FloatRange, IntRange, Optimizer, Proposal

if TYPE_CHECKING:
    import pandas

__all__ = ["FrozenTrial", "Sampler", "Study", "Trial", "TrialPruned", "TrialState", "create_study"]

MakeOptimizer = Callable[[Mapping[str, Dimension], int, int], Optimizer]


class Sampler:
    """Which optimizer proposes the parameters.

    Args:
        name: "tpe", "random", "cma", "gp", "nsga", "qmc" or "auto".
        seed: of everything random.
        options: of the function of quantsearch.optimizers, such as startup_trials=20.
    """

    _KINDS: Dict[str, Tuple[Callable[..., Optimizer], bool]] = {  # with: whether it knows several objectives
        "tpe": (optimizers.tpe_optimizer, True),
        "random": (optimizers.random_optimizer, False),
        "cma": (optimizers.cma_optimizer, False),
        "gp": (optimizers.gp_optimizer, True),
        "nsga": (optimizers.nsga_optimizer, True),
        "qmc": (optimizers.qmc_optimizer, False),
        "auto": (optimizers.auto_optimizer, True),
    }

    def __init__(self, name: str = "tpe", *, seed: int = 0, **options: Any) -> None:
        if name not in self._KINDS:
            raise InvalidInput(f"optimize: got the sampler '{name}', expected one of {', '.join(map(repr, self._KINDS))}")
        self.name, self.seed, self.options = name, seed, options

    @property
    def takes_conditional(self) -> bool:
        """Whether it learns from trials that lack some of the parameters."""
        return self.name in ("tpe", "random", "qmc")

    def make(self, domain: Mapping[str, Dimension], objectives: int) -> Optimizer:
        """The optimizer over a domain. Raises InvalidInput for several objectives when it knows one only."""
        function, several = self._KINDS[self.name]
        if objectives > 1 and self.name == "cma":
            raise InvalidInput(f"optimize: the sampler 'cma' takes one objective, got {objectives}; use 'tpe', 'nsga' or 'gp'")
        options = {"objectives": objectives, **self.options} if several else self.options
        return function(domain, seed=self.seed, **options)


class Trial:
    """A running trial, which the objective asks for parameters."""

    def __init__(self, study: "Study", frozen: FrozenTrial, proposed: Mapping[str, Any], proposal: Optional[Proposal]) -> None:
        self._study, self._frozen, self._proposed, self._proposal = study, frozen, proposed, proposal
        self._begin = time.monotonic()

    @property
    def number(self) -> int:
        return self._frozen.number

    @property
    def params(self) -> Dict[str, Any]:
        return dict(self._frozen.params)

    def suggest_float(self, name: str, low: float, high: float, *, step: Optional[float] = None, log: bool = False) -> float:
        """A real number from `low` to `high`, both inclusive; on a logarithmic scale with `log`; only low + k * step."""
        value: float = self._suggest(name, FloatRange(low, high, log=log, step=step))
        return value

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """An integer from `low` to `high`, both inclusive."""
        value: int = self._suggest(name, IntRange(low, high, step=step, log=log))
        return value

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return self._suggest(name, list(choices))

    def set_user_attr(self, key: str, value: Any) -> None:
        self._frozen.user_attrs[key] = value

    def set_constraints(self, constraints: Sequence[float]) -> None:
        """The trial is feasible when every one is <= 0."""
        self._frozen.constraints = [float(value) for value in constraints]

    def report(self, value: float, step: int) -> None:
        """An intermediate value. It is the estimate of a trial that is pruned."""
        self._frozen.intermediate_values[step] = float(value)

    def should_prune(self) -> bool:
        """False: the objective decides, and raises TrialPruned."""
        return False

    def _suggest(self, name: str, dimension: Dimension) -> Any:
        frozen = self._frozen
        if name in frozen.params:
            if frozen.distributions[name] != dimension:
                raise InvalidInput(f"optimize: '{name}' was asked for with another range or other choices in this trial")
            return frozen.params[name]
        if name in self._proposed and self._study.dimension_of(name) == dimension:
            value = self._proposed[name]
        elif name in self._study.fixed_of(self.number):
            value = self._study.fixed_of(self.number)[name]
        else:
            value = _random_value(dimension, random.Random(f"{self._study.sampler.seed}/{self.number}/{name}"))
        frozen.params[name], frozen.distributions[name] = value, dimension
        return value


def _random_value(dimension: Dimension, stream: random.Random) -> Any:
    """A uniform value, for a parameter that no earlier trial had."""
    if isinstance(dimension, FloatRange):
        if dimension.step is not None:
            return dimension.low + dimension.step * stream.randint(0, int((dimension.high - dimension.low) / dimension.step + 1e-9))
        if dimension.log:
            return math.exp(stream.uniform(math.log(dimension.low), math.log(dimension.high)))
        return stream.uniform(dimension.low, dimension.high)
    if isinstance(dimension, IntRange):
        if dimension.log:
            return min(dimension.high, round(math.exp(stream.uniform(math.log(dimension.low), math.log(dimension.high)))))
        return dimension.low + dimension.step * stream.randint(0, (dimension.high - dimension.low) // dimension.step)
    return stream.choice(list(dimension))


class Study:
    """Trials of one objective, and the sampler that learns from them. Made by create_study()."""

    def __init__(self, directions: Sequence[str], sampler: Sampler, name: str, storage: Optional[StudyStorage] = None) -> None:
        self.directions = list(directions)
        self.sampler = sampler
        self.study_name = name
        self._storage = storage
        self._trials: Dict[int, FrozenTrial] = {}
        self._lock = threading.RLock()
        self._known: Dict[str, Dimension] = {}  # parameters that are sampled together
        self._domain: Dict[str, Dimension] = {}  # those of the optimizer
        self._has_finished = False
        self._optimizer: Optional[Optimizer] = None
        self._told: List[FrozenTrial] = []
        self._queue: List[Dict[str, Any]] = []
        self._fixed: Dict[int, Dict[str, Any]] = {}
        self._stopped = False

    # What was found.

    @property
    def direction(self) -> str:
        return self.directions[0]

    @property
    def trials(self) -> List[FrozenTrial]:
        """By number; of a stored study also those that other processes have finished."""
        with self._lock:
            self._take_news()
            return [self._trials[number] for number in sorted(self._trials)] if self._storage else list(self._trials.values())

    @property
    def best_trials(self) -> List[FrozenTrial]:
        """Feasible complete trials that no other dominates."""
        complete = [trial for trial in self.trials if trial.state is TrialState.COMPLETE and max(trial.constraints, default=0) <= 0]
        return [a for a in complete if not any(self._dominates(b, a) for b in complete)]

    @property
    def best_trial(self) -> FrozenTrial:
        """The best trial of a single objective. Raises InvalidInput when no trial is complete."""
        best = self.best_trials
        if len(self.directions) > 1 or not best:
            raise InvalidInput("optimize: there is no best trial; with several objectives use best_trials, else complete one first")
        return best[0]

    @property
    def best_value(self) -> float:
        value = self.best_trial.value
        assert value is not None
        return value

    @property
    def best_params(self) -> Dict[str, Any]:
        return self.best_trial.params

    def trials_dataframe(self) -> "pandas.DataFrame":
        """One row for each trial: number, state, value or values_N, params_*. Needs pandas."""
        rows = []
        for trial in self.trials:
            row: Dict[str, Any] = {"number": trial.number, "state": trial.state.name, "seconds": trial.seconds}
            values: Sequence[Optional[float]] = trial.values or [None] * len(self.directions)
            row.update({"value" if len(values) == 1 else f"values_{index}": value for index, value in enumerate(values)})
            row.update({f"params_{name}": value for name, value in trial.params.items()})
            rows.append(row)
        return data_frame(rows)

    def __repr__(self) -> str:
        return f"Study({self.study_name!r}: {len(self.trials)} trials, {', '.join(self.directions)}, {self.sampler.name})"

    # Trials.

    def enqueue_trial(self, params: Mapping[str, Any]) -> None:
        """A later trial takes these parameters; those that it lacks are sampled."""
        self._queue.append(dict(params))

    def ask(self) -> Trial:
        """Starts a trial; tell() ends it."""
        with self._lock:
            self._take_news()
            frozen = FrozenTrial(number=self._storage.begin() if self._storage else len(self._trials))
            self._trials[frozen.number] = frozen
            if self._queue:
                self._fixed[frozen.number] = self._queue.pop(0)
                return Trial(self, frozen, {}, None)
            optimizer = self._current_optimizer()
            proposal = optimizer.ask(frozen.number) if optimizer is not None else None
            return Trial(self, frozen, proposal.values if proposal else {}, proposal)

    def tell(
        self, trial: Trial, values: Union[float, Sequence[float], None] = None, *, state: TrialState = TrialState.COMPLETE
    ) -> FrozenTrial:
        """Ends a trial with its value, or values when there are several objectives. A value that is not finite fails it."""
        frozen = trial._frozen
        with self._lock:
            if frozen.state is not TrialState.RUNNING:
                raise InvalidInput(f"optimize: trial {frozen.number} has ended already")
            numbers = self._numbers(values, state)
            frozen.values, frozen.state = numbers, state
            if state is TrialState.COMPLETE and (numbers is None or not all(map(math.isfinite, numbers))):
                frozen.values, frozen.state = None, TrialState.FAIL
            frozen.seconds = time.monotonic() - trial._begin
            if self._storage:
                self._storage.finish(frozen)
            if trial._proposal is not None and self._optimizer is not None:
                self._optimizer.forget(trial._proposal)
            self._told.append(frozen)
            self._learn(frozen)
        return frozen

    def _numbers(self, values: Union[float, Sequence[float], None], state: TrialState) -> Optional[List[float]]:
        if values is None:
            return None
        try:
            numbers = [float(value) for value in values] if isinstance(values, (list, tuple)) else [float(values)]  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise InvalidInput(f"optimize: the objective returned a value of type {type_name(values)}, expected a number") from None
        if len(numbers) != len(self.directions):
            raise InvalidInput(f"optimize: got {len(numbers)} values for {len(self.directions)} objectives")
        return numbers

    def optimize(
        self,
        objective: Callable[[Trial], Union[float, Sequence[float]]],
        n_trials: Optional[int] = None,
        timeout: Optional[float] = None,
        n_jobs: int = 1,
        catch: Union[Type[Exception], Tuple[Type[Exception], ...]] = (),
        callbacks: Sequence[Callable[["Study", FrozenTrial], None]] = (),
    ) -> None:
        """Runs trials until `n_trials` have run or `timeout` seconds have passed.

        Args:
            objective: called with a Trial; returns a number, or one for each objective. TrialPruned prunes; any other
                exception fails the trial and is raised unless `catch` names it.
            n_jobs: trials at the same time, in threads.
            callbacks: called with the study and each finished trial; stop() ends the study.
        """
        self._stopped = False
        end = math.inf if timeout is None else time.monotonic() + timeout
        remaining = iter(range(n_trials)) if n_trials is not None else iter(int, 1)

        def work() -> None:
            while not self._stopped and time.monotonic() < end:
                with self._lock:
                    if next(remaining, None) is None:
                        return
                self._run(objective, catch, callbacks)

        if n_jobs == 1:
            work()
            return
        with ThreadPoolExecutor(n_jobs) as pool:
            try:
                for future in [pool.submit(work) for _ in range(n_jobs)]:
                    future.result()
            finally:
                self._stopped = True

    def stop(self) -> None:
        """Ends optimize() after the running trials."""
        self._stopped = True

    def _run(self, objective: Callable[[Trial], Any], catch: Any, callbacks: Sequence[Callable[["Study", FrozenTrial], None]]) -> None:
        trial = self.ask()
        try:
            values = objective(trial)
            frozen = self.tell(trial, values)
        except BaseException as error:
            frozen = trial._frozen
            if frozen.state is TrialState.RUNNING:
                frozen = self.tell(trial, state=TrialState.PRUNED if is_pruning(error) else TrialState.FAIL)
            if frozen.state is not TrialState.PRUNED:
                logger.warning("optimize: trial %d failed: %s: %s", frozen.number, type(error).__name__, error)
                if not isinstance(error, catch or ()):
                    raise
        for callback in callbacks:
            callback(self, frozen)

    # What the sampler learns.

    def _take_news(self) -> None:
        """Learns from trials of other processes and of earlier runs."""
        for trial in self._storage.news() if self._storage else ():
            if trial.number not in self._trials:
                self._trials[trial.number] = trial
                self._told.append(trial)
                self._learn(trial)

    def dimension_of(self, name: str) -> Optional[Dimension]:
        return self._domain.get(name)

    def fixed_of(self, number: int) -> Mapping[str, Any]:
        return self._fixed.get(number, {})

    def _current_optimizer(self) -> Optional[Optimizer]:
        if self._optimizer is None or self._known != self._domain:
            self._domain = dict(sorted(self._known.items()))  # the order in which an objective asks means nothing
            self._optimizer = self.sampler.make(self._domain, len(self.directions)) if self._domain else None
            for trial in self._told:
                self._tell_optimizer(trial)
        return self._optimizer

    def _learn(self, frozen: FrozenTrial) -> None:
        if frozen.state in (TrialState.COMPLETE, TrialState.PRUNED):
            self._update_known(frozen)
        if self._known == self._domain:
            self._tell_optimizer(frozen)

    def _update_known(self, frozen: FrozenTrial) -> None:
        """The parameters that are sampled together: those of any finished trial when the sampler knows conditional
        ones, otherwise those of all finished trials."""
        if self.sampler.takes_conditional or not self._has_finished:
            fresh = {name: dimension for name, dimension in frozen.distributions.items() if name not in self._known}
            self._known = {**self._known, **fresh} if fresh else self._known
        else:
            shared = {name: dimension for name, dimension in self._known.items() if frozen.distributions.get(name) == dimension}
            self._known = shared if len(shared) < len(self._known) else self._known
        self._has_finished = True

    def _tell_optimizer(self, trial: FrozenTrial) -> None:
        optimizer = self._optimizer
        if optimizer is None:
            return
        params = {name: value for name, value in trial.params.items() if self._domain.get(name) == trial.distributions[name]}
        values = self._signed(trial)
        state = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}.get(trial.state, "failed")
        optimizer.tell(params, values, state=state if values else "failed", constraints=trial.constraints, number=trial.number)

    def _signed(self, trial: FrozenTrial) -> List[float]:
        """Values to be minimised. A pruned trial of one objective has its last intermediate value."""
        values = trial.values
        if values is None and trial.state is TrialState.PRUNED and trial.intermediate_values and len(self.directions) == 1:
            values = [trial.intermediate_values[max(trial.intermediate_values)]]
        if not values or not all(map(math.isfinite, values)):
            return []
        return [value if direction == "minimize" else -value for value, direction in zip(values, self.directions)]

    def _dominates(self, a: FrozenTrial, b: FrozenTrial) -> bool:
        of_a, of_b = self._signed(a), self._signed(b)
        if len(self.directions) == 1:
            return (of_a[0], a.number) < (of_b[0], b.number)
        return all(x <= y for x, y in zip(of_a, of_b)) and of_a != of_b


def create_study(
    *,
    direction: Optional[str] = None,
    directions: Optional[Sequence[str]] = None,
    sampler: Union[Sampler, str, None] = None,
    study_name: str = "study",
    storage: "Union[str, os.PathLike[str], None]" = None,
    load_if_exists: bool = False,
) -> Study:
    """Makes a study.

    Args:
        direction: "minimize" (the default) or "maximize".
        directions: one for each objective.
        sampler: a Sampler or its name; None: TPE.
        study_name: of the study in the storage.
        storage: a file, "sqlite:///FILE" or "postgresql://user@host/database"; None: memory. Several processes may run trials of one
            study. The parameters of a trial are stored when it ends.
        load_if_exists: continue a study of this name, which may also be one of Optuna.

    Raises:
        InvalidInput: the storage has such a study and load_if_exists is False, or one with other directions.
        IoError: the database cannot be reached.
    """
    if direction is not None and directions is not None:
        raise InvalidInput("optimize: got direction and directions, expected one of them")
    wanted = [str(getattr(item, "name", item)).lower() for item in (directions or [direction or "minimize"])]
    if any(item not in ("minimize", "maximize") for item in wanted):
        raise InvalidInput(f"optimize: got the directions {wanted}, expected 'minimize' or 'maximize'")
    stored = None if storage is None else StudyStorage(storage, study_name, wanted, load_if_exists)
    return Study(wanted, sampler if isinstance(sampler, Sampler) else Sampler(sampler or "tpe"), study_name, stored)
