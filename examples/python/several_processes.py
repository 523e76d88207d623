"""Several processes, also on several machines, work on one search through a PostgreSQL server.

    python several_processes.py postgresql://user@host/database [PROCESSES]

Each process asks the server for a trial, runs it, and sees what the others have found. One that dies gives its trial back. To add a
machine, start this there with the same arguments.
"""

import pathlib
import subprocess
import sys

import quantsearch

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "fashion_mnist"


def work(url, name):
    config = quantsearch.AutoSearchConfig(
        search_space={"calibrate_method": ["MinMax", "Percentile", "Entropy"], "activation_type": ["QUInt8", "QInt8"]},
        study_storage=url,
        study_name="fashion",
    )
    result = quantsearch.auto_search(
        SHIPPED / "mobilenet_s.onnx", SHIPPED / "calibration_100.npz", config=config, output=f"worker_{name}", threads=1, progress=False
    )
    print(f"worker {name}: the study has {len(result.study.trials)} trials, the best is {result.best}", flush=True)


def main(url, processes=2):
    workers = [subprocess.Popen([sys.executable, __file__, "--work", url, str(index)]) for index in range(int(processes))]
    if any([worker.wait() for worker in workers]):
        sys.exit("a worker failed")
    study = quantsearch.Study.load(url, name="fashion")
    print(f"{len(study.trials)} trials, each run once")


if __name__ == "__main__":
    if sys.argv[1] == "--work":
        work(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
