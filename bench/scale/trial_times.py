#!/usr/bin/env python3
"""Writes the seconds of each stage that a search has run, for scale_bench --times.

    bench/scale/trial_times.py OUTPUT/results.json > times.csv

Stages that a trial took from the cache are left out, and so is mixed precision, which the simulation does not have.
"""

import json
import sys

STAGES = ["simplify", "equalize", "observe_float", "smooth", "observe", "ranges", "quantize", "finetune", "evaluate"]

print("stage,seconds")
for trial in json.load(open(sys.argv[1], encoding="utf-8"))["trials"]:
    for name, stage in trial.get("stages", {}).items():
        if name in STAGES and not stage["cached"]:
            print(f"{name},{stage['seconds']:.6g}")
