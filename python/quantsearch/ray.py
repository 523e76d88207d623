"""A search whose trials run on a Ray cluster (docs/scale.md).

>>> import ray, quantsearch.ray
>>> ray.init(address="auto")
>>> result = quantsearch.ray.search("model.onnx", "calibration.npz", num_workers=16, resources_per_worker={"CPU": 4})
>>> result.nodes

The process that calls it leads: it measures the float model, proposes the trials, keeps the study and writes the results.
Each node with room gets one process, which receives model and data once through the object store, shares the cache of
stages between its trials, and sends only the models that are wanted.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional

from ._errors import InvalidInput, IoError, Unsupported

try:
    import ray as _ray
except ImportError as error:
    raise ImportError("quantsearch.ray needs Ray; run pip install 'quantsearch[ray]'") from error

from . import _core
from ._api import AutoSearch
from ._config import ConfigSource
from ._data import Data
from ._evaluator import Direction
from ._events import ProgressOption
from ._models import ModelSource
from ._options import Size
from ._ray_host import HostPlan, ShippedData, Shipment, files_of
from ._ray_placement import PROCESS_BYTES, Need, size_text
from ._ray_pool import NodeUse, Pool, PoolOptions, Work
from ._results import SearchResult

__all__ = ["NodeUse", "RaySearchResult", "search"]


@dataclass(frozen=True)
class RaySearchResult(SearchResult):
    """The result of a search, and `nodes`: what each node did."""

    nodes: List[NodeUse] = field(default_factory=list)


def search(
    model: ModelSource,
    calibration: Data,
    *,
    num_workers: int,
    resources_per_worker: Optional[Mapping[str, float]] = None,
    any_runtime: bool = False,
    patience: float = 300.0,
    config: ConfigSource = None,
    evaluation: Data = None,
    labels: Any = None,
    evaluator: Any = None,
    direction: Direction = None,
    holdout: float = 0.0,
    limit: Optional[int] = None,
    evaluation_limit: Optional[int] = None,
    memory: Size = "",
    output: "str | os.PathLike[str] | None" = None,
    progress: ProgressOption = None,
    keep: int = 5,
    resume: bool = False,
    overwrite: bool = False,
    log_file: "str | os.PathLike[str] | None" = None,
) -> RaySearchResult:
    """Runs a search on the cluster that this process is connected to (`ray.init`).

    Args:
        num_workers: trials at the same time. When the cluster has less room it begins with what is there, and uses nodes
            that join later.
        resources_per_worker: by Ray's names; None: ``{"CPU": 1}``. "CPU" is also the number of threads of a trial.
        any_runtime: take nodes with another ONNX Runtime than the driver's.
        patience: seconds to wait for a node when all are occupied or lost, before the search is refused or ends with what it has.
        memory: for the kept results of one process, such as "2G"; "": half of what is free on the node.
        output, progress, keep, resume, overwrite, log_file: see AutoSearch.run(). Ctrl-C ends the search with what was found.

    The others are those of AutoSearch. An evaluator runs on the nodes and is pickled.

    Raises:
        InvalidInput: as AutoSearch; no node has, or within `patience` gets, room for one trial; a node has another version of quantsearch or of ONNX
            Runtime; model or data do not fit the object store.
        IoError: all nodes were lost; finished trials are kept in the output folder, and `resume` continues.
    """
    if not _ray.is_initialized():
        raise InvalidInput("search: this process is not connected to a Ray cluster; call ray.init() first")
    if num_workers < 1:
        raise InvalidInput(f"search: got num_workers={num_workers}, expected at least 1")
    leader = AutoSearch(
        model,
        calibration,
        config=config,
        evaluation=evaluation,
        labels=labels,
        evaluator=evaluator,
        direction=direction,
        holdout=holdout,
        limit=limit,
        evaluation_limit=evaluation_limit,
        memory=memory,
    )
    keys, request = leader._keys, leader._request
    _check_keys(keys, num_workers)
    keys["n_jobs"] = num_workers
    pool = _pool(leader, dict(resources_per_worker or {"CPU": 1}), num_workers, any_runtime, patience, request.memory)
    _require_shippable(leader)
    pool.require_room()
    request.remote = pool
    try:
        found = leader.run(output=output, progress=progress, keep=keep, resume=resume, overwrite=overwrite, log_file=log_file)
    finally:
        request.remote = None
        pool.close()
    if pool.lost_message is not None:
        raise IoError(f"{pool.lost_message}; the finished trials are kept in '{found.output_folder}', continue with resume=True")
    return RaySearchResult(**{name: getattr(found, name) for name in SearchResult.__dataclass_fields__}, nodes=list(pool.uses.values()))


def _check_keys(keys: Mapping[str, Any], num_workers: int) -> None:
    if keys.get("search_isolate"):
        raise Unsupported("search: search_isolate starts processes on one machine; on Ray trials run in processes of their nodes, leave it out")
    if keys.get("n_jobs") not in (None, num_workers):
        raise InvalidInput(f"search: got n_jobs {keys['n_jobs']} and num_workers={num_workers}, which mean the same; leave out n_jobs")
    devices = str(keys.get("search_devices") or "cpu").split(",")
    if len(devices) > 1:
        raise InvalidInput(f"search: got {len(devices)} search_devices, expected one, which each worker uses; leave out the others")


def _require_shippable(leader: AutoSearch) -> None:
    try:
        _ray.cloudpickle.dumps(leader._evaluator)
    except Exception as error:
        raise InvalidInput(
            f"search: the evaluator cannot be sent to other nodes: {error}; give a function or an object whose members can be pickled"
        ) from error


def _pool(
    leader: AutoSearch, resources: Dict[str, float], workers: int, any_runtime: bool, patience: float, memory: str
) -> Pool:
    for name, amount in resources.items():
        if not amount >= 0:
            raise InvalidInput(f"search: resources_per_worker asks for {amount} of '{name}', expected a number of at least 0")
    keys, request = leader._keys, leader._request
    trial_bytes = max(_core.trial_bytes(request.model), int(resources.get("memory", 0)))
    need = Need(resources, trial_bytes, PROCESS_BYTES + trial_bytes // 2)
    host_memory = _core.memory_bytes(memory) if memory else None
    options = PoolOptions(workers, need, any_runtime, _latency_counts(keys), patience, host_memory)

    def plan(count: int, threads: int, memory_bytes: int) -> HostPlan:
        host_keys = {**keys, "n_jobs": count}
        return HostPlan(host_keys, threads, memory_bytes, request.model_name, request.labels, request.holdout, leader._evaluator)

    def ship() -> Shipment:
        shipment = _ship(pool, request)
        pool.note_shipped(shipment.bytes)
        return shipment

    pool = Pool(options, Work(ship, plan))
    return pool


def _latency_counts(keys: Mapping[str, Any]) -> bool:
    """Whether trials are compared by latency, so that their nodes have to be alike."""
    metrics = keys.get("search_metric")
    named = {*(metrics if isinstance(metrics, (list, tuple)) else ()), *(keys.get("search_limits") or {})}
    return keys.get("search_goal") == "fastest" or bool(named & {"latency", "latency_ms"})


def _ship(pool: Pool, request: Any) -> Shipment:
    """Puts model and data into the object store of this node, from which each other node fetches them once."""
    total = 0

    def put(what: str, value: Any, size: int) -> Any:
        nonlocal total
        total += size
        pool.require_store(what, total)
        try:
            return _ray.put(value)
        except (_ray.exceptions.ObjectStoreFullError, _ray.exceptions.OutOfDiskError) as error:
            raise IoError(f"search: {what} of {size_text(size)} cannot be shipped, because the object store is full: {error}") from error

    with tempfile.TemporaryDirectory(prefix="quantsearch-") as folder:
        request.model.save(os.path.join(folder, "model.onnx"), None)
        files = {name: put("the model", content, content.nbytes) for name, content in files_of(folder).items()}

    def data(what: str, source: Any) -> ShippedData:
        if source.largest_batch >= source.size:
            arrays = source.read(0, source.size)
            shipped = {name: put(what, array, array.nbytes) for name, array in arrays.items()}
            return ShippedData(source.names, source.placings, shipped)
        samples = [source.read(index, 1) for index in range(source.size)]
        size = sum(array.nbytes for sample in samples for array in sample.values())
        return ShippedData(source.names, source.placings, {}, put(what, samples, size))

    calibration = data("the calibration data", request.calibration)
    evaluation = None if request.evaluation is None else data("the evaluation data", request.evaluation)
    return Shipment(files, calibration, evaluation, total)
