"""Evaluators: what scores a model file instead of a metric.

An evaluator is one of

- a callable that takes the path of a model file, ``(model_path) -> score``; when its parameter is named
  ``session`` or annotated with ``onnxruntime.InferenceSession``, it gets a session instead;
- an object with a method ``evaluate(session)``, which gets an ``onnxruntime.InferenceSession``; when the
  parameter is named after a path or file, or annotated with ``str``, it gets the path.

It returns a number, or a mapping of names to numbers: all are recorded, and the one that ``search_metric`` names
decides. More is better unless the evaluator has ``direction = "minimize"`` or, for scores by name, for example
``direction = {"wer": "minimize"}``. It runs on another thread than the one that called the search.
"""

from __future__ import annotations

import inspect
import traceback
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

from ._errors import InvalidInput, as_utf8, is_pruning, text_of, type_name

#: What a call gives the extension module: a score, scores by name, or why there is none.
Verdict = Union[float, Dict[str, float], Tuple[str, str]]
#: "maximize" or "minimize", of all scores or by the name of a score; None: what the evaluator says.
Direction = Union[str, Mapping[str, str], None]


class Evaluator:
    """The evaluator of a search, in the form that the extension module calls."""

    def __init__(self, user: Any, direction: Direction = None) -> None:
        function = getattr(user, "evaluate", user)
        if not callable(function):
            raise InvalidInput(
                f"search: got an evaluator of type {type_name(user)}, expected a callable (model_path) -> float or an "
                "object with a method evaluate(session)"
            )
        _require_one_argument(user, function)
        self.user = user
        self._function: Callable[[Any], Any] = function
        self._takes_session = _takes_session(function, default=hasattr(user, "evaluate"))
        self.direction = _directions(direction or getattr(user, "direction", "maximize"))
        self.calls = 0
        self.failure: Optional[BaseException] = None

    def __call__(self, model_path: str) -> Verdict:
        self.calls += 1
        try:
            result = self._function(_session(model_path) if self._takes_session else model_path)
            return _scores(result)
        except _NoScore as error:
            self.failure = error
            return ("failed", f"the evaluator returned {error}")
        except KeyboardInterrupt:
            return ("cancelled", "")
        except BaseException as error:
            if is_pruning(error):
                return ("pruned", ": ".join(filter(None, ("pruned by the evaluator", text_of(error)))))
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


def _require_one_argument(user: Any, function: Callable[..., Any]) -> None:
    """Raises InvalidInput for a function that cannot be called with a model alone."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions of C have none
        return
    try:
        signature.bind(None)
    except TypeError as error:
        remedy = "; pass an instance of the class" if isinstance(user, type) else ""
        raise InvalidInput(
            f"search: the evaluator cannot be called with a model alone: {error}; expected (model_path) -> score or "
            f"(session) -> score{remedy}"
        ) from None


def _session(model_path: str) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])


class _NoScore(Exception):
    """The evaluator returned something else than scores; the text says what."""


def _scores(result: Any) -> Union[float, Dict[str, float]]:
    if not isinstance(result, Mapping):
        return _number(result, "a value", "a number or a mapping of names to numbers")
    if not result:
        raise _NoScore("an empty mapping, expected at least one score by name")
    for name in result:
        if not isinstance(name, str):
            raise _NoScore(f"a score whose name is of type {type_name(name)}, expected text as name")
    return {as_utf8(name): _number(score, f"the score '{name}'", "a number") for name, score in result.items()}


def _number(score: Any, what: str, expected: str) -> float:
    """Numbers of Python and numpy, and arrays and tensors of one element."""
    try:
        if not isinstance(score, (str, bytes)):
            return float(score.item() if hasattr(score, "item") else score)
    except (TypeError, ValueError, RuntimeError):
        pass  # several elements
    raise _NoScore(f"{what} of type {type_name(score)}, expected {expected}")


def _directions(given: Any) -> Union[str, Dict[str, str]]:
    if isinstance(given, Mapping):
        return {str(name): _direction(direction) for name, direction in given.items()}
    return _direction(given)


def _direction(given: Any) -> str:
    name = str(getattr(given, "name", given)).lower()
    if name not in ("maximize", "minimize"):
        raise InvalidInput(f"search: got the evaluator's direction '{given}', expected 'maximize' or 'minimize'")
    return name


def _describe(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without the frame of this file
    lines = as_utf8("".join(traceback.format_list(frames)).rstrip())
    return f"the evaluator raised {type(error).__name__}: {text_of(error)}\n{lines}".rstrip()
