"""Searches on a Ray cluster of several nodes on this machine. Skipped where Ray is not installed."""

from __future__ import annotations

import logging
import os
import pathlib
import signal
import sys
import threading
import time
from typing import Any, Callable, Dict, Iterator, List

import numpy
import pytest

import quantsearch
from quantsearch import _core

ray = pytest.importorskip("ray", reason="Ray is not installed here")

import quantsearch.ray  # noqa: E402
from quantsearch._ray_pool import _available_resources  # noqa: E402
from quantsearch._ray_placement import Need, Room, place, require_room  # noqa: E402
from ray import cloudpickle  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # nodes cannot import this file

Config = Dict[str, Any]


@pytest.fixture
def config() -> Config:
    return {
        "search_space": {"calibrate_method": ["MinMax", "Percentile", "MinMSE"], "activation_type": ["QInt8", "QUInt8"], "per_channel": [True, False]},
        "search_metric": "cos",
        "search_algo": "grid_search",
        "search_goal": "most_accurate",
    }


class Nodes:
    """A cluster whose head runs no trials."""

    def __init__(self, count: int) -> None:
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 80 << 20, "include_dashboard": False})
        self.nodes: List[Any] = []
        for _ in range(count):
            self.add()
        ray.init(address=self.cluster.address, log_to_driver=False)
        self.cluster.wait_for_nodes()

    def add(self) -> None:
        self.nodes.append(self.cluster.add_node(num_cpus=1, object_store_memory=80 << 20))

    def kill(self, index: int) -> None:
        self.cluster.remove_node(self.nodes.pop(index), allow_graceful=False)

    def close(self) -> None:
        ray.shutdown()
        self.cluster.shutdown()


@pytest.fixture
def start_nodes() -> Iterator[Callable[[int], Nodes]]:
    started: List[Nodes] = []

    def start(count: int) -> Nodes:
        started.append(Nodes(count))
        return started[-1]

    yield start
    for nodes in started:
        nodes.close()


def values_of(result: quantsearch.SearchResult) -> List[Any]:
    return [(trial.number, trial.state, trial.config, trial.value) for trial in result.study.trials]


def test_a_search_on_four_nodes_finds_what_one_process_finds_although_a_node_is_killed(
    model_path: str, arrays: Any, config: Config, start_nodes: Callable[[int], Nodes]
) -> None:
    nodes = start_nodes(4)
    alone = quantsearch.auto_search(model_path, arrays, config=config, output="alone")
    killed: List[int] = []

    def kill_one(progress: quantsearch.Progress) -> None:
        if progress.finished == 3 and not killed:
            killed.append(progress.finished)
            nodes.kill(1)

    found = quantsearch.ray.search(model_path, arrays, config=config, num_workers=4, output="ray", progress=kill_one)
    assert killed == [3]
    assert values_of(found) == values_of(alone)
    assert found.best == alone.best
    assert pathlib.Path("ray/best.onnx").read_bytes() == pathlib.Path("alone/best.onnx").read_bytes()
    stored = quantsearch.Study.load("ray/study.db").trials
    assert [(trial.number, trial.value) for trial in stored] == [(trial.number, trial.value) for trial in alone.study.trials]
    assert sum(node.trials for node in found.nodes) == len(stored)
    assert all(node.processes == 1 for node in found.nodes)
    shipped = os.path.getsize(model_path) + sum(array.nbytes for array in arrays.values())
    assert all(0.9 * shipped < node.bytes_shipped < 1.5 * shipped for node in found.nodes if node.trials)


class EndsItsProcessOnce:
    """Ends the process that evaluates for the `times` first calls of all processes after the float model's."""

    def __init__(self, folder: str, times: int) -> None:
        self.folder, self.times, self.driver = folder, times, os.getpid()

    def __call__(self, model_path: str) -> float:
        if os.getpid() != self.driver:
            for count in range(self.times):
                try:
                    os.close(os.open(os.path.join(self.folder, f"death-{count}"), os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    continue
                os.kill(os.getpid(), signal.SIGKILL)
        return float(os.path.getsize(model_path))


def test_a_trial_whose_process_ends_is_run_again_and_blamed_the_second_time(
    model_path: str, arrays: Any, start_nodes: Callable[[int], Nodes], tmp_path: pathlib.Path
) -> None:
    start_nodes(1)
    config: Config = {"search_space": {"calibrate_method": ["MinMax", "Percentile"]}, "search_algo": "grid_search", "search_goal": "most_accurate"}
    once, twice = tmp_path / "once", tmp_path / "twice"
    for folder, deaths in ((once, 1), (twice, 2)):
        folder.mkdir()
        found = quantsearch.ray.search(
            model_path, arrays, config=config, num_workers=1, output=folder / "found", evaluator=EndsItsProcessOnce(str(folder), deaths)
        )
        assert len(list(folder.glob("death-*"))) == deaths
        states = [trial.state for trial in found.study.trials]
        assert states == (["complete", "complete"] if deaths == 1 else ["failed", "complete"])
    assert found.study.trials[0].reason.startswith("the process that ran it ended 2 times; the last time: ")


class WaitsForCompany:
    """Lets the first trial pass, and every other one when two processes have begun to evaluate."""

    def __init__(self, folder: str) -> None:
        self.folder, self.driver = pathlib.Path(folder), os.getpid()

    def __call__(self, model_path: str) -> float:
        if os.getpid() != self.driver:
            is_first = not any(self.folder.iterdir())
            (self.folder / f"process-{os.getpid()}").touch()
            for _ in range(0 if is_first else 2400):
                if len(list(self.folder.iterdir())) >= 2:
                    break
                time.sleep(0.05)
        return float(os.path.getsize(model_path))


def test_a_node_that_joins_takes_trials(model_path: str, arrays: Any, config: Config, start_nodes: Callable[[int], Nodes], tmp_path: pathlib.Path) -> None:
    nodes = start_nodes(1)
    folder = tmp_path / "processes"
    folder.mkdir()

    def join(progress: quantsearch.Progress) -> None:
        if progress.finished == 1:
            nodes.add()

    found = quantsearch.ray.search(
        model_path, arrays, config=config, num_workers=2, output="found", evaluator=WaitsForCompany(str(folder)), progress=join
    )
    assert [node.trials > 0 for node in found.nodes] == [True, True]
    assert all(trial.state == "complete" for trial in found.study.trials)


def test_a_search_whose_nodes_are_all_lost_keeps_its_trials_and_is_resumed(
    model_path: str, arrays: Any, config: Config, start_nodes: Callable[[int], Nodes]
) -> None:
    nodes = start_nodes(1)
    # So many trials that the node's processes have ended long before the search could.
    percentiles = [99 + number / 200 for number in range(150)]
    config = {**config, "search_space": {"calibrate_method": ["Percentile"], "extra_options": {"Percentile": percentiles}}}

    def kill(progress: quantsearch.Progress) -> None:
        if progress.finished == 3:
            nodes.kill(0)

    with pytest.raises(quantsearch.IoError, match="no node of the cluster could run a trial for 1 s; the finished trials are kept in 'found'"):
        quantsearch.ray.search(model_path, arrays, config=config, num_workers=1, output="found", progress=kill, patience=1)
    before = quantsearch.Study.load("found/study.db").trials
    assert 3 <= sum(trial.state == "complete" for trial in before)
    assert pathlib.Path("found/best.onnx").exists()
    nodes.add()
    nodes.cluster.wait_for_nodes()
    found = quantsearch.ray.search(model_path, arrays, config=config, num_workers=1, output="found", resume=True)
    alone = quantsearch.auto_search(model_path, arrays, config=config, output="alone")
    assert values_of(found) == values_of(alone)


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Nodes]:
    nodes = Nodes(2)
    yield nodes
    nodes.close()


class TestOnTwoNodes:
    def test_control_c_ends_with_what_was_found(self, model_path: str, arrays: Any, config: Config, two_nodes: Nodes) -> None:
        def interrupt(progress: quantsearch.Progress) -> None:
            if progress.finished == 2:
                raise KeyboardInterrupt

        found = quantsearch.ray.search(model_path, arrays, config=config, num_workers=2, output="found", progress=interrupt)
        assert found.interrupted
        assert found.best is not None
        assert 2 <= sum(trial.state == "complete" for trial in found.study.trials) < 10
        assert pathlib.Path("found/best.onnx").exists()

    def test_a_cluster_without_room_is_refused_with_what_is_needed_and_there(self, model_path: str, arrays: Any, two_nodes: Nodes) -> None:
        with pytest.raises(quantsearch.InvalidInput) as refused:
            quantsearch.ray.search(model_path, arrays, num_workers=1, resources_per_worker={"CPU": 3})
        text = str(refused.value)
        assert text.startswith("search: no node of the cluster has room for one trial: it needs CPU 3, ")
        assert text.count("has CPU 1, ") == 2  # of all of it, free or not
        assert not pathlib.Path("quantsearch_output").exists()

    def test_a_cluster_that_is_occupied_is_waited_for(
        self, model_path: str, arrays: Any, config: Config, two_nodes: Nodes
    ) -> None:
        @ray.remote(num_cpus=1)
        class Occupier:
            def is_there(self) -> bool:
                return True

        occupiers = [Occupier.remote() for _ in range(2)]
        assert ray.get([one.is_there.remote() for one in occupiers]) == [True, True]
        while any(free.get("CPU", 0) for free in _available_resources().values()):  # Ray tells it late
            time.sleep(0.05)
        with pytest.raises(quantsearch.InvalidInput, match="has CPU 0, .* free; free a node"):
            quantsearch.ray.search(model_path, arrays, config=config, num_workers=1, patience=0.1)

        class Frees(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if "is occupied; waiting up to 300 s" in record.getMessage():
                    for one in occupiers:
                        ray.kill(one)

        frees = Frees()
        logging.getLogger("quantsearch").addHandler(frees)
        try:
            found = quantsearch.ray.search(model_path, arrays, config=config, num_workers=1)
        finally:
            logging.getLogger("quantsearch").removeHandler(frees)
        assert len(found.study.trials) == 10

    def test_another_runtime_is_refused_unless_asked(
        self, model_path: str, arrays: Any, config: Config, two_nodes: Nodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = _core.runtime_version()
        monkeypatch.setattr(_core, "runtime_version", lambda: "ONNX Runtime 1.0.0")
        with pytest.raises(quantsearch.InvalidInput, match=f"has {there}, the driver ONNX Runtime 1.0.0, and their scores may differ"):
            quantsearch.ray.search(model_path, arrays, config=config, num_workers=1)
        found = quantsearch.ray.search(model_path, arrays, config=config, num_workers=1, any_runtime=True)
        assert len(found.study.trials) == 10

    def test_an_evaluator_that_cannot_be_shipped_is_refused(self, model_path: str, arrays: Any, config: Config, two_nodes: Nodes) -> None:
        lock = threading.Lock()

        def score(model_path: str) -> float:
            with lock:
                return 0.0

        with pytest.raises(quantsearch.InvalidInput, match="the evaluator cannot be sent to other nodes: cannot pickle"):
            quantsearch.ray.search(model_path, arrays, config=config, num_workers=1, evaluator=score)

    def test_samples_keep_the_names_of_their_files(self, arrays: Any, two_nodes: Nodes) -> None:
        from quantsearch._ray_host import ShippedData, _source

        names = [f"{index}.png" for index in range(24)]
        placings = [(480, 640, 32, 32, 0.05, 0.05, 0.0, 4.0, "resize: letterbox")] * 24
        shipped = ShippedData(names, placings, {name: ray.put(array) for name, array in arrays.items()})
        assert _source(shipped).names == names
        assert _source(shipped).placings == placings
        shipped.names, shipped.placings = [], []
        assert _source(shipped).names == []

    def test_what_no_object_store_holds_is_refused_with_its_size(self, two_nodes: Nodes) -> None:
        from quantsearch._ray_pool import Pool, PoolOptions

        need = Need({"CPU": 1}, 1 << 20, 1 << 20)
        pool = Pool(PoolOptions(1, need, False, False, 1, None), None)  # type: ignore[arg-type]
        pool.require_room()
        with pytest.raises(quantsearch.InvalidInput, match=r"the model of 5\.0 GB cannot be shipped, because the object store of node '.*' holds 83\.9 MB"):
            pool.require_store("the model", 5_000_000_000)

    @pytest.mark.parametrize(
        ("keys", "options", "message"),
        [
            ({"n_jobs": 3}, {"num_workers": 2}, "got n_jobs 3 and num_workers=2"),
            ({"search_isolate": True}, {"num_workers": 2}, "search_isolate"),
            ({"search_devices": "cuda:0,1"}, {"num_workers": 2}, "got 2 search_devices, expected one"),
            ({}, {"num_workers": 0}, "got num_workers=0, expected at least 1"),
            ({}, {"num_workers": 1, "resources_per_worker": {"CPU": -1}}, "asks for -1 of 'CPU'"),
        ],
    )
    def test_what_contradicts_the_cluster_is_refused(
        self, model_path: str, arrays: Any, config: Config, two_nodes: Nodes, keys: Config, options: Dict[str, Any], message: str
    ) -> None:
        with pytest.raises(quantsearch.Error, match=message):
            quantsearch.ray.search(model_path, arrays, config={**config, **keys}, **options)


def test_a_search_without_a_cluster_is_refused(model_path: str, images: "numpy.ndarray[Any, Any]") -> None:
    if ray.is_initialized():
        ray.shutdown()
    with pytest.raises(quantsearch.InvalidInput, match=r"call ray.init\(\) first"):
        quantsearch.ray.search(model_path, {"input": images}, num_workers=1)


class TestPlacement:
    NEED = Need({"CPU": 2}, trial_bytes=100, host_bytes=50)

    def room(self, cpus: float, free: int) -> Room:
        return Room("node", {"CPU": cpus}, free)

    def test_a_node_takes_what_processors_and_memory_allow(self) -> None:
        assert self.NEED.fits(self.room(8, 1000)) == 4
        assert self.NEED.fits(self.room(8, 350)) == 3
        assert self.NEED.fits(self.room(1, 1000)) == 0
        assert self.NEED.fits(self.room(8, 149)) == 0

    def test_each_worker_goes_where_the_most_memory_is_left(self) -> None:
        rooms = {"a": self.room(8, 450), "b": self.room(8, 350), "c": self.room(2, 1000)}
        assert place(rooms, self.NEED, 4) == {"c": 1, "a": 2, "b": 1}
        assert place(rooms, self.NEED, 100) == {"c": 1, "a": 4, "b": 3}

    def test_a_process_has_one_accelerator(self) -> None:
        need = Need({"CPU": 1, "GPU": 1}, trial_bytes=1, host_bytes=1)
        assert need.fits(Room("node", {"CPU": 8, "GPU": 4}, 1000)) == 1

    def test_the_refusal_shows_every_node(self) -> None:
        with pytest.raises(quantsearch.InvalidInput) as refused:
            require_room([Room("a", {"CPU": 1}, 2_000_000), Room("b", {"CPU": 8}, 100)], Need({"CPU": 2}, 3_000_000, 500_000))
        assert str(refused.value) == (
            "search: no node of the cluster has room for one trial: it needs CPU 2, 3.5 MB of memory; 'a' has CPU 1, 2.0 MB of "
            "memory free; 'b' has CPU 8, 0.0 MB of memory free; free a node, add one, or ask for less in resources_per_worker"
        )
