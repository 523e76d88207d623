"""Quark's auto search: AutoSearch(quantization_config, auto_search_config, model_path, data_reader).search_model()."""

from __future__ import annotations

import os
import pathlib
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from .. import _api, _config
from .._errors import InvalidInput, type_name
from .._models import Model
from .._results import SearchResult, Trial
from .config import is_config, mapping_of


class AutoSearchConfig(_config.AutoSearchConfig):
    """The configuration of a search by Quark's names. The class itself, a subclass or an instance may be passed,
    and so may any class with such attributes. What is not set has this library's default (docs/from_quark.md)."""


class Candidate(Dict[str, Any]):
    """A candidate in Quark's form: the configuration as nested options.

    Attributes:
        trial: the same as quantsearch.Trial, with scores.
        model_path: file of the model; None when it was not kept.
    """

    def __init__(self, trial: Trial, model_path: Optional[str]) -> None:
        super().__init__(nested(trial.config))
        self.trial = trial
        self.model_path = model_path

    def __reduce__(self) -> Tuple[Any, ...]:
        return (Candidate, (self.trial, self.model_path))


class Candidates(List[Candidate]):
    """The candidates of a search, best first, with the whole `result`."""

    def __init__(self, result: SearchResult) -> None:
        super().__init__(Candidate(trial, _path(result, trial.number)) for trial in result.candidates)
        self.result = result

    def __reduce__(self) -> Tuple[Any, ...]:
        return (Candidates, (self.result,))


def _path(result: SearchResult, number: int) -> Optional[str]:
    path = result.candidate_model(number)
    return None if path is None else str(path)


def nested(options: Mapping[str, Any]) -> Dict[str, Any]:
    """Options with flat names ("extra_options.Percentile") as nested mappings."""
    tree: Dict[str, Any] = {}
    for name, value in options.items():
        *groups, last = name.split(".")
        place = tree
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return tree


# The names under which Quark's versions take each argument.
_QUANTIZATION = ("quantization_config", "config", "quant_config", "quantization_config_obj")
_SEARCH = ("auto_search_config", "search_config")
_MODEL = ("model_path", "model_input", "model", "float_onnx_model_path", "model_input_path", "float_model_path")
_READER = ("data_reader", "calibration_data_reader", "calib_data_reader", "calibration_data")


class AutoSearch:
    """A search in Quark's form.

    The four arguments are the quantization configuration (QConfig, Config, QuantizationConfig, a mapping or the name
    of a preset), the search's configuration (a class, instance or mapping), the model and the data reader. They are
    told apart by their kinds, so their order does not matter; by keyword they have Quark's names.

    Further keyword arguments are those of quantsearch.AutoSearch, such as `evaluation` and `labels`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        given = _by_name(options)
        for argument in arguments:
            kind = _kind_of(argument)
            if kind in given:
                raise InvalidInput(f"search: got two arguments for {kind}, the second of type {type_name(argument)}")
            given[kind] = argument
        for kind in ("the model", "the data reader"):
            if kind not in given:
                raise InvalidInput(f"search: {kind} is missing, expected (quantization_config, auto_search_config, model_path, data_reader)")
        keys = _search_keys(given.get("the search's configuration"))
        if "the quantization configuration" in given:
            keys["quantization_config"] = mapping_of(given["the quantization configuration"])
        keys.setdefault("search_log_path", "auto_search.log")
        self._overwrite = not keys.get("search_output_dir")
        self._resume = bool(keys.pop("load_study_if_exists", False))
        self._search = _api.AutoSearch(given["the model"], given["the data reader"], config=keys, **options)
        self.result: Optional[SearchResult] = None

    def search_model(self, **options: Any) -> Candidates:
        """Runs the search and returns the candidates, best first. `options` are those of quantsearch.AutoSearch.run().

        The log goes to auto_search.log, the models and results to quantsearch_output in the current folder, where an
        earlier search is replaced, or to `search_output_dir`.
        """
        options.setdefault("resume", self._resume)
        options.setdefault("overwrite", self._overwrite and not options["resume"])
        self.result = self._search.run(**options)
        return Candidates(self.result)


class AutoSearchPro(AutoSearch):
    """Quark's AutoSearchPro: the same search. Its keys n_trials, direction, plot and load_study_if_exists are taken."""


def _by_name(options: Dict[str, Any]) -> Dict[str, Any]:
    names: Iterable[Tuple[str, Tuple[str, ...]]] = (
        ("the quantization configuration", _QUANTIZATION),
        ("the search's configuration", _SEARCH),
        ("the model", _MODEL),
        ("the data reader", _READER),
    )
    return {kind: options.pop(name) for kind, synonyms in names for name in synonyms if name in options}


def _kind_of(argument: Any) -> str:
    if is_config(argument):
        return "the quantization configuration"
    if isinstance(argument, (type, _config.AutoSearchConfig)) or hasattr(argument, "search_space"):
        return "the search's configuration"
    if isinstance(argument, (str, os.PathLike)):
        return _kind_of_text(os.fspath(argument))
    if isinstance(argument, (bytes, Model)) or hasattr(argument, "SerializeToString"):
        return "the model"
    if isinstance(argument, Mapping):
        return _kind_of_mapping(argument)
    return "the data reader"


def _kind_of_text(text: str) -> str:
    """A model's file, the name of a preset, or a file of data."""
    if text.endswith(".onnx"):
        return "the model"
    return "the quantization configuration" if not pathlib.Path(text).suffix else "the data reader"


def _kind_of_mapping(mapping: Mapping[str, Any]) -> str:
    """Keys of a search, options of a quantization, or arrays by input name."""
    if any(str(key).startswith("search_") for key in mapping):
        return "the search's configuration"
    has_arrays = any(hasattr(value, "shape") for value in mapping.values())
    return "the data reader" if has_arrays else "the quantization configuration"


def _search_keys(config: Any) -> Dict[str, Any]:
    """Keys of a file; those of AutoSearchPro are translated. The Python evaluator stays among them."""
    keys, evaluator = _config.split_config(config)
    if evaluator is not None:
        keys["search_evaluator"] = evaluator
    trials = keys.pop("n_trials", None)
    if trials is not None:
        keys["search_stop_condition"] = {**(keys.get("search_stop_condition") or {}), "iteration_limit": trials}
    keys.pop("plot", None)  # report.html has the charts
    advanced = keys.get("advanced_fastft_params")
    if isinstance(advanced, Mapping) and advanced.get("direction") == "minimize":
        # It is the loss against the float model that Quark minimizes, also where more of a score is better.
        keys["advanced_fastft_params"] = {name: value for name, value in advanced.items() if name != "direction"}
    direction = keys.pop("direction", None)
    if direction is not None and evaluator is not None and not hasattr(evaluator, "direction"):
        keys["search_evaluator"] = _Directed(evaluator, direction)
    return keys


class _Directed:
    """An evaluator with the direction that the configuration gives."""

    def __init__(self, evaluator: Any, direction: str) -> None:
        self.evaluate = getattr(evaluator, "evaluate", evaluator)
        self.direction = direction


_FINETUNE = {
    "include_fast_ft": [False, True],
    "extra_options": {"FastFinetune": {"DataSize": [200], "NumIterations": [100, 1000], "OptimAlgorithm": ["adaround"], "LearningRate": [0.1, 0.01]}},
}
_PRESETS: Dict[str, Dict[str, Any]] = {
    "XINT8_SEARCH": {
        "quantization_config": "XINT8",
        "search_space": {
            "calibrate_method": ["PowerOfTwoMethod.MinMSE", "PowerOfTwoMethod.NonOverflow"],
            "include_cle": [False, True],
            **_FINETUNE,
        },
    },
    "A8W8_SEARCH": {
        "quantization_config": "A8W8",
        "search_space": {"calibrate_method": ["CalibrationMethod.MinMax", "CalibrationMethod.Percentile"], "include_cle": [False, True], **_FINETUNE},
    },
    "A16W8_SEARCH": {
        "quantization_config": "A16W8",
        "search_space": {"calibrate_method": ["CalibrationMethod.MinMax", "CalibrationMethod.Percentile"], "include_cle": [False, True], **_FINETUNE},
    },
    "ADVANCED_SEARCH": {
        "search_space": {
            "calibrate_method": ["CalibrationMethod.MinMax", "CalibrationMethod.Percentile", "CalibrationMethod.Entropy"],
            "activation_type": ["QInt8", "QInt16"],
            "weight_type": ["QInt8"],
            "per_channel": [False, True],
            "include_cle": [False, True],
            **_FINETUNE,
        },
    },
}


def get_auto_search_config(name: str) -> AutoSearchConfig:
    """A named configuration of AutoSearchPro: XINT8_SEARCH, A8W8_SEARCH, A16W8_SEARCH or ADVANCED_SEARCH. All
    search in two stages, 20 trials at most. The result may be changed."""
    if name not in _PRESETS:
        raise InvalidInput(f"search: got the name '{name}', expected one of {', '.join(map(repr, _PRESETS))}")
    return AutoSearchConfig(search_algo="TPE", two_stage_search=True, search_stop_condition={"iteration_limit": 20}, **_PRESETS[name])
