"""Models and small data that the tests share."""

from __future__ import annotations

import os
import pathlib
import signal
from typing import Any, Dict

import numpy
import pytest

# A shell starts jobs in the background without Ctrl-C, which tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "tests" / "data"


def real_model(name: str) -> pathlib.Path:
    """The folder of a model out of a published package, with model.onnx, calibration.npz and evaluation.npz.
    Skips the test when QUANTSEARCH_REAL_MODELS names no folder that holds it."""
    folder = pathlib.Path(os.environ.get("QUANTSEARCH_REAL_MODELS", "")) / name
    if not (folder / "model.onnx").exists():
        pytest.skip(f"QUANTSEARCH_REAL_MODELS names no folder with {name}/model.onnx, which is not part of the project")
    return folder


@pytest.fixture(scope="session")
def model_path() -> str:
    return str(MODELS / "resnet8.onnx")


@pytest.fixture(scope="session")
def images() -> "numpy.ndarray[Any, Any]":
    """24 images of one channel, [24, 1, 28, 28]."""
    return numpy.random.default_rng(7).random((24, 1, 28, 28), dtype=numpy.float32)


@pytest.fixture
def arrays(images: "numpy.ndarray[Any, Any]") -> Dict[str, "numpy.ndarray[Any, Any]"]:
    return {"input": images}


@pytest.fixture
def small_space() -> Dict[str, Any]:
    return {"search_space": {"calibrate_method": ["MinMax", "Percentile"], "activation_type": ["QInt8", "QUInt8"]}}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


class Reader:
    """A calibration data reader as onnxruntime documents it."""

    def __init__(self, samples: "numpy.ndarray[Any, Any]", batch: int = 1, name: str = "input") -> None:
        self.samples, self.batch, self.name, self.position = samples, batch, name, 0

    def get_next(self) -> "Dict[str, Any] | None":
        if self.position >= len(self.samples):
            return None
        first, self.position = self.position, self.position + self.batch
        return {self.name: self.samples[first : self.position]}


class RewindingReader(Reader):
    def rewind(self) -> None:
        self.position = 0
