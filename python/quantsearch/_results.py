"""Results as objects: plain data that can be printed, pickled and compared."""

from __future__ import annotations

import html
import os
import pathlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from . import _core
from ._models import Model

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Trial:
    """One run of one configuration.

    Attributes:
        number: of the trial, from 0.
        state: ``complete``, ``failed``, ``pruned``, ``interrupted`` or ``running``.
        config: value of each dimension of the search space that has an effect, by option name.
        value: the objective; None unless complete (or pruned with an estimate).
        objectives: all objectives, when there are several.
        constraints: one value for each limit; the trial is feasible when every one is <= 0.
        candidate: whether it is within the tolerance and the limits.
        scores: by metric ("L2", "cos", ...; a custom evaluator under "custom").
        size_bytes: of the serialized model.
        latency_ms: of one run; None when it was not measured.
        seconds: that the trial took.
        reason: why it is not complete, with the traceback when an evaluator raised.
        stages: seconds of each stage and whether it came from the cache.
        details: everything else that results.json has about the trial.
    """

    number: int
    state: str
    config: Dict[str, Any] = field(default_factory=dict)
    value: Optional[float] = None
    objectives: List[float] = field(default_factory=list)
    constraints: List[float] = field(default_factory=list)
    candidate: bool = False
    scores: Dict[str, Optional[float]] = field(default_factory=dict)
    size_bytes: int = 0
    latency_ms: Optional[float] = None
    seconds: float = 0.0
    reason: str = ""
    stages: Dict[str, Any] = field(default_factory=dict)
    details: Dict[str, Any] = field(default_factory=dict)

    @property
    def is_feasible(self) -> bool:
        """Whether it is complete and within the limits."""
        return self.state == "complete" and max(self.constraints, default=0.0) <= 0

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Trial":
        known = {name: content[name] for name in cls.__dataclass_fields__ if content.get(name) is not None and name != "details"}
        rest = {name: value for name, value in content.items() if name not in cls.__dataclass_fields__}
        return cls(**known, details=rest)

    def to_dict(self) -> Dict[str, Any]:
        return asdict(self)


def trials_frame(trials: List[Trial]) -> "pandas.DataFrame":
    """One row for each trial: number, state, value, config_*, score_*, size_bytes, latency_ms, seconds, reason.
    Needs pandas."""
    rows = []
    for trial in trials:
        row: Dict[str, Any] = {"number": trial.number, "state": trial.state, "value": trial.value, "candidate": trial.candidate}
        row.update({f"config_{name}": value for name, value in trial.config.items()})
        row.update({f"score_{name}": value for name, value in trial.scores.items()})
        row.update(size_bytes=trial.size_bytes, latency_ms=trial.latency_ms, seconds=trial.seconds, reason=trial.reason)
        rows.append(row)
    return data_frame(rows)


def data_frame(rows: List[Dict[str, Any]]) -> "pandas.DataFrame":
    """The rows as a DataFrame. Raises ImportError with the way out when pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("trials_dataframe: pandas is not installed; 'pip install pandas' adds it; the list `trials` holds the same") from error
    return pandas.DataFrame(rows)


@dataclass(frozen=True)
class Study:
    """The trials of a search or of a study in a database.

    Attributes:
        trials: in the order of their numbers.
        best: number of the best trial; None when none is complete.
        candidates: numbers of the trials within tolerance and limits, best first.
        stop_reason: why the search ended; empty for a study that was read from a database.
        stop_message: the same in words, with both numbers.
        seconds: of the search.
    """

    trials: List[Trial]
    best: Optional[int] = None
    candidates: List[int] = field(default_factory=list)
    stop_reason: str = ""
    stop_message: str = ""
    seconds: float = 0.0
    name: str = "quantsearch"

    @property
    def best_trial(self) -> Optional[Trial]:
        return None if self.best is None else self.trial(self.best)

    def trial(self, number: int) -> Trial:
        """The trial of this number. Raises KeyError when there is none."""
        for trial in self.trials:
            if trial.number == number:
                return trial
        raise KeyError(number)

    def trials_dataframe(self) -> "pandas.DataFrame":
        """See trials_frame(). Needs pandas."""
        return trials_frame(self.trials)

    def to_dict(self) -> Dict[str, Any]:
        return asdict(self)

    def __repr__(self) -> str:
        best = self.best_trial
        shown = "no complete trial" if best is None else f"best {best.number} ({best.value})"
        return f"Study({self.name!r}: {len(self.trials)} trials, {shown}, {len(self.candidates)} candidates)"

    @classmethod
    def load(cls, database: "str | os.PathLike[str]", name: str = "quantsearch") -> "Study":
        """Reads a study that may still be running.

        Args:
            database: an SQLite file, or a ``postgresql://`` url.
            name: of the study; list_studies() shows them.

        Raises:
            InvalidInput: no such database or study.
            IoError: the database cannot be reached.
        """
        trials = [Trial.from_dict(trial) for trial in _core.load_trials(os.fspath(database), name)]
        return cls(trials=trials, candidates=[trial.number for trial in trials if trial.candidate], name=name)


def list_studies(database: "str | os.PathLike[str]") -> List[Dict[str, Any]]:
    """The studies of a database, each with name, goals, objective_names, fingerprint and number of trials.
    Raises as Study.load()."""
    studies: List[Dict[str, Any]] = _core.list_studies(os.fspath(database))
    return studies


@dataclass(frozen=True)
class SearchResult:
    """What a search found, and where it wrote it.

    Attributes:
        study: all trials.
        document: the content of results.json (schema 1).
        best: number of the trial in best.onnx; None when no trial is complete.
        met_tolerance: whether the best trial is a candidate.
        interrupted: whether Ctrl-C ended the search. Everything else holds for the trials until then.
        output_folder: folder of best.onnx, candidates/, study.db, results.json, best_config.yaml, report.html.
    """

    study: Study
    document: Dict[str, Any]
    best: Optional[int]
    met_tolerance: bool
    interrupted: bool
    output_folder: pathlib.Path

    @property
    def best_trial(self) -> Optional[Trial]:
        return None if self.best is None else self.study.trial(self.best)

    @property
    def best_model(self) -> Optional[pathlib.Path]:
        """Path of the best model; None when no trial is complete."""
        return None if self.best is None else self.output_folder / "best.onnx"

    @property
    def float_model(self) -> "ModelScores":
        """Scores, size and latency of the float model."""
        return ModelScores(**self.document["float"])

    @property
    def candidates(self) -> List[Trial]:
        """Trials within tolerance and limits, best first."""
        return [self.study.trial(number) for number in self.document["candidates"]]

    @property
    def front(self) -> List[Trial]:
        """Trials that no other trial dominates, when there are several objectives."""
        return [self.study.trial(number) for number in self.document.get("front") or []]

    def candidate_model(self, number: int) -> Optional[pathlib.Path]:
        """Path of a candidate's model; None when it was not kept."""
        path = self.output_folder / "candidates" / f"{number:04d}.onnx"
        return path if path.exists() else None

    def trials_dataframe(self) -> "pandas.DataFrame":
        """See trials_frame(). Needs pandas."""
        return self.study.trials_dataframe()

    def importances(self) -> Dict[str, float]:
        """Share of each parameter in reaching the best trials, most important first (PED-ANOVA, Watanabe, Bansal
        and Hutter 2023). Empty below 10 complete trials."""
        shares: Dict[str, float] = _core.importances(self.document)
        return shares

    def summary(self) -> str:
        """The text that the command prints at the end of a search."""
        text: str = _core.summary_text(self.document)
        return text

    def trials_table(self) -> str:
        """Every complete trial, best first, then the others with their reasons."""
        text: str = _core.trials_table(self.document)
        return text

    def html_report(self) -> str:
        """A self-contained page with charts and tables."""
        text: str = _core.html_report(self.document)
        return text

    def to_dict(self) -> Dict[str, Any]:
        """The content of results.json."""
        return self.document

    def __repr__(self) -> str:
        return f"SearchResult({self.study!r}, met_tolerance={self.met_tolerance}, output_folder={str(self.output_folder)!r})"

    def _repr_html_(self) -> str:
        shown = self.front or self.candidates[:10] or [trial for trial in [self.best_trial] if trial]
        rows = "".join(_html_row(trial) for trial in shown)
        head = "<tr><th>trial</th><th>value</th><th>bytes</th><th>ms</th><th>configuration</th></tr>"
        title = "front" if self.front else "candidates"
        return f"<pre>{html.escape(self.summary())}</pre><table><caption>{title}</caption>{head}{rows}</table>"


def _html_row(trial: Trial) -> str:
    config = " ".join(f"{name}={value}" for name, value in trial.config.items())
    cells = (trial.number, trial.value, trial.size_bytes, trial.latency_ms, config)
    return "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>"


@dataclass(frozen=True)
class QuantizeResult:
    """A quantized model and what was done.

    Attributes:
        model: the quantized model.
        config: the configuration that builds it again.
        weight_bytes, float_weight_bytes: bytes of the weights after and before.
        integer_kernels, float_kernels: kernels that ONNX Runtime runs on this machine.
        layers: one mapping for each layer: node, op_type, quantized, reason.
        check: noise and latency beside the float model on calibration samples; None without a check.
        details: everything, as the command prints it with --json.
    """

    model: Model
    config: Dict[str, Any]
    weight_bytes: int
    float_weight_bytes: int
    integer_kernels: int
    float_kernels: int
    layers: List[Dict[str, Any]]
    check: Optional[Dict[str, Any]]
    details: Dict[str, Any]

    @classmethod
    def from_core(cls, model: Model, details: Dict[str, Any]) -> "QuantizeResult":
        names = ("weight_bytes", "float_weight_bytes", "integer_kernels", "float_kernels", "layers", "check")
        return cls(model=model, config=details["quantization_config"], details=details, **{name: details[name] for name in names})

    def save(self, file: "str | os.PathLike[str]") -> None:
        """Writes the model; weights go to a file of their own above 2 GB. Raises IoError."""
        self.model.save(os.fspath(file), None)

    def to_dict(self) -> Dict[str, Any]:
        return self.details

    def __repr__(self) -> str:
        done = sum(layer["quantized"] for layer in self.layers)
        return (
            f"QuantizeResult({done} of {len(self.layers)} layers quantized, {self.weight_bytes} bytes of weights, "
            f"float {self.float_weight_bytes})"
        )


@dataclass(frozen=True)
class ModelScores:
    """Scores of one model by metric, bytes of its file, and milliseconds of one run (None: not measured)."""

    scores: Dict[str, float]
    size_bytes: int
    latency_ms: Optional[float]


@dataclass(frozen=True)
class Evaluation:
    """A quantized model beside its float model.

    Attributes:
        quantized, float_model: scores of the two models. Distance metrics have fixed values for the float model.
        samples: number of samples.
        float_rel_l2_against_itself: of a second run of a float model that draws random numbers; None for others.
    """

    quantized: ModelScores
    float_model: ModelScores
    samples: int
    float_rel_l2_against_itself: Optional[float]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Evaluation":
        return cls(
            quantized=ModelScores(**content["quantized"]),
            float_model=ModelScores(**content["float"]),
            samples=content["samples"],
            float_rel_l2_against_itself=content["float_rel_l2_against_itself"],
        )

    @property
    def scores(self) -> Dict[str, float]:
        """Scores of the quantized model by metric."""
        return self.quantized.scores

    def to_dict(self) -> Dict[str, Any]:
        return asdict(self)
