#!/usr/bin/env python3
"""A search on 1, 2, 4 Ray nodes on this machine, beside one process: seconds, speed-up, overhead of a trial, bytes shipped, and what
other work on the machine does not change: how often stages were computed, and the processor time of the nodes.

    bench/ray_speed.py MODEL CALIBRATION.npz CONFIG.yaml [--nodes 1,2] [--limit SAMPLES] [--kill]

Needs the package with Ray (`pip install '.[ray]'`). Every node has one processor, so that there should be as many idle ones
as the largest number of nodes. With --kill one node of several is killed after the third trial. The best model and every
value have to be those of one process, else it ends with an error.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import tempfile
import time
from typing import Any, List

os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's workers give way to everything else otherwise

import ray
from ray.cluster_utils import Cluster

import quantsearch
import quantsearch.ray


def values(result: quantsearch.SearchResult) -> List[Any]:
    return [(trial.number, trial.state, trial.config, trial.value) for trial in result.study.trials]


def computed_stages(result: quantsearch.SearchResult) -> int:
    return sum(not stage["cached"] for trial in result.study.trials for stage in trial.stages.values())


def host_seconds() -> float:
    """Processor time of the processes that run trials."""
    ticks = 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cmdline").read_bytes().startswith(b"ray::Host"):
                ticks += sum(map(int, process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        except OSError:
            pass  # it has ended
    return ticks / os.sysconf("SC_CLK_TCK")


def search_on(count: int, options: argparse.Namespace, output: pathlib.Path) -> "tuple[float, float, quantsearch.ray.RaySearchResult]":
    """Seconds from the first result to the last, processor time of the nodes, and what was found."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 256 << 20})
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=256 << 20) for _ in range(count)]
    ray.init(address=cluster.address, log_to_driver=False)
    cluster.wait_for_nodes()
    first: List[float] = []
    processor = 0.0

    def progress(state: quantsearch.Progress) -> None:
        nonlocal processor
        first.append(time.monotonic())
        processor = max(processor, host_seconds())
        if options.kill and len(first) == 3 and count > 1:
            cluster.remove_node(nodes[-1], allow_graceful=False)

    try:
        found = quantsearch.ray.search(
            options.model, options.calibration, config=options.config, limit=options.limit, num_workers=count, output=output, progress=progress
        )
        # From the first result on: starting the processes is not counted.
        return first[-1] - first[0], processor, found
    finally:
        ray.shutdown()
        cluster.shutdown()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("calibration")
    parser.add_argument("config")
    parser.add_argument("--nodes", default="1,2")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        alone = quantsearch.auto_search(
            options.model, options.calibration, config=options.config, limit=options.limit, output=os.path.join(folder, "alone"), threads=1
        )
        print(f"{len(alone.study.trials)} trials; best {alone.best}; {computed_stages(alone)} stages computed")
        print("nodes  seconds  speed-up  trials by node  stages computed  processor  overhead/trial  shipped/node")
        base = 0.0
        for count in map(int, options.nodes.split(",")):
            seconds, processor, found = search_on(count, options, pathlib.Path(folder, f"nodes-{count}"))
            base = base or seconds
            trials = [node.trials for node in found.nodes]
            overhead = sum(node.waited - node.seconds for node in found.nodes) / max(1, sum(trials))
            shipped = max(node.bytes_shipped for node in found.nodes)
            print(
                f"{count:5}  {seconds:7.2f}  {base / seconds:8.2f}  {'+'.join(map(str, trials)):>14}  {computed_stages(found):15}  "
                f"{processor:7.2f} s  {1e3 * overhead:11.2f} ms  {shipped / 1e6:9.2f} MB"
            )
            if values(found) != values(alone) or found.best != alone.best:
                print(f"the search on {count} nodes differs from that of one process")
                return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
