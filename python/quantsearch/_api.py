"""The functions and classes of the package."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from . import _core
from ._config import ConfigSource, split_config
from ._data import Data, DataOptions, LoadedData, load_data, load_labels
from ._errors import InvalidInput
from ._evaluator import Direction, Evaluator
from ._events import ProgressOption, SearchEvents, log_event
from ._models import ModelSource, named_model, with_fixed_inputs
from ._options import Size, share, size_text, text, whole_number
from ._results import Evaluation, QuantizeResult, SearchResult, Study, Trial
from ._workers import WorkerFiles, WorkerInput

#: Options of a quantization: the name of a preset or a mapping of options; None is the default preset.
QuantizationConfig = Union[str, Mapping[str, Any], None]


@dataclass(frozen=True)
class Preset:
    """A named quantization configuration. `refused` says why this version does not build it, else it is None."""

    name: str
    meaning: str
    config: Optional[Dict[str, Any]]
    refused: Optional[str]


def presets() -> Dict[str, Preset]:
    """All named quantization configurations by name, with their options."""
    return {name: Preset(name, meaning, config, refused) for name, meaning, refused, config in _core.presets()}


def inspect(
    model: ModelSource,
    *,
    config: QuantizationConfig = None,
    target: Optional[str] = None,
    fixed_inputs: Optional[Mapping[str, Any]] = None,
) -> Dict[str, Any]:
    """Shows what a model contains, what would be quantized, and what prevents it.

    Args:
        model: see load_model().
        config: the configuration to plan for.
        target: ``cpu``, ``cpu-vnni`` or ``npu-cnn`` (docs/targets.md).
        fixed_inputs: inputs that become constants first.

    Returns:
        opset, nodes, parameters, weight_bytes, inputs, outputs, layers (node, op_type, quantized, reason), warnings;
        for a model that is quantized already the kernels of the runtime instead of layers.
    """
    fixed = with_fixed_inputs(named_model(model).model, fixed_inputs)
    result: Dict[str, Any] = _core.inspect(fixed, _with_target(config, target))
    return result


def _with_target(config: QuantizationConfig, target: Optional[str]) -> Any:
    return config if target is None else _core.with_target(config, target)


def quantize(
    model: ModelSource,
    calibration: Data,
    *,
    config: QuantizationConfig = None,
    output: "str | os.PathLike[str] | None" = None,
    target: Optional[str] = None,
    fixed_inputs: Optional[Mapping[str, Any]] = None,
    preprocess: Any = None,
    requantize: bool = False,
    limit: Optional[int] = None,
    check: bool = True,
    overwrite: bool = False,
    threads: int = 0,
    memory: Size = "",
) -> QuantizeResult:
    """Quantizes a model with one configuration.

    Args:
        model: see load_model().
        calibration: representative samples (quantsearch.data).
        config: name of a preset or options; None: the one that runs fastest on ONNX Runtime's CPU provider.
        output: file to write; the result has the model also without.
        target: processors for which the model must be right.
        fixed_inputs: inputs that become constants first.
        preprocess: how the images or sounds of a folder become samples: a preset or keys (docs/data.md).
        requantize: take a model whose activations are quantized already.
        limit: use the first samples only.
        check: run the model beside the float model before it is returned.
        overwrite: replace an existing output file.
        threads: 0 means all cores.
        memory: for kept results, such as "2G", or in bytes; "" means half of the memory.

    Raises:
        InvalidInput: configuration, model or data are wrong.
        Unsupported: the configuration or model needs what this version lacks.
        IoError: the file cannot be written.
        KeyboardInterrupt: Ctrl-C; nothing is written then.
    """
    if output is not None and pathlib.Path(output).exists() and not overwrite:
        raise InvalidInput(f"quantize: output file '{os.fspath(output)}' exists; pass overwrite=True or choose another file")
    settings = dict(_core.canonical_config(_with_target(config, target)))
    if requantize:
        settings["requantize"] = True
    threads, memory = whole_number("quantize", "threads", threads, 0), size_text("quantize", "memory", memory)
    fixed = with_fixed_inputs(named_model(model).model, fixed_inputs)
    options = DataOptions("calibration", limit, memory, "", tuple(fixed_inputs or ()), preprocess)
    source = load_data(calibration, fixed, options).source
    made, details = _core.quantize(fixed, source, settings, check, threads, memory, log_event)
    result = QuantizeResult.from_core(made, details)
    if output is not None:
        result.save(output)
    return result


def evaluate(
    float_model: ModelSource,
    quantized: ModelSource,
    data: Data,
    *,
    labels: Any = None,
    metrics: Union[str, Sequence[str]] = (),
    latency: bool = False,
    batch: int = 0,
    device: str = "cpu",
    fixed_inputs: Optional[Mapping[str, Any]] = None,
    preprocess: Any = None,
    limit: Optional[int] = None,
    threads: int = 0,
    memory: Size = "",
) -> Evaluation:
    """Scores a quantized model against its float model on ONNX Runtime.

    Args:
        float_model: see load_model().
        quantized: the same, a quantized version of it.
        data: samples (quantsearch.data).
        labels: class of each sample, or a path: gives top1 and top5.
        metrics: a name or names (quantsearch.metrics()); empty means all that the data allow.
        latency: measure both models too, on one thread.
        batch: samples per run; 0 lets the library choose.
        device: where both run: "cpu", "cuda:0" or "openvino:CPU" (quantsearch.runtime_library()).
        preprocess: as for quantize().

    Raises:
        InvalidInput: the models' outputs differ in name or shape, or the data do not fit.
    """
    threads, batch = whole_number("evaluate", "threads", threads, 0), whole_number("evaluate", "batch", batch, 0)
    memory, device = size_text("evaluate", "memory", memory), text("evaluate", "device", device, "cuda:0")
    names_of_metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    float_core = with_fixed_inputs(named_model(float_model).model, fixed_inputs)
    candidate = named_model(quantized).model
    names = {name for name, _, _ in candidate.inputs}
    candidate = with_fixed_inputs(candidate, {name: value for name, value in (fixed_inputs or {}).items() if name in names})
    options = DataOptions("evaluation", limit, memory, "", tuple(fixed_inputs or ()), preprocess)
    loaded = load_data(data, float_core, options)
    classes = load_labels(labels, loaded)
    result = _core.evaluate(
        float_core, candidate, loaded.source, names_of_metrics, classes, batch, latency, device, threads, memory, log_event
    )
    return Evaluation.from_dict(result)


def plan_space(model: ModelSource, config: ConfigSource = None, *, first: int = 0) -> Dict[str, Any]:
    """The size and the expected cost of a search space, before anything has run.

    Returns:
        raw and distinct number of points, filtered (number of invalid ones by reason), stages, expected_seconds,
        warnings, and the first points in the order of the grid.
    """
    keys, evaluator = split_config(config)
    plan: Dict[str, Any] = _core.plan_space(keys, evaluator is not None, named_model(model).model, first)
    return plan


class AutoSearch:
    """A search for the best quantization of a model.

    >>> result = AutoSearch("model.onnx", {"input": images}).run()
    >>> result.best_model

    Args:
        model: see load_model().
        calibration: representative samples (quantsearch.data). Readers and generators are read here, once.
        config: configuration; None searches at most 10 minutes for the fastest model within the tolerance.
        evaluation: samples that score the candidates; None: the calibration data, or their held-out part.
        labels: class of each evaluation sample, or a path: top1 and top5 become available.
        evaluator: scores a model instead of a metric (quantsearch.evaluator).
        direction: "maximize" or "minimize", of the evaluator's score, or a mapping of these by the name of a score;
            None: its attribute, or "maximize".
        holdout: share of the calibration data that only scores, in [0, 1).
        limit: use the first samples of the calibration data only.
        evaluation_limit: the same for the evaluation data.
        threads: 0 means all cores.
        memory: for kept results, such as "2G", or in bytes; "" means half of the memory.
    """

    def __init__(
        self,
        model: ModelSource,
        calibration: Data,
        *,
        config: ConfigSource = None,
        evaluation: Data = None,
        labels: Any = None,
        evaluator: Any = None,
        direction: Direction = None,
        holdout: float = 0.0,
        limit: Optional[int] = None,
        evaluation_limit: Optional[int] = None,
        threads: int = 0,
        memory: Size = "",
    ) -> None:
        keys, from_config = split_config(_core.default_search() if config is None else config)
        self._keys = keys
        self._keys_given = config is not None
        user_evaluator = from_config if evaluator is None else evaluator
        self._evaluator = None if user_evaluator is None else Evaluator(user_evaluator, direction)
        _core.check_search_config(keys, self._evaluator is not None)
        holdout, threads = share("search", "holdout", holdout), whole_number("search", "threads", threads, 0)
        memory = size_text("search", "memory", memory)
        named = named_model(model)
        fixed = keys.get("fixed_inputs") or {}
        fitted = with_fixed_inputs(named.model, fixed)
        cache_folder = str(keys.get("search_cache_dir") or "")
        options = DataOptions("calibration", limit, memory, cache_folder, tuple(fixed), keys.get("preprocess"))
        calibrated = load_data(calibration, fitted, options)
        judged: LoadedData = calibrated
        if evaluation is not None and evaluation is not calibration:
            judged = load_data(evaluation, fitted, options._replace(what="evaluation", limit=evaluation_limit))
        self._request = _core.SearchRequest()
        self._request.model, self._request.model_name = named
        self._request.calibration = calibrated.source
        self._request.evaluation = None if judged is calibrated else judged.source
        self._request.labels = load_labels(labels, judged)
        self._request.holdout = holdout
        self._request.threads = threads
        self._request.memory = memory
        self._worker_input = WorkerInput(
            keys=keys,
            model=named.model,
            model_name=named.name,
            calibration=calibrated,
            evaluation=None if judged is calibrated else judged,
            labels=self._request.labels,
            holdout=holdout,
            evaluator=self._evaluator,
        )

    def run(
        self,
        *,
        output: "str | os.PathLike[str] | None" = None,
        progress: ProgressOption = None,
        keep: int = 5,
        resume: bool = False,
        overwrite: bool = False,
        log_file: "str | os.PathLike[str] | None" = None,
    ) -> SearchResult:
        """Runs the search and writes best.onnx, candidates/, study.db, results.json, best_config.yaml and report.html.

        Ctrl-C ends the search with what was found until then (`interrupted` of the result). In a Python evaluator
        that is running KeyboardInterrupt is raised; so it is when a time limit ends its trial.

        With ``search_isolate``, and with several ``search_devices``, trials run in worker processes, which get a
        pickled copy of the evaluator (package cloudpickle, or one that a module defines).

        Args:
            output: folder; None: ``search_output_dir`` of the configuration, or ``quantsearch_output``.
            progress: called with a Progress after each trial, on this thread. True: a bar of tqdm; False: nothing;
                None: a bar when tqdm is installed and stderr is a terminal. An exception ends the search, delivers,
                and is raised.
            keep: most candidates to write, best first.
            resume: continue the search in the folder.
            overwrite: replace an earlier search in the folder.
            log_file: None: ``search_log_path`` of the configuration; nothing is written when it has none.

        Raises:
            InvalidInput: nothing to quantize, no valid point, a folder with another search; with the first reason,
                when every trial failed.
            IoError: the folder cannot be written; finished trials are kept in it.
            KeyboardInterrupt: Ctrl-C before the first result.
        """
        keys = dict(self._keys)
        if output is not None:
            keys["search_output_dir"] = os.fspath(output)
        request = self._request
        request.keep = whole_number("search", "keep", keep, 0)
        request.resume, request.overwrite = bool(resume), bool(overwrite)
        request.log_file = os.fspath(log_file if log_file is not None else keys.get("search_log_path") or "")
        if self._evaluator is not None:
            request.evaluator = self._evaluator
        events = SearchEvents(progress)
        workers = WorkerFiles(self._worker_input)
        request.worker_command = workers.command
        try:
            found = _core.search(keys, request, events)
        except RuntimeError as error:
            raise self._evaluator_error(error) from (self._evaluator.failure if self._evaluator else None)
        finally:
            events.close()
            workers.close()
            request.evaluator = request.worker_command = None
        return _result(found, str(keys.get("study_name") or "quantsearch"))

    search_model = run

    def plan(self, *, first: int = 0) -> Dict[str, Any]:
        """See plan_space()."""
        plan: Dict[str, Any] = _core.plan_space(self._keys, self._evaluator is not None, self._request.model, first)
        return plan

    def _evaluator_error(self, error: RuntimeError) -> BaseException:
        """The evaluator's exception on the float model, before the first trial, is the caller's."""
        if self._evaluator is None or self._evaluator.failure is None or isinstance(error, _core_errors()):
            return error
        first_line = str(error).split("\n", 1)[0]
        return InvalidInput(f"search: {first_line} (on the float model)")


def _core_errors() -> tuple[type[BaseException], ...]:
    from ._errors import Error

    return (Error,)


def _result(found: Mapping[str, Any], name: str) -> SearchResult:
    trials: List[Trial] = [Trial.from_dict(trial) for trial in found["trials"]]
    study = Study(
        trials=trials,
        best=found["best"],
        candidates=found["candidates"],
        stop_reason=found["stop_reason"],
        stop_message=found["stop_message"],
        seconds=found["seconds"],
        name=name,
    )
    return SearchResult(
        study=study,
        document=found["document"],
        best=found["best"],
        met_tolerance=found["met_tolerance"],
        interrupted=found["interrupted"],
        output_folder=pathlib.Path(found["output_folder"]),
    )


def auto_search(model: ModelSource, calibration: Data, *, config: ConfigSource = None, **options: Any) -> SearchResult:
    """AutoSearch(...).run(...) in one call; `options` are those of both."""
    of_run = ("output", "progress", "keep", "resume", "overwrite", "log_file")
    run_options = {name: options.pop(name) for name in of_run if name in options}
    return AutoSearch(model, calibration, config=config, **options).run(**run_options)


def metrics() -> Dict[str, Dict[str, Any]]:
    """All metrics by name: meaning, direction ("minimize" or "maximize"), needs_labels."""
    return {
        name: {"meaning": meaning, "direction": direction, "needs_labels": needs_labels}
        for name, meaning, direction, needs_labels in _core.metrics()
    }


def options() -> Dict[str, Dict[str, Any]]:
    """All options of a quantization by name ("extra_options.Percentile"): meaning and default."""
    return {name: {"meaning": meaning, "default": default} for name, meaning, default in _core.options()}


def runtime_library() -> Dict[str, Any]:
    """The ONNX Runtime that this process uses: file, version, and its providers, each with the name of its devices for
    ``search_devices`` (None: not supported here)."""
    library: Dict[str, Any] = _core.runtime_library()
    return library


def runtime_version() -> str:
    """The name and version of the runtime, such as "ONNX Runtime 1.29.0"."""
    text: str = _core.runtime_version()
    return text
