"""Studies of one's own functions in a file or on a server, in the tables that Optuna and its dashboard read (docs/studies.md)."""

from __future__ import annotations

import os
import re
from typing import Any, List, Sequence

from . import _core
from ._errors import InvalidInput, Unsupported, type_name
from ._study_trials import FrozenTrial, TrialState

_NAMES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
_STATES = {**{name: state for state, name in _NAMES.items()}, "interrupted": TrialState.FAIL}


class StudyStorage:
    """The stored trials of one study, which several processes may share."""

    def __init__(self, storage: object, name: str, directions: Sequence[str], load_if_exists: bool) -> None:
        database = _database(storage)
        if not load_if_exists and _has_study(database, name):
            raise InvalidInput(
                f"optimize: '{storage}' has a study '{name}' already; pass load_if_exists=True to continue it, or choose another study_name"
            )
        self._study = _core.define_by_run_study(database, name, list(directions))

    def begin(self) -> int:
        """Starts a trial and returns its number."""
        number: int = self._study.begin()
        return number

    def finish(self, trial: FrozenTrial) -> None:
        """Ends a trial that begin() started. Raises InvalidInput for values that cannot be stored."""
        for name, dimension in trial.distributions.items():
            if isinstance(dimension, (list, tuple)) and not all(isinstance(c, (str, int, float, bool, type(None))) for c in dimension):
                raise InvalidInput(f"optimize: '{name}' has choices that cannot be stored, expected texts, numbers, truth values or None")
        described = {
            "number": trial.number,
            "state": _NAMES[trial.state],
            "params": trial.params,
            "values": trial.values or [],
            "user_attrs": trial.user_attrs,
            "constraints": trial.constraints,
            "seconds": trial.seconds,
        }
        self._study.finish(described, trial.distributions, trial.intermediate_values)

    def news(self) -> List[FrozenTrial]:
        """The trials of all processes that have ended since the last call."""
        return [_frozen(*described) for described in self._study.news()]


def _frozen(described: Any, distributions: Any, intermediate: Any) -> FrozenTrial:
    return FrozenTrial(
        number=described["number"],
        state=_STATES[described["state"]],
        params=described["params"],
        distributions=distributions,
        values=described["values"] or None,
        user_attrs=described["user_attrs"],
        intermediate_values=intermediate,
        constraints=described["constraints"],
        seconds=described["seconds"],
    )


def _database(storage: object) -> str:
    """The file or address of a storage as Optuna names it."""
    if isinstance(storage, os.PathLike):
        return str(os.fspath(storage))
    if not isinstance(storage, str):
        raise InvalidInput(f"optimize: got a storage of type {type_name(storage)}, expected a file, sqlite:///FILE or postgresql://...")
    if storage.startswith("sqlite:///"):
        return storage[len("sqlite:///") :]
    scheme = re.match(r"([a-z0-9+]+)://", storage)
    if scheme and not scheme[1].startswith("postgres"):
        raise Unsupported(f"optimize: got the storage '{storage}', expected a file, sqlite:///FILE or postgresql://...")
    return storage


def _has_study(database: str, name: str) -> bool:
    try:
        return any(study["name"] == name for study in _core.list_studies(database))
    except InvalidInput:  # there is no such database yet
        return False
