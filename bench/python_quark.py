#!/usr/bin/env python3
"""Runs the code blocks of Quark's auto search page as scripts, with quantsearch and with Quark itself, and prints a table.

    python bench/python_quark.py --quark QUARK_PYTHON CALIBRATION.npz EVALUATION.npz MODEL...  [--samples 100] [--trials 6]
                                 [--time-limit 600]

QUARK_PYTHON is an interpreter with Quark (bench/peers/README.md); without --quark only quantsearch runs. Every script is a process in an
empty folder. It has a data reader and, but for the last block, which asks for the built-in one, an evaluator in Python: the top-1 accuracy
over the first 2000 samples of EVALUATION.npz, which is fast beside the searches. The texts are those of the page (python/tests/quark_document.py), with numbers of trials and iterations that end in
minutes: --trials, and 20 and 40 iterations over 32 samples. The modules and the order of the arguments that the page names are not those of
Quark 0.13: for it the last line of the example but one is written with its keywords.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import traceback

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python" / "tests"))
import quark_document as page  # noqa: E402

FINETUNE = {"OptimAlgorithm": "adaround", "DataSize": 32, "BatchSize": 2, "FixedSeed": 42, "OptimDevice": "cpu", "InferDevice": "cpu"}
EVALUATED = 2000  # samples
BLOCKS = ("two-stage", "advanced", "joint", "example")


class Reader:
    def __init__(self, images):
        self.images, self.next = images, 0

    def get_next(self):
        if self.next == len(self.images):
            return None
        self.next += 1
        return {"input": self.images[self.next - 1 : self.next]}

    def rewind(self):
        self.next = 0

    reset_iter = rewind

    def __len__(self):
        return len(self.images)


def session_of(file):
    import onnxruntime

    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


class Top1:
    def __init__(self, images, labels):
        self.images, self.labels, self.calls = images, labels, 0

    def evaluate(self, model):
        """Here `model` is a session, in Quark 0.13 the path of a file."""
        self.calls += 1
        session = session_of(model) if isinstance(model, str) else model
        batches = [self.images[first : first + 100] for first in range(0, len(self.images), 100)]
        classes = numpy.concatenate([session.run(None, {"input": batch})[0].argmax(1) for batch in batches])
        return float((classes == self.labels).mean())

    __call__ = evaluate


def names_of(tool):
    """What the scripts use of a tool."""
    import onnxruntime.quantization as ort

    if tool == "quantsearch":
        from quantsearch import quark
        from quantsearch.quark.auto_search import AutoSearch, AutoSearchConfig

        return quark.QuantizationConfig, AutoSearch, AutoSearchConfig
    from quark.onnx import AutoSearch
    from quark.onnx.quantization.auto_search.auto_search_v1 import AutoSearchConfig
    from quark.onnx.quantization.config.config import Config, QuantizationConfig

    def configuration(**options):
        return Config(global_quant_config=QuantizationConfig(quant_format=ort.QuantFormat.QDQ, **options))

    def search(config, auto_search_config, model, reader):
        return AutoSearch(config=config, auto_search_config=auto_search_config, model_input=model, calibration_data_reader=reader)

    return configuration, search, AutoSearchConfig


def text_of(block, trials, tool):
    text = {"two-stage": page.TWO_STAGE, "advanced": page.ADVANCED, "joint": page.JOINT, "example": page.EXAMPLE}[block]
    for documented, smaller in (
        ('"iteration_limit": 1000', f'"iteration_limit": {trials}'),
        ('"n_trials": 10', f'"n_trials": {trials}'),
        ('"NumIterations": [100, 200]', '"NumIterations": [20, 40]'),
        ("[[100, 1e-4], [200, 1e-5]]", "[[20, 1e-4], [40, 1e-5]]"),
    ):
        text = text.replace(documented, smaller)
    if tool == "quark":
        for ours, theirs in (
            ("quantsearch.quark.auto_search import AutoSearchConfig", "quark.onnx.quantization.auto_search.auto_search_v1 import AutoSearchConfig"),
            ("quantsearch.quark.auto_search", "quark.onnx"),
            ("quantsearch.quark", "quark.onnx"),
            (
                "AutoSearch(quantization_config, auto_search_config, float_onnx_model_path, calibration_data_reader)",
                "AutoSearch(config=quantization_config, auto_search_config=auto_search_config, model_input=float_onnx_model_path, "
                "calibration_data_reader=calibration_data_reader)",
            ),
        ):
            text = text.replace(ours, theirs)
    return text


def class_of(block, text, base, evaluator):
    """The class of a fragment, completed by what the page leaves out ("other auto search configs")."""
    names = {}
    exec(text, names)
    fragment = names["Auto_search_config"]
    more = {"search_evaluator": evaluator, "search_metric_tolerance": 0.05, "n_jobs": 1, "search_devices": "cpu", "search_algo": "grid_search"}
    if block == "two-stage":
        more["search_space"] = {
            "calibrate_method": page_methods(),
            "include_fast_ft": [True],
            "extra_options": {"FastFinetune": {**{name: [value] for name, value in FINETUNE.items() if name in ("DataSize", "OptimAlgorithm", "FixedSeed")}, "NumIterations": [20, 40]}},
        }
    more["search_stop_condition"] = {"find_n_candidates": -1, "find_best_candidate": -1, "iteration_limit": 20, "time_limit": 3600}
    return type("Search", (fragment, base), {name: value for name, value in more.items() if name not in vars(fragment)})


def page_methods():
    from onnxruntime.quantization.calibrate import CalibrationMethod

    return [CalibrationMethod.MinMax, CalibrationMethod.Percentile]


def run_block(block, tool, model, calibration, evaluation, trials, samples):
    """One script. Returns what it found, for the table."""
    images = numpy.load(calibration)["input"][:samples]
    data = numpy.load(evaluation)
    images_and_labels = data["input"][:EVALUATED], data["labels"][:EVALUATED]
    evaluator = Top1(*images_and_labels)
    begin = time.perf_counter()
    configuration, search_class, base = names_of(tool)
    options = {"include_fast_ft": True, "extra_options": {"FastFinetune": {**FINETUNE, "NumIterations": 20, "LearningRate": 0.1}}}
    text = text_of(block, trials, tool)
    if block == "example":
        names = {"quantization_config": configuration(), "float_onnx_model_path": model, "calibration_data_reader": Reader(images)}
        exec(text, names)
        candidates = names["searched_candidates"]
    else:
        search = search_class(configuration(**options), class_of(block, text, base, evaluator), model, Reader(images))
        candidates = search.search_model()
    seconds, processor = time.perf_counter() - begin, processor_seconds()
    return {
        "seconds": seconds,
        "processor_seconds": processor,
        "candidates": len(candidates or []),
        "evaluations": evaluator.calls,
        "top1": best_top1(pathlib.Path.cwd(), Top1(*images_and_labels)),
        "log": os.path.exists("auto_search.log"),
        "files": sum(len(files) for _, _, files in os.walk(".")),
    }


def processor_seconds():
    """Of this process and those that it started, the imports included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def best_top1(folder, evaluator):
    """The accuracy of the best model that a script left; None when it left none."""
    found = []
    for file in folder.rglob("*.onnx"):
        try:
            found.append(evaluator.evaluate(str(file)))
        except Exception as error:  # a model that the runtime does not load is none
            print(file, error, file=sys.stderr)
    return max(found, default=None)


def row_of(python, words, limit):
    with tempfile.TemporaryDirectory() as folder:
        command = [python, os.path.abspath(__file__), "--one", *map(str, words)]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return {"error": f"stopped after {limit} s"}
    answers = [line for line in done.stdout.splitlines() if line.startswith("result: ")]
    return json.loads(answers[-1][len("result: ") :]) if answers else {"error": f"exit code {done.returncode}: {done.stderr[-200:]}"}


def shown(row):
    if "error" in row:
        return f"{row['error']} | | | | |"
    top1 = "none" if row["top1"] is None else f"{row['top1']:.4f}"
    return f"{row['seconds']:.1f} | {row['processor_seconds']:.1f} | {row['candidates']} | {top1} | {'yes' if row['log'] else 'no'} | {row['files']}"


def one(words):
    block, tool, model, calibration, evaluation, trials, samples = words
    try:
        row = run_block(block, tool, model, calibration, evaluation, int(trials), int(samples))
    except Exception as error:  # a script that a tool cannot run is a row of the table
        traceback.print_exc()
        row = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:160]}
    print("result:", json.dumps(row), flush=True)


def main():
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("calibration", type=os.path.abspath)
    parser.add_argument("evaluation", type=os.path.abspath)
    parser.add_argument("models", nargs="+", type=os.path.abspath)
    parser.add_argument("--quark", help="interpreter with Quark")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--time-limit", type=int, default=600)
    parser.add_argument("--blocks", nargs="+", default=BLOCKS, choices=BLOCKS)
    arguments = parser.parse_args()
    tools = {"quantsearch": sys.executable}
    if arguments.quark:
        tools["quark"] = arguments.quark
    print("| model | block | tool | s | processor s | candidates | best top1 | log | files |\n|---|---|---|---|---|---|---|---|---|")
    for model in arguments.models:
        for block in arguments.blocks:
            for tool, python in tools.items():
                words = (block, tool, model, arguments.calibration, arguments.evaluation, arguments.trials, arguments.samples)
                print(f"| {pathlib.Path(model).stem} | {block} | {tool} | {shown(row_of(python, words, arguments.time_limit))} |", flush=True)


if __name__ == "__main__":
    main()
