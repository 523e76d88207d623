"""Arrays of any library as numpy arrays that the extension module takes without a copy."""

from __future__ import annotations

from typing import Any, Optional, Tuple, Union

import numpy

from ._errors import InvalidInput, type_name

#: A numeric array in C order, or the shape and the texts of an array of texts.
CoreArray = Union["numpy.ndarray[Any, Any]", Tuple[Tuple[int, ...], "list[str]"]]

_FLOATING = ("float16", "float32", "float64")
_INTEGER = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def as_numpy(value: object, name: str) -> numpy.ndarray[Any, Any]:
    """Returns a numpy array of `value`: an array, a tensor of PyTorch or TensorFlow, an OrtValue, numbers
    or nested lists. Raises InvalidInput for anything else."""
    for method in ("detach", "cpu"):  # a tensor of PyTorch, perhaps on a device
        if hasattr(value, method):
            value = getattr(value, method)()
    if not isinstance(value, numpy.ndarray) and hasattr(value, "numpy"):
        try:
            value = value.numpy()
        except TypeError as error:  # such as bfloat16
            raise InvalidInput(f"data: '{name}' cannot become an array of numpy: {error}; give it as float32") from error
    if isinstance(value, (dict, set)) or value is None:
        raise InvalidInput(f"data: '{name}' is a value of type {type_name(value)}, expected an array")
    array = numpy.asarray(value)
    if array.dtype == object and not all(isinstance(item, str) for item in array.flat):
        raise InvalidInput(f"data: '{name}' is a value of type {type_name(value)}, expected an array of numbers or texts")
    return array


def converted(array: numpy.ndarray[Any, Any], wanted: Optional[str], name: str) -> numpy.ndarray[Any, Any]:
    """Returns the array in the element type `wanted` of the model, from floating-point numbers or integers of another
    width, otherwise unchanged. Raises InvalidInput for values that do not fit, as for files."""
    got = array.dtype.name
    if wanted is None or got == wanted:
        return array
    if wanted in _FLOATING and got in _FLOATING:
        with numpy.errstate(over="ignore"):
            made = array.astype(wanted)
        if numpy.isinf(made).sum() > numpy.isinf(array).sum():
            raise InvalidInput(
                f"data: '{name}' holds {got} values beyond the range of {wanted}, which the model's input takes; scale the values or "
                "change the model's input type"
            )
        return made
    if wanted in _INTEGER and got in _INTEGER:
        made = array.astype(wanted)
        if not numpy.array_equal(made, array):
            raise InvalidInput(
                f"data: '{name}' holds {got} values that do not fit {wanted}, which the model's input takes; fix the values or change "
                "the model's input type"
            )
        return made
    return array


def for_core(array: numpy.ndarray[Any, Any]) -> CoreArray:
    """Returns what the extension module takes. Copies only an array that is not in C order, not aligned
    or not in the byte order of this machine."""
    if array.dtype == object or array.dtype.kind in "US":
        return array.shape, [str(text) for text in array.flat]
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    ordered: numpy.ndarray[Any, Any] = numpy.require(array, requirements=["C", "A"]).reshape(array.shape)
    return ordered
