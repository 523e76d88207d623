"""Searches whose trials run in worker processes."""

import os
import sys
import types

import numpy
import pytest
import quantsearch
import worker_evaluators
from conftest import Reader


def search(model_path, data, config, **options):
    return quantsearch.auto_search(model_path, data, config=config, progress=False, overwrite=True, **options)


@pytest.mark.parametrize("kind", ["arrays", "reader", "file"])
def test_an_isolated_search_gives_what_one_process_gives(kind, model_path, arrays, images, small_space):
    numpy.savez("images.npz", **arrays)
    data = {"arrays": lambda: arrays, "reader": lambda: Reader(images, batch=5), "file": lambda: "images.npz"}[kind]
    alone = search(model_path, data(), small_space, output="alone", holdout=0.25)
    isolated = search(model_path, data(), {**small_space, "search_isolate": True, "n_jobs": 2}, output="isolated", holdout=0.25)
    assert [trial.state for trial in isolated.study.trials] == ["complete"] * 4
    assert [trial.scores for trial in isolated.study.trials] == [trial.scores for trial in alone.study.trials]
    assert isolated.best_model.read_bytes() == alone.best_model.read_bytes()


def test_the_evaluator_runs_in_the_workers(model_path, arrays, images, small_space, tmp_path):
    evaluator = worker_evaluators.Sum(images[:4], str(tmp_path / "processes"))
    alone = search(model_path, arrays, small_space, evaluator=evaluator, output="alone")
    (tmp_path / "processes").unlink()
    isolated = search(model_path, arrays, {**small_space, "search_isolate": True}, evaluator=evaluator, output="isolated")
    assert [trial.value for trial in isolated.study.trials] == [trial.value for trial in alone.study.trials]
    assert isolated.best == alone.best
    processes = (tmp_path / "processes").read_text().split()
    assert processes[0] == str(os.getpid())  # the float model
    assert len(processes) == 5 and str(os.getpid()) not in processes[1:]


def test_a_worker_that_dies_is_a_failed_trial(model_path, arrays, small_space):
    config = {**small_space, "search_isolate": True}
    result = search(model_path, arrays, config, evaluator=worker_evaluators.dies_of_unsigned_activations)
    states = {trial.config["activation_type"]: trial.state for trial in result.study.trials}
    assert states == {"QInt8": "complete", "QUInt8": "failed"}
    failed = next(trial for trial in result.study.trials if trial.state == "failed")
    assert "was ended by signal 9" in failed.reason


def test_a_time_limit_ends_the_evaluator_of_a_worker(model_path, arrays, small_space):
    config = {**small_space, "search_isolate": True, "trial_time_limit": 1, "search_stop_condition": {"iteration_limit": 2}}
    result = search(model_path, arrays, config, evaluator=worker_evaluators.never_returns)
    assert [trial.state for trial in result.study.trials] == ["interrupted"] * 2
    assert result.best is None


def test_an_evaluator_that_workers_cannot_load_is_refused(model_path, arrays, small_space, monkeypatch):
    config = {**small_space, "search_isolate": True}
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(quantsearch.Unsupported, match="the evaluator cannot be sent to worker processes: .*; give it only members"):
        search(model_path, arrays, config, evaluator=lambda path: 1.0)
    main = types.FunctionType((lambda path: 1.0).__code__, {"__name__": "__main__"}, "main")
    main.__module__ = "__main__"
    with pytest.raises(quantsearch.Unsupported, match="define it in a module that the program imports, or run pip install cloudpickle"):
        search(model_path, arrays, config, evaluator=main)


def test_cloudpickle_sends_a_function_of_the_program(model_path, arrays, small_space):
    pytest.importorskip("cloudpickle")
    result = search(model_path, arrays, {**small_space, "search_isolate": True}, evaluator=lambda path: 2.0)
    assert [trial.value for trial in result.study.trials] == [2.0] * 4
