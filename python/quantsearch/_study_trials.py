"""Trials of studies of one's own functions (quantsearch.search)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, List, Optional

from .optimizers import Dimension


class TrialState(Enum):
    RUNNING = 0
    COMPLETE = 1
    PRUNED = 2
    FAIL = 3


@dataclass
class FrozenTrial:
    """A trial: number, state, params by name, values of the objectives, and what the objective noted."""

    number: int
    state: TrialState = TrialState.RUNNING
    params: Dict[str, Any] = field(default_factory=dict)
    distributions: Dict[str, Dimension] = field(default_factory=dict)
    values: Optional[List[float]] = None
    user_attrs: Dict[str, Any] = field(default_factory=dict)
    intermediate_values: Dict[int, float] = field(default_factory=dict)
    constraints: List[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def value(self) -> Optional[float]:
        """The value of a single objective; None when there is none."""
        return self.values[0] if self.values else None
