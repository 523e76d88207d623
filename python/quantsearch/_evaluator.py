"""Evaluators: what scores a model file instead of a metric.

An evaluator is one of

- a callable that takes the path of a model file, ``(model_path) -> float``; when its parameter is named
  ``session`` or annotated with ``onnxruntime.InferenceSession``, it gets a session instead;
- an object with a method ``evaluate(session)``, which gets an ``onnxruntime.InferenceSession``; when the
  parameter is named after a path or file, or annotated with ``str``, it gets the path.

More is better unless the evaluator has ``direction = "minimize"``. It runs on another thread than the one
that called the search.
"""

from __future__ import annotations

import inspect
import traceback
from typing import Any, Callable, Optional, Tuple, Union

from ._errors import InvalidInput, is_pruning, type_name

#: What a call gives the extension module: a score, or why there is none.
Verdict = Union[float, Tuple[str, str]]


class Evaluator:
    """The evaluator of a search, in the form that the extension module calls."""

    def __init__(self, user: Any, direction: Optional[str] = None) -> None:
        function = getattr(user, "evaluate", user)
        if not callable(function):
            raise InvalidInput(
                f"search: got an evaluator of type {type_name(user)}, expected a callable (model_path) -> float or an "
                "object with a method evaluate(session)"
            )
        self.user = user
        self._function: Callable[[Any], Any] = function
        self._takes_session = _takes_session(function, default=hasattr(user, "evaluate"))
        self.maximize = _maximizes(direction or getattr(user, "direction", "maximize"))
        self.calls = 0
        self.failure: Optional[BaseException] = None

    def __call__(self, model_path: str) -> Verdict:
        self.calls += 1
        try:
            score = self._function(_session(model_path) if self._takes_session else model_path)
            return _number(score)
        except KeyboardInterrupt:
            return ("cancelled", "")
        except BaseException as error:
            if is_pruning(error):
                return ("pruned", f"pruned by the evaluator: {error}" if str(error) else "pruned by the evaluator")
            self.failure = error
            return ("failed", _describe(error))


def _takes_session(function: Callable[..., Any], default: bool) -> bool:
    try:
        parameters = [
            parameter
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        return default
    if not parameters:
        return default
    name = parameters[0].name.lower()
    annotation = str(getattr(parameters[0].annotation, "__name__", parameters[0].annotation))
    if "session" in name or "sess" == name or "InferenceSession" in annotation:
        return True
    if any(word in name for word in ("path", "file")) or annotation in ("str", "Path", "pathlib.Path"):
        return False
    return default


def _session(model_path: str) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])


def _number(score: Any) -> float:
    try:
        return float(score)
    except (TypeError, ValueError):
        raise InvalidInput(f"search: the evaluator returned a value of type {type_name(score)}, expected a number") from None


def _maximizes(direction: Any) -> bool:
    name = str(getattr(direction, "name", direction)).lower()
    if name not in ("maximize", "minimize"):
        raise InvalidInput(f"search: got the evaluator's direction '{direction}', expected 'maximize' or 'minimize'")
    return name == "maximize"


def _describe(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without the frame of this file
    text = "".join(traceback.format_list(frames)).rstrip()
    return f"the evaluator raised {type(error).__name__}: {error}\n{text}".rstrip()
