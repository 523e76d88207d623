"""quantsearch searches for the post-training quantization of an ONNX model that keeps its accuracy while it
cuts size and latency.

>>> import quantsearch
>>> result = quantsearch.auto_search("model.onnx", {"input": images})
>>> print(result.summary())
"""

from __future__ import annotations

from . import _core, _runtime

_runtime.load()

from ._api import (  # noqa: E402  (the runtime comes first)
    AutoSearch,
    Preset,
    auto_search,
    evaluate,
    inspect,
    metrics,
    options,
    plan_space,
    presets,
    quantize,
    runtime_library,
    runtime_version,
)
from ._config import AutoSearchConfig  # noqa: E402
from ._data import DataSource  # noqa: E402
from ._errors import Error, InternalError, InvalidInput, IoError, TrialPruned, Unsupported  # noqa: E402
from ._events import Progress  # noqa: E402
from ._models import Model, load_model  # noqa: E402
from ._results import Evaluation, ModelScores, QuantizeResult, SearchResult, Study, Trial, list_studies  # noqa: E402

__version__: str = _core.version

__all__ = [
    "AutoSearch",
    "AutoSearchConfig",
    "DataSource",
    "Error",
    "Evaluation",
    "InternalError",
    "InvalidInput",
    "IoError",
    "Model",
    "ModelScores",
    "Preset",
    "Progress",
    "QuantizeResult",
    "SearchResult",
    "Study",
    "Trial",
    "TrialPruned",
    "Unsupported",
    "auto_search",
    "evaluate",
    "inspect",
    "list_studies",
    "load_model",
    "metrics",
    "options",
    "plan_space",
    "presets",
    "quantize",
    "runtime_library",
    "runtime_version",
]
