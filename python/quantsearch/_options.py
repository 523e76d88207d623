"""Checks of arguments, so that the message about a wrong one names the call, the argument, what came and what is taken."""

from __future__ import annotations

import operator
from typing import Any, Union

from . import _core
from ._errors import InvalidInput, type_name

#: A size such as "2G", or a number of bytes; "" is the default of the argument.
Size = Union[str, int]


def whole_number(stage: str, name: str, value: Any, least: int) -> int:
    """The value as an integer of at least `least`; integers of numpy are taken."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise InvalidInput(f"{stage}: got {_shown(value)} for '{name}', expected a whole number of at least {least}")
    return number


def share(stage: str, name: str, value: Any) -> float:
    """The value as a number in [0, 1)."""
    if not isinstance(value, str):
        try:
            number = float(value)
            if 0 <= number < 1:
                return number
        except (TypeError, ValueError):
            pass
    raise InvalidInput(f"{stage}: got {_shown(value)} for '{name}', expected a number in [0, 1)")


def size_text(stage: str, name: str, value: Size) -> str:
    """A size in the form of the extension module."""
    text = value if isinstance(value, str) else str(whole_number(stage, name, value, 1))
    try:
        _core.memory_bytes(text)
    except InvalidInput:
        raise InvalidInput(f"{stage}: got {_shown(value)} for '{name}', expected a size such as '512M' or '2G', or a number of bytes") from None
    return text


def text(stage: str, name: str, value: Any, example: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{stage}: got {_shown(value)} for '{name}', expected text such as '{example}'")
    return value


def _shown(value: Any) -> str:
    is_short = isinstance(value, (bool, int, float, str)) or value is None
    return repr(value) if is_short else f"a value of type {type_name(value)}"
