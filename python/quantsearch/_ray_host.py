"""The side of a search on Ray that runs trials: one process of a node, with as many trials at the same time as the
node has room for. Trials of one process share the model, the data and the cache of stages."""

from __future__ import annotations

import os
import pathlib
import platform
import tempfile
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy

from . import __version__, _core
from ._arrays import for_core
from ._evaluator import Evaluator

#: Arrays by name: the files of a model, or the samples of a data set.
Arrays = Dict[str, Any]


@dataclass(frozen=True)
class NodeFacts:
    """What a node says of itself before anything is shipped to it."""

    version: str
    runtime: str
    processor: str
    free_bytes: int


def node_facts() -> NodeFacts:
    """Runs on a node."""
    return NodeFacts(__version__, _core.runtime_version(), _processor(), _free_bytes())


def _processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _free_bytes() -> int:
    """Memory that the system can still give, or the limit of the container when that is less."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        fields = dict(line.split(":", 1) for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    group = pathlib.Path("/sys/fs/cgroup")
    try:
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        free = min(free, limit - used)
    except (OSError, ValueError):
        pass  # no limit
    return max(0, free)


@dataclass
class Shipment:
    """What every node gets once, as references into the object store. `bytes` is their size."""

    model: Dict[str, Any]  # files by name
    calibration: "ShippedData"
    evaluation: Optional["ShippedData"]
    bytes: int


@dataclass
class ShippedData:
    """Samples: one array for each input, or a list of samples that cannot be stacked. `names` are those of their files, and
    `placings` say where images are in them; none when they have none."""

    names: List[str]
    placings: List[Tuple[Any, ...]]
    arrays: Dict[str, Any]
    samples: Any = None


@dataclass(frozen=True)
class HostPlan:
    """How a host works: the keys of the search with its number of trials at the same time, and its share of the node."""

    keys: Mapping[str, Any]
    threads: int
    memory_bytes: int
    model_name: str
    labels: Optional[List[int]]
    holdout: float
    evaluator: Optional[Evaluator]


class Host:
    """The actor of a node."""

    def __init__(self, shipment: Shipment, plan: HostPlan, greeting: Mapping[str, Any]) -> None:
        import ray

        self._folder = tempfile.TemporaryDirectory(prefix="quantsearch-")
        request = _core.SearchRequest()
        names = list(shipment.model)
        for name, content in zip(names, ray.get([shipment.model[name] for name in names])):
            content.tofile(os.path.join(self._folder.name, name))
        request.model = _core.load_model(os.path.join(self._folder.name, "model.onnx"))
        request.model_name = plan.model_name
        request.calibration = _source(shipment.calibration)
        request.evaluation = None if shipment.evaluation is None else _source(shipment.evaluation)
        request.labels, request.holdout = plan.labels, plan.holdout
        request.threads, request.memory = plan.threads, str(plan.memory_bytes)
        if plan.evaluator is not None:
            request.evaluator = plan.evaluator
        keys = dict(plan.keys)
        if keys.get("search_cache_dir"):  # a folder has one user
            keys["search_cache_dir"] = os.path.join(str(keys["search_cache_dir"]), f"host-{os.getpid()}")
        self._core = _core.TrialHost(keys, request, greeting)

    def state(self) -> Tuple[Dict[str, Any], int, int]:
        """(fingerprint, number of trials at the same time, process)."""
        return self._core.fingerprint, self._core.jobs, os.getpid()

    def answer(self, request: Mapping[str, Any], ticket: int) -> Tuple[Dict[str, Any], float]:
        """The answer to a request and the seconds that it took here."""
        begin = time.monotonic()
        reply: Dict[str, Any] = self._core.answer(request, ticket)
        return reply, time.monotonic() - begin

    def make(self, request: Mapping[str, Any], ticket: int) -> Tuple[Dict[str, Any], Arrays]:
        """The model of a trial: (answer, its files by name; none when it could not be built)."""
        with tempfile.TemporaryDirectory(prefix="quantsearch-") as folder:
            file = os.path.join(folder, os.path.basename(str(request["file"])))
            reply: Dict[str, Any] = self._core.answer({**request, "file": file}, ticket)
            return reply, files_of(folder)

    def cancel(self, ticket: int) -> None:
        self._core.cancel(ticket)


def files_of(folder: str) -> Arrays:
    """The files of a folder as bytes."""
    return {name: numpy.fromfile(os.path.join(folder, name), dtype=numpy.uint8) for name in sorted(os.listdir(folder))}


def _source(data: ShippedData) -> Any:
    source = _unnamed_source(data)
    return _core.with_names(source, data.names, data.placings) if data.names else source


def _unnamed_source(data: ShippedData) -> Any:
    import ray

    if data.samples is not None:
        samples = ray.get(data.samples)
        return _core.sample_data([{name: for_core(array) for name, array in sample.items()} for sample in samples])
    names = list(data.arrays)
    arrays = ray.get([data.arrays[name] for name in names])
    return _core.array_data({name: for_core(array) for name, array in zip(names, arrays)})
