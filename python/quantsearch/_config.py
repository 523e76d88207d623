"""The configuration of a search: the keys of a configuration file (docs/configuration.md) as attributes."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from . import _core
from ._errors import InvalidInput, type_name

#: Everything that a search takes as its configuration: an AutoSearchConfig, a class or an object with such
#: attributes, a mapping, or the path of a YAML or JSON file.
ConfigSource = Union["AutoSearchConfig", type, Mapping[str, Any], str, "os.PathLike[str]", object, None]


class AutoSearchConfig:
    """Configuration of a search. Every key of a configuration file is a keyword argument and an attribute; what
    is not given has the file's default. A subclass may set keys as class attributes.

    >>> config = AutoSearchConfig(search_space={"calibrate_method": ["MinMax", "Percentile"]}, search_metric="cos")
    >>> config.search_stop_condition = {"iteration_limit": 10}

    Enums are taken as values, those of onnxruntime too. ``search_evaluator`` may be a Python evaluator, or what a file
    holds: the name of a built-in task or a mapping.
    """

    quantization_config: Any
    target: str
    fixed_inputs: Mapping[str, Any]
    preprocess: Union[str, Mapping[str, Any]]
    provenance: Mapping[str, Any]
    search_space: Union[Mapping[str, Any], List[Mapping[str, Any]]]
    search_spaces: List[str]
    search_metric: Union[str, List[str]]
    search_goal: str
    search_latency: bool
    search_latency_threads: int
    search_metric_tolerance: Optional[float]
    search_metric_output_weights: Mapping[str, float]
    search_limits: Mapping[str, Optional[float]]
    search_evaluator: Any
    search_confirmation: float
    search_stop_condition: Mapping[str, float]
    trial_time_limit: float
    search_algo: str
    expected_time_per_config: Optional[float]
    two_stage_search: bool
    advanced_fastft_search: bool
    advanced_fastft_params: Mapping[str, Any]
    search_racing: Union[bool, float]
    seed: int
    n_jobs: int
    search_isolate: bool
    search_trial_memory: Union[int, str]
    search_devices: str
    study_storage: str
    study_name: str
    search_placement_cache: str
    search_sensitivity: str
    search_output_dir: str
    search_cache_dir: str
    search_log_path: str

    def __init__(self, **keys: Any) -> None:
        for name, value in keys.items():
            setattr(self, name, value)

    @classmethod
    def from_file(cls, file: "str | os.PathLike[str]") -> "AutoSearchConfig":
        """Reads a YAML or JSON file. Raises InvalidInput for a syntax error or an unknown key."""
        config = cls(**_core.load_config_file(os.fspath(file)))
        config.check()
        return config

    def to_dict(self) -> Dict[str, Any]:
        """The keys that are given, with values as in a file; a Python evaluator is left out."""
        return split_config(self)[0]

    def to_yaml(self) -> str:
        """The configuration as a file."""
        text: str = _core.to_yaml(self.to_dict())
        return text

    def check(self) -> None:
        """Raises InvalidInput for an unknown key or value, naming the nearest known one, and Unsupported for a
        known one that is not implemented."""
        keys, evaluator = split_config(self)
        _core.check_search_config(keys, evaluator is not None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AutoSearchConfig) and attributes_of(self) == attributes_of(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in attributes_of(self).items())})"


def attributes_of(config: object) -> Dict[str, Any]:
    """The public attributes of an object or class that are data, those of its base classes included."""
    kinds = config.__mro__ if isinstance(config, type) else type(config).__mro__
    names = [name for kind in reversed(kinds) if kind is not object for name in vars(kind)]
    if not isinstance(config, type):
        names += getattr(config, "__dict__", {})
    found = {name: getattr(config, name) for name in names if not name.startswith("_")}
    return {name: value for name, value in found.items() if name == "search_evaluator" or not callable(value)}


def split_config(config: ConfigSource) -> Tuple[Dict[str, Any], Any]:
    """Returns (keys and values of a configuration file, Python evaluator or None)."""
    keys = _keys_of(config)
    evaluator = keys.get("search_evaluator")
    if evaluator is None:
        keys.pop("search_evaluator", None)
    elif not isinstance(evaluator, (Mapping, str)):
        del keys["search_evaluator"]
        return keys, evaluator
    return keys, None


def _keys_of(config: ConfigSource) -> Dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return dict(config)
    if isinstance(config, (str, os.PathLike)):
        loaded: Dict[str, Any] = _core.load_config_file(os.fspath(config))
        return loaded
    if isinstance(config, (int, float, list, tuple)):
        raise InvalidInput(
            f"search: got a configuration of type {type_name(config)}, expected an AutoSearchConfig, a class with such "
            "attributes, a mapping, or the path of a file"
        )
    keys = attributes_of(config)
    if not keys and not isinstance(config, AutoSearchConfig):
        raise InvalidInput(f"search: the configuration of type {type_name(config)} has no public attribute that holds a value; a search with all defaults takes None")
    return keys
