#!/usr/bin/env python3
"""A search on 1, 2, 4 Ray nodes on this machine, beside one process: seconds, speed-up, overhead of a trial, bytes shipped.

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


def search_on(count: int, options: argparse.Namespace, output: pathlib.Path) -> "tuple[float, quantsearch.ray.RaySearchResult]":
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 256 << 20})
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=256 << 20) for _ in range(count)]
    ray.init(address=cluster.address, log_to_driver=False)
    cluster.wait_for_nodes()
    first: List[float] = []

    def progress(state: quantsearch.Progress) -> None:
        first.append(time.monotonic())
        if options.kill and len(first) == 3 and count > 1:
            cluster.remove_node(nodes[-1], allow_graceful=False)

    try:
        found = quantsearch.ray.search(
            options.model, options.calibration, config=options.config, limit=options.limit, num_workers=count, output=output, progress=progress
        )
        # From the first result on: starting the processes is not counted.
        return first[-1] - first[0], found
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
        print(f"{len(alone.study.trials)} trials; best {alone.best}")
        print("nodes  seconds  speed-up  trials by node  overhead/trial  shipped/node")
        base = 0.0
        for count in map(int, options.nodes.split(",")):
            seconds, found = search_on(count, options, pathlib.Path(folder, f"nodes-{count}"))
            base = base or seconds
            trials = [node.trials for node in found.nodes]
            overhead = sum(node.waited - node.seconds for node in found.nodes) / max(1, sum(trials))
            shipped = max(node.bytes_shipped for node in found.nodes)
            print(f"{count:5}  {seconds:7.2f}  {base / seconds:8.2f}  {'+'.join(map(str, trials)):>14}  {1e3 * overhead:11.2f} ms  {shipped / 1e6:9.2f} MB")
            if values(found) != values(alone) or found.best != alone.best:
                print(f"the search on {count} nodes differs from that of one process")
                return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
