#!/usr/bin/env python3
"""Runs searches with an older build of the command and with this one, and says which trials give the same model.

    bench/same_searches.py OLD NEW MODEL CALIBRATION EVALUATION [--searches grid24,joint6,...]

OLD and NEW are built commands. A model is the same when all but its metadata, which say where it came from, is the same to the byte. A
score is the same when it is that of the new build in the processor's own arithmetic: without VNNI earlier builds scored with integer
kernels that saturate. Needs the Python package onnx. The searches are those of bench/ and examples/, and full_space with TPE and auto.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import onnx

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {"grid24": "bench/grid24.yaml", "joint6": "bench/joint6.yaml", "two_stage": "examples/two_stage.yaml",
         "full_space": "examples/full_space.yaml", "tpe": "examples/full_space.yaml", "auto": "examples/full_space.yaml"}
OPTIONS = {"tpe": ["--algorithm", "TPE", "--iteration-limit", "24"], "auto": ["--algorithm", "auto", "--iteration-limit", "24"]}
NEW_OPTIONS = ["--no-latency", "--target", "cpu-vnni"]  # earlier builds had neither latencies nor targets


def search(command, given, name, output, options):
    done = subprocess.run([command, "search", given.model, "--calibration", given.calibration, "--limit", "100", "--evaluation", given.evaluation,
                           "--evaluation-limit", "200", "--config", ROOT / FILES[name], "--output", output, "--keep", "1000", "--tolerance",
                           "1000", "--quiet", *OPTIONS.get(name, []), *options], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"{command}: {name}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads((output / "results.json").read_text())


def content(file):
    model = onnx.load(file)
    del model.metadata_props[:]
    model.producer_name = model.producer_version = model.doc_string = ""
    return model.SerializeToString(deterministic=True)


def method(trial):
    config = trial["config"]
    parts = [label for key, label in (("include_cle", "cle"), ("include_sq", "sq"), ("include_auto_mp", "mixed")) if config.get(key)]
    if config.get("include_fast_ft"):
        parts.append(config.get("extra_options.FastFinetune.OptimAlgorithm", "adaround"))
    return "+".join(parts) or "calibration"


def scored_alike(before, now):
    scores = (now.get("arithmetic") or {}).get("processor", now["scores"])
    return abs(scores["L2"] - before["scores"]["L2"]) <= 1e-9 * before["scores"]["L2"]


def compare(name, folders, results):
    before, now = ({trial["number"]: trial for trial in each["trials"]} for each in results)
    tally = collections.defaultdict(collections.Counter)
    for number, trial in before.items():
        files = [folder / "candidates" / f"{number:04}.onnx" for folder in folders]
        row = tally[method(trial)]
        if number not in now or trial["config"] != now[number]["config"]:
            row["another point"] += 1
        elif not all(file.exists() for file in files):
            row["failed in both" if trial["state"] == now[number]["state"] == "failed" else "in one alone"] += 1
        elif content(files[0]) == content(files[1]):
            row["same model"] += 1
            row["same score"] += scored_alike(trial, now[number])
        else:
            row["another model"] += 1
    print(f"{name}: {len(before)} and {len(now)} trials, best {results[0]['best']} and {results[1]['best']}")
    for label, row in sorted(tally.items()):
        print(f"  {label}: {', '.join(f'{count} {what}' for what, count in row.items())}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for argument in ("old", "new", "model", "calibration", "evaluation"):
        parser.add_argument(argument)
    parser.add_argument("--searches", default=",".join(FILES))
    given = parser.parse_args()
    for name in given.searches.split(","):
        with tempfile.TemporaryDirectory() as folder:
            folders = [pathlib.Path(folder, build) for build in ("old", "new")]
            results = [search(given.old, given, name, folders[0], []), search(given.new, given, name, folders[1], NEW_OPTIONS)]
            compare(name, folders, results)


if __name__ == "__main__":
    main()
