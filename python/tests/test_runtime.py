"""The package uses the library of the installed onnxruntime."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest
import quantsearch
from quantsearch import _runtime


def test_the_library_is_that_of_the_installed_package():
    library = quantsearch.runtime_library()
    folder = pathlib.Path(importlib.util.find_spec("onnxruntime").origin).parent
    assert pathlib.Path(library["file"]).parent == folder / "capi"
    assert quantsearch.runtime_version() == f"ONNX Runtime {library['version']}"
    assert {"name": "CPUExecutionProvider", "device": "cpu"} in library["providers"]


def test_one_library_is_loaded_and_onnxruntime_is_not_imported():
    code = (
        "import sys, quantsearch; quantsearch.runtime_version(); assert 'onnxruntime' not in sys.modules; "
        "print(len({line.split()[-1] for line in open('/proc/self/maps') if 'libonnxruntime.so' in line}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_a_missing_package_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(quantsearch.IoError, match="the package onnxruntime is not installed; run pip install onnxruntime"):
        _runtime.find_library()


def test_a_package_without_a_library_is_named(monkeypatch, tmp_path):
    class Spec:
        submodule_search_locations = [str(tmp_path)]

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Spec)
    with pytest.raises(quantsearch.IoError, match="has no libonnxruntime.so; run pip install onnxruntime"):
        _runtime.find_library()
