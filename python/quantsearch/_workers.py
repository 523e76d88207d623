"""Worker processes of a search with search_isolate or several devices.

A worker reads model, data and evaluator from a folder that the search writes, runs trials that the search asks for, and ends with it.
"""

from __future__ import annotations

import os
import pathlib
import pickle
import sys
import tempfile
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import _core
from ._data import DataSource, LoadedData
from ._errors import Unsupported
from ._evaluator import Evaluator
from ._models import Model

_MAIN = pathlib.Path(__file__).with_name("_worker_main.py")


@dataclass(frozen=True)
class WorkerInput:
    """What a worker gets: the same as the search."""

    keys: Dict[str, Any]
    model: Model
    model_name: str
    calibration: LoadedData
    evaluation: Optional[LoadedData]
    labels: Optional[List[int]]
    holdout: float
    evaluator: Optional[Evaluator]


class WorkerFiles:
    """The folder of the workers, written when the first one is started and removed by close()."""

    def __init__(self, content: WorkerInput) -> None:
        self._content = content
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None

    def command(self, threads: int, memory: int, device: str) -> List[str]:
        """The command that starts a worker on `device` with this number of threads and bytes of memory."""
        if self._folder is None:
            cache_folder = self._content.keys.get("search_cache_dir") or None
            self._folder = tempfile.TemporaryDirectory(prefix="quantsearch-workers-", dir=cache_folder)
            _write(pathlib.Path(self._folder.name), self._content)
        return [sys.executable, str(_MAIN), self._folder.name, str(threads), str(memory), device]

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


def _write(folder: pathlib.Path, content: WorkerInput) -> None:
    evaluator = None if content.evaluator is None else _pickled_evaluator(content.evaluator)
    content.model.save(os.fspath(folder / "model.onnx"), None)
    (folder / "path.txt").write_text("\n".join(sys.path))
    described = {
        "keys": content.keys,
        "model_name": content.model_name,
        "calibration": _described(content.calibration, folder / "calibration.pickle"),
        "evaluation": content.evaluation and _described(content.evaluation, folder / "evaluation.pickle"),
        "labels": content.labels,
        "holdout": content.holdout,
        "evaluator": evaluator,
    }
    (folder / "search.pickle").write_bytes(pickle.dumps(described))


def _pickled_evaluator(evaluator: Evaluator) -> Tuple[bytes, Any]:
    pickler = _pickler(evaluator.user)
    try:
        return pickler.dumps(evaluator.user), evaluator.direction
    except Exception as error:
        raise Unsupported(
            f"search: the evaluator cannot be sent to worker processes: {error}; give it only members that can be pickled, or leave "
            "search_isolate out"
        ) from error


def _pickler(user: Any) -> Any:
    """The module that pickles an evaluator: cloudpickle, which takes more, or that of Python."""
    try:
        import cloudpickle
    except ImportError:
        is_definition = isinstance(user, type) or hasattr(user, "__qualname__")
        if (user if is_definition else type(user)).__module__ != "__main__":
            return pickle
        raise Unsupported(
            "search: the evaluator is defined in the program that runs, so worker processes cannot load it; define it in a module that the "
            "program imports, or run pip install cloudpickle"
        ) from None
    return cloudpickle


def _described(loaded: LoadedData, file: pathlib.Path) -> Any:
    """How a worker opens data: arguments of open_data() for files of the user, otherwise a file with the samples."""
    if loaded.opened is not None:
        return loaded.opened
    source = loaded.source
    with file.open("wb") as stream:
        for index in range(source.size):
            pickle.dump(source.read(index, 1), stream, protocol=5)
    return str(file)


def _source(described: Any, model: Model) -> DataSource:
    if isinstance(described, str):
        samples: DataSource = _core.sample_data(list(_samples(described)))
        return samples
    path, *options = described
    source: DataSource = _core.open_data(path, model, *options)[0]
    return source


def _samples(file: str) -> Iterator[Any]:
    with open(file, "rb") as stream:
        while True:
            try:
                yield pickle.load(stream)
            except EOFError:
                return


def serve(folder: pathlib.Path, threads: int, memory: int, device: str, socket: int) -> None:
    """Runs a worker until the search ends. `folder` is one that a WorkerFiles wrote."""
    described = pickle.loads((folder / "search.pickle").read_bytes())
    request = _core.SearchRequest()
    model = _core.load_model(os.fspath(folder / "model.onnx"))
    request.model, request.model_name = model, described["model_name"]
    request.calibration = _source(described["calibration"], model)
    request.evaluation = described["evaluation"] and _source(described["evaluation"], model)
    request.labels, request.holdout = described["labels"], described["holdout"]
    request.threads = threads
    if described["evaluator"] is not None:
        pickled, direction = described["evaluator"]
        request.evaluator = Evaluator(pickle.loads(pickled), direction)
    _core.serve_trials(described["keys"], request, memory, device, socket)
