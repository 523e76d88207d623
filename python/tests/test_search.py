"""Searches from Python."""

import logging
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import types

import pytest
import quantsearch
from conftest import Reader


def search(model_path, arrays, config, **options):
    options.setdefault("progress", False)
    return quantsearch.auto_search(model_path, arrays, config=config, **options)


def test_a_search_leaves_its_files_and_returns_the_best(model_path, arrays, small_space, tmp_path):
    result = search(model_path, arrays, small_space, output=tmp_path / "out", keep=2)
    assert len(result.study.trials) == 4
    assert result.best_model.exists() and (tmp_path / "out" / "report.html").exists()
    values = {trial.number: trial.value for trial in result.study.trials}
    assert values[result.best] == min(values.values())
    assert [trial.number for trial in result.candidates] == sorted(values, key=values.get)
    assert result.candidate_model(result.best).exists()
    assert not result.interrupted and result.met_tolerance
    assert result.study.stop_reason == "space_exhausted"


def test_a_reader_gives_what_arrays_give(model_path, arrays, images, small_space):
    from_arrays = search(model_path, arrays, small_space, output="a")
    from_reader = search(model_path, Reader(images), small_space, output="b")
    assert [t.scores for t in from_arrays.study.trials] == [t.scores for t in from_reader.study.trials]
    assert from_arrays.best_model.read_bytes() == from_reader.best_model.read_bytes()


def test_results_are_printed_pickled_and_shown(model_path, arrays, small_space):
    result = search(model_path, arrays, small_space)
    assert "4 trials" in repr(result) and "best (trial" in result.summary()
    assert "<table>" in result._repr_html_() and f"<td>{result.best}</td>" in result._repr_html_()
    assert "<html" in result.html_report()
    assert pickle.loads(pickle.dumps(result)) == result
    assert result.to_dict()["schema"] == 1
    assert quantsearch.Trial.from_dict(result.study.trials[0].to_dict()).scores == result.study.trials[0].scores


def test_trials_become_a_data_frame(model_path, arrays, small_space):
    pytest.importorskip("pandas")
    frame = search(model_path, arrays, small_space).trials_dataframe()
    assert list(frame["number"]) == [0, 1, 2, 3]
    assert set(frame["config_activation_type"]) == {"QInt8", "QUInt8"}


def test_a_data_frame_without_pandas_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="trials_dataframe: pandas is not installed; 'pip install pandas' adds it"):
        quantsearch.Study(trials=[]).trials_dataframe()


def test_a_study_is_read_from_its_file(model_path, arrays, small_space):
    result = search(model_path, arrays, small_space, output="out")
    database = pathlib.Path("out/study.db")
    assert [study["name"] for study in quantsearch.list_studies(database)] == ["quantsearch"]
    study = quantsearch.Study.load(database)
    assert [trial.value for trial in study.trials] == [trial.value for trial in result.study.trials]


def test_a_search_is_resumed(model_path, arrays, small_space):
    search(model_path, arrays, {**small_space, "search_stop_condition": {"iteration_limit": 2}}, output="out")
    with pytest.raises(quantsearch.InvalidInput):
        search(model_path, arrays, small_space, output="out")
    seen = []
    result = search(model_path, arrays, small_space, output="out", resume=True, progress=seen.append)
    assert len(result.study.trials) == 4
    assert [progress.trial.number for progress in seen] == [2, 3]


def test_progress_is_called_on_this_thread(model_path, arrays, small_space):
    threads, numbers, bests = set(), [], []

    def progress(state):
        threads.add(threading.current_thread())
        numbers.append(state.trial.number)
        bests.append(state.best.value)
        assert state.total == 4 and state.finished == len(numbers)

    result = search(model_path, arrays, small_space, progress=progress)
    assert threads == {threading.current_thread()}
    assert numbers == [0, 1, 2, 3]
    assert bests[-1] == result.best_trial.value and bests == sorted(bests, reverse=True)


def test_a_bar_of_tqdm_counts_the_trials(model_path, arrays, small_space, monkeypatch):
    class Bar:
        made = []

        def __init__(self, total, **options):
            self.total, self.count, self.shown, self.closed = total, 0, {}, False
            Bar.made.append(self)

        def update(self, count):
            self.count += count

        def set_postfix(self, **shown):
            self.shown = shown

        def close(self):
            self.closed = True

    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    result = search(model_path, arrays, small_space, progress=True)
    (bar,) = Bar.made
    assert (bar.total, bar.count, bar.closed) == (4, 4, True)
    assert bar.shown == {"best": f"{result.best_trial.value:.6g}", "trial": result.best}


def test_an_exception_of_progress_ends_the_search_and_is_raised(model_path, arrays, small_space):
    def progress(state):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        search(model_path, arrays, small_space, output="out", progress=progress)
    assert pathlib.Path("out/results.json").exists()


def test_log_lines_go_to_logging(model_path, arrays, small_space, caplog):
    with caplog.at_level(logging.INFO, "quantsearch"):
        search(model_path, arrays, small_space)
    assert any(record.levelno == logging.WARNING for record in caplog.records)
    assert any("trial 0" in record.getMessage() for record in caplog.records)
    assert not pathlib.Path("auto_search.log").exists()


def test_a_log_file_is_written_when_the_search_has_begun(model_path, arrays, small_space):
    with pytest.raises(quantsearch.InvalidInput):
        search(model_path, arrays, {"search_space": {"calibrate_method": []}}, log_file="search.log")
    assert not pathlib.Path("search.log").exists()
    search(model_path, arrays, small_space, log_file="search.log")
    assert "trial 3" in pathlib.Path("search.log").read_text()


def test_ctrl_c_interrupts_the_evaluator_and_returns_the_best_so_far(model_path, arrays):
    space = {"search_space": {"calibrate_method": ["MinMax", "Percentile", "Entropy"], "activation_type": ["QInt8", "QUInt8"]}}
    calls = []

    def evaluator(path):
        calls.append(path)
        if len(calls) == 3:  # the float model, one trial, and the trial that never ends by itself
            signal.raise_signal(signal.SIGINT)
            while True:
                pass
        return float(len(calls))

    result = search(model_path, arrays, space, output="out", evaluator=evaluator)
    assert result.interrupted and len(calls) == 3
    assert result.best_model.exists()
    assert [trial.value for trial in result.study.trials if trial.state == "complete"] == [2.0]
    assert result.study.stop_reason == "cancelled"


def test_ctrl_c_before_the_first_result_raises(model_path, arrays, small_space):
    def evaluator(path):
        signal.raise_signal(signal.SIGINT)
        while True:
            pass

    with pytest.raises(KeyboardInterrupt):
        search(model_path, arrays, small_space, output="out", evaluator=evaluator)


def blocks_at_its_third_call():
    """An evaluator, and the paths that it was called with."""
    calls = []

    def evaluator(path):
        calls.append(path)
        while len(calls) == 3:
            pass
        return 1.0

    return evaluator, calls


def test_an_exception_of_progress_interrupts_the_evaluator(model_path, arrays, small_space):
    evaluator, _ = blocks_at_its_third_call()

    def progress(state):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        search(model_path, arrays, small_space, output="out", evaluator=evaluator, progress=progress)


def test_a_time_limit_interrupts_the_evaluator_and_the_search_goes_on(model_path, arrays, small_space):
    evaluator, calls = blocks_at_its_third_call()

    result = search(model_path, arrays, {**small_space, "trial_time_limit": 2}, output="out", evaluator=evaluator)
    assert result.study.trials[1].state == "interrupted" and len(calls) == 5
    assert not result.interrupted


def test_no_thread_is_left(model_path, arrays, small_space):
    def count():
        return len(list(pathlib.Path("/proc/self/task").iterdir()))

    search(model_path, arrays, small_space, output="a")
    before = count()
    search(model_path, arrays, small_space, output="b")
    assert count() <= before


def test_no_configuration_searches_towards_the_fastest(model_path, arrays):
    task = quantsearch.AutoSearch(model_path, arrays)
    assert task._keys["search_goal"] == "fastest"
    assert task._keys["search_stop_condition"] == {"time_limit": 600}


def test_the_plan_counts_points(model_path, small_space):
    plan = quantsearch.plan_space(model_path, small_space, first=2)
    assert (plan["raw"], plan["distinct"], len(plan["points"])) == (4, 4, 2)


def test_two_objectives_have_a_front(model_path, arrays, small_space):
    result = search(model_path, arrays, {**small_space, "search_metric": ["L2", "size"]})
    assert result.front
    assert all(len(trial.objectives) == 2 for trial in result.front)
    assert "front" in result._repr_html_()


ON_A_DAEMON_THREAD = """
import threading, time
import numpy, quantsearch

entered = threading.Event()

def evaluator(path):
    entered.set()
    while True:
        time.sleep(0.01)

images = numpy.random.default_rng(1).random((4, 1, 28, 28), dtype=numpy.float32)
arguments = {"evaluator": evaluator, "config": {"search_space": {"calibrate_method": ["MinMax"]}}, "progress": False}
threading.Thread(target=quantsearch.auto_search, args=(MODEL, {"input": images}), kwargs=arguments, daemon=True).start()
entered.wait()
"""


def test_a_program_may_end_while_a_daemon_thread_searches(model_path):
    program = ON_A_DAEMON_THREAD.replace("MODEL", repr(model_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
