"""What a call reports while it runs: log lines to `logging`, progress to a callback or tqdm."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Union

from ._errors import InvalidInput
from ._results import Trial

#: The logger of the package. Nothing is printed unless the program configures logging; warnings go to
#: stderr then, as always with `logging`.
logger = logging.getLogger("quantsearch")

_LEVELS = {"detail": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@dataclass(frozen=True)
class Progress:
    """The state of a running search after a trial.

    Attributes:
        trial: the trial that has just finished.
        best: the best trial so far; None before the first complete one.
        finished: number of finished trials, those of an earlier run not counted.
        total: most trials of the search; None when it is unknown.
    """

    trial: Trial
    best: Optional[Trial]
    finished: int
    total: Optional[int]


ProgressCallback = Callable[[Progress], None]
#: True: a bar of tqdm. None: a bar when tqdm is installed and stderr is a terminal.
ProgressOption = Union[bool, None, ProgressCallback]


def log_event(kind: str, content: Dict[str, Any]) -> None:
    """Sends a log line of the library to `logging`; other events are ignored."""
    if kind == "log":
        logger.log(_LEVELS[content["level"]], "%s", content["line"])


class SearchEvents:
    """Takes the events of a search. Called on the thread that called the search."""

    def __init__(self, progress: ProgressOption) -> None:
        if not callable(progress) and progress not in (None, True, False):
            raise InvalidInput(f"search: got {progress!r} for 'progress', expected True, False, None or a function of one argument")
        self._progress = progress
        self._bar: Any = None
        self._best: Optional[Trial] = None
        self._finished = 0
        self._total: Optional[int] = None

    def __call__(self, kind: str, content: Dict[str, Any]) -> None:
        if kind == "log":
            log_event(kind, content)
        elif kind == "space":
            self._total = content["most_trials"]
            self._bar = _bar(self._progress, self._total)
        elif kind == "earlier_best":
            self._best = Trial.from_dict(content)
        elif kind == "trial":
            self._trial_ended(content)

    def _trial_ended(self, content: Dict[str, Any]) -> None:
        self._finished += 1
        trial = Trial.from_dict(content["trial"])
        if content["best"] == trial.number:
            self._best = trial
        if self._bar is not None:
            self._bar.update(1)
            if self._best is not None and self._best.value is not None:
                self._bar.set_postfix(best=f"{self._best.value:.6g}", trial=self._best.number)
        elif callable(self._progress):
            self._progress(Progress(trial, self._best, self._finished, self._total))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(option: ProgressOption, total: Optional[int]) -> Any:
    if callable(option) or option is False or (option is None and not sys.stderr.isatty()):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if option:
            logger.warning("progress=True shows nothing without tqdm; run pip install tqdm")
        return None
    return tqdm(total=total, unit="trial", desc="search")
