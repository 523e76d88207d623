"""Finds the ONNX Runtime of the installed onnxruntime package and loads it into the extension module.

The extension module does not link ONNX Runtime. It uses the library that the package onnxruntime (or
onnxruntime-gpu, onnxruntime-openvino) brings for C programs, without importing the package.
"""

from __future__ import annotations

import importlib.util
import pathlib

from . import _core
from ._errors import IoError

_INSTALL = "run pip install onnxruntime (or onnxruntime-gpu, onnxruntime-openvino)"


def find_library() -> pathlib.Path:
    """Returns the path of the runtime's library. Raises IoError when there is none."""
    package = importlib.util.find_spec("onnxruntime")
    if package is None or not package.submodule_search_locations:
        raise IoError(f"runtime: the package onnxruntime is not installed; {_INSTALL}")
    folders = [pathlib.Path(place) / "capi" for place in package.submodule_search_locations]
    found = sorted(file for folder in folders for file in folder.glob("libonnxruntime.so*"))
    if not found:
        raise IoError(f"runtime: '{folders[0]}' has no libonnxruntime.so; {_INSTALL}")
    return found[-1]


def load() -> None:
    """Loads the library. Raises IoError when there is none, Unsupported when it is too old."""
    _core.use_runtime_library(find_library())
