"""Exceptions of the package, by kind as in C++ (quantsearch/base/error.h)."""

from __future__ import annotations


class Error(Exception):
    """Base of all errors that the library raises. The message is one sentence: stage, object, what was
    got, what was expected and, where there is one, the remedy."""


class InvalidInput(Error, ValueError):
    """The model, data or configuration is wrong; the message says how to correct it."""


class Unsupported(Error, NotImplementedError):
    """The request is valid, but this version does not support it."""


class IoError(Error, OSError):
    """A file, disk, process or the inference runtime failed."""


class InternalError(Error, RuntimeError):
    """A bug in the library."""


class TrialPruned(Exception):
    """Raised by an evaluator or an objective to end a trial that cannot become the best.

    ``optuna.TrialPruned`` has the same effect.
    """


def is_pruning(error: BaseException) -> bool:
    """True for TrialPruned of this package and of Optuna, which is not imported for this."""
    return any(kind.__name__ == "TrialPruned" for kind in type(error).__mro__)


def type_name(value: object) -> str:
    """The type of a value as messages show it."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def text_of(error: BaseException) -> str:
    """The message of any exception, as text that can be stored."""
    try:
        return as_utf8(str(error))
    except Exception as second:
        return f"(its text raised {type(second).__name__})"


def as_utf8(text: str) -> str:
    """The text with escapes in place of zeros and of what UTF-8 does not have, such as halves of surrogate pairs."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
