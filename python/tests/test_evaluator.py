"""Evaluators of the user."""

import fractions
import sys
import threading
import types

import numpy
import pytest
import quantsearch
from quantsearch._evaluator import Evaluator


def search(model_path, arrays, config, evaluator, **options):
    return quantsearch.auto_search(model_path, arrays, config=config, evaluator=evaluator, progress=False, **options)


def test_a_callable_gets_the_path_of_each_model_once(model_path, arrays, small_space):
    paths, threads = [], set()

    def evaluator(path):
        assert path.endswith(".onnx")
        quantsearch.load_model(path)
        threads.add(threading.current_thread())
        paths.append(path)
        return len(paths)

    result = search(model_path, arrays, small_space, evaluator)
    assert len(paths) == 1 + 4  # the float model comes first
    assert result.best_trial.value == 5 and result.best_trial.scores["custom"] == 5
    assert threading.main_thread() not in threads


def test_an_object_with_evaluate_gets_a_session(model_path, arrays, small_space, images):
    class Evaluator:
        def evaluate(self, session):
            return float(session.run(None, {"input": images[:2]})[0].sum())

    result = search(model_path, arrays, small_space, Evaluator())
    assert all(trial.state == "complete" for trial in result.study.trials)


def test_the_name_or_type_of_the_parameter_decides(model_path, arrays, small_space):
    kinds = []

    def of_session(session):
        kinds.append(type(session).__name__)
        return 1.0

    class OfPath:
        def evaluate(self, model_path: str):
            kinds.append(type(model_path).__name__)
            return 1.0

    search(model_path, arrays, small_space, of_session, output="a")
    search(model_path, arrays, small_space, OfPath(), output="b")
    assert kinds == ["InferenceSession"] * 5 + ["str"] * 5


def test_an_exception_fails_the_trial_with_its_traceback(model_path, arrays, small_space):
    calls = []

    def evaluator(path):
        calls.append(path)
        if len(calls) == 3:
            raise ValueError("boxes are empty")
        return 1.0

    result = search(model_path, arrays, small_space, evaluator)
    failed = [trial for trial in result.study.trials if trial.state == "failed"]
    assert len(failed) == 1
    assert failed[0].reason.startswith("the evaluator raised ValueError: boxes are empty\n")
    assert 'raise ValueError("boxes are empty")' in failed[0].reason
    assert "test_evaluator.py" in failed[0].reason
    assert quantsearch.Study.load("quantsearch_output/study.db").trial(failed[0].number).reason == failed[0].reason


def test_an_exception_on_the_float_model_is_the_callers(model_path, arrays, small_space):
    error = KeyError("labels")

    def evaluator(path):
        raise error

    with pytest.raises(quantsearch.InvalidInput, match="the evaluator raised KeyError: 'labels'") as raised:
        search(model_path, arrays, small_space, evaluator)
    assert raised.value.__cause__ is error


def test_pruning_is_recorded(model_path, arrays, small_space, monkeypatch):
    pruned = type("TrialPruned", (Exception,), {"__module__": "optuna.exceptions"})
    monkeypatch.setitem(sys.modules, "optuna", types.SimpleNamespace(TrialPruned=pruned))
    calls = []

    def evaluator(path):
        calls.append(path)
        if len(calls) == 2:
            raise quantsearch.TrialPruned("too slow")
        if len(calls) == 3:
            raise pruned
        return 1.0

    result = search(model_path, arrays, small_space, evaluator)
    reasons = [trial.reason for trial in result.study.trials if trial.state == "pruned"]
    assert reasons == ["pruned by the evaluator: too slow", "pruned by the evaluator"]
    assert all(trial.value is None for trial in result.study.trials if trial.state == "pruned")


def test_the_direction_is_that_of_the_evaluator(model_path, arrays, small_space):
    scores = iter([5.0, 4.0, 1.0, 3.0, 2.0])

    def evaluator(path):
        return next(scores)

    result = search(model_path, arrays, small_space, evaluator, direction="minimize")
    assert result.best_trial.value == 1.0


def test_the_configuration_may_hold_the_evaluator(model_path, arrays, small_space):
    class Config(quantsearch.AutoSearchConfig):
        search_space = small_space["search_space"]

        @staticmethod
        def search_evaluator(path):
            return 2.0

    class WithMethod(Config):
        def search_evaluator(self, path):
            return 3.0

    best = [quantsearch.auto_search(model_path, arrays, config=config, progress=False, overwrite=True).best_trial.value
            for config in (Config, Config(), WithMethod())]
    assert best == [2.0, 2.0, 3.0]


@pytest.mark.parametrize("returned", [None, "good", "0.5", [1, 2], 1j, numpy.zeros(2)])
def test_another_result_than_a_number_is_refused(returned, model_path, arrays, small_space):
    with pytest.raises(
        quantsearch.InvalidInput, match="the evaluator returned a value of type .*, expected a number or a mapping of names to numbers"
    ):
        search(model_path, arrays, small_space, lambda path: returned)


@pytest.mark.parametrize("returned", [numpy.float32(0.5), numpy.array(0.5), numpy.array([[0.5]]), fractions.Fraction(1, 2)])
def test_numbers_of_other_kinds_are_scores(returned, model_path):
    assert Evaluator(lambda path: returned)(model_path) == 0.5


def several_scores(errors):
    """An evaluator whose scores differ in `errors`, of which less is better."""
    return lambda path: {"map": 0.5, "recall": numpy.float32(0.75), "errors": next(errors)}


def test_all_of_several_scores_are_recorded_and_the_named_one_decides(model_path, arrays, small_space):
    config = {**small_space, "search_metric": ["errors", "recall"], "search_metric_tolerance": 2.0}
    evaluator = several_scores(iter([0.0, 4.0, 1.0, 3.0, 2.0]))
    result = search(model_path, arrays, config, evaluator, direction={"errors": "minimize"})
    assert result.best_trial.scores["errors"] == result.best_trial.value == 1.0
    assert sorted(trial.value for trial in result.candidates) == [1.0, 2.0]
    assert all({"map", "recall", "errors", "L2"} <= set(trial.scores) for trial in result.study.trials)


def test_the_direction_by_score_may_be_an_attribute(model_path, arrays, small_space):
    evaluator = several_scores(iter([0.0, 4.0, 1.0, 3.0, 2.0]))
    evaluator.direction = {"errors": "minimize"}
    assert search(model_path, arrays, {**small_space, "search_metric": "errors"}, evaluator).best_trial.value == 1.0


def test_one_score_by_name_decides(model_path, arrays, small_space):
    result = search(model_path, arrays, small_space, lambda path: {"map": 0.5})
    assert result.best_trial.value == result.best_trial.scores["map"] == 0.5


@pytest.mark.parametrize(
    ("scores", "metric", "message"),
    [
        ({"map": 0.5, "recall": 0.75}, "auto", "the evaluator gave the scores 'map', 'recall', expected search_metric to name the one that decides"),
        ({"map": 0.5, "recall": 0.75}, "mAP", "search_metric names 'mAP', and the evaluator gave 'map', 'recall'"),
        ({"map": 0.5, "L2": 0.75}, "map", "the evaluator gave a score the name 'L2', which the search uses itself; choose another one"),
        ({"map": float("inf")}, "map", "the custom evaluator returned inf as 'map', expected a finite number"),
        ({"map": None}, "map", "the evaluator returned the score 'map' of type NoneType, expected a number"),
        ({1: 0.5}, "map", "the evaluator returned a score whose name is of type int, expected text as name"),
        ({}, "map", "the evaluator returned an empty mapping, expected at least one score by name"),
    ],
)
def test_scores_that_nothing_can_be_made_of_are_refused(scores, metric, message, model_path, arrays, small_space):
    with pytest.raises(quantsearch.Error, match=message):
        search(model_path, arrays, {**small_space, "search_metric": metric}, lambda path: scores)


def test_not_a_number_is_refused(model_path, arrays, small_space):
    with pytest.raises(quantsearch.IoError, match="returned nan, expected a finite number"):
        search(model_path, arrays, small_space, lambda path: float("nan"))


def test_another_object_is_refused(model_path, arrays, small_space):
    with pytest.raises(quantsearch.InvalidInput, match="got an evaluator of type int, expected a callable"):
        search(model_path, arrays, small_space, 3)
    with pytest.raises(quantsearch.InvalidInput, match="direction 'up', expected 'maximize' or 'minimize'"):
        search(model_path, arrays, small_space, lambda path: 1, direction="up")


def of_two(model_path, images):
    return 1.0


class ForInstances:
    def evaluate(self, session):
        return 1.0


@pytest.mark.parametrize(("evaluator", "remedy"), [(lambda: 1.0, ""), (of_two, ""), (ForInstances, "; pass an instance of the class")])
def test_an_evaluator_of_other_arguments_is_refused_before_the_search(evaluator, remedy, model_path, arrays, small_space):
    expected = r"the evaluator cannot be called with a model alone: .*; expected \(model_path\) -> score or \(session\) -> score" + remedy
    with pytest.raises(quantsearch.InvalidInput, match=expected + "$"):
        search(model_path, arrays, small_space, evaluator)


class Unprintable(Exception):
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("error", "text"), [(Unprintable(), "(its text raised ValueError)"), (ValueError("half \udcff and \0"), "half \\udcff and \\x00")]
)
def test_texts_that_cannot_be_stored_are_escaped(error, text, model_path, arrays, small_space):
    calls = []

    def evaluator(path):
        calls.append(path)
        if len(calls) == 2:
            raise error
        return 1.0

    result = search(model_path, arrays, small_space, evaluator)
    reason = result.study.trials[0].reason
    assert reason.startswith(f"the evaluator raised {type(error).__name__}: {text}\n") and "test_evaluator.py" in reason
    assert quantsearch.Study.load("quantsearch_output/study.db").trial(0).reason == reason


def test_an_evaluator_may_search_itself(model_path, arrays, small_space):
    def evaluator(path):
        quantsearch.quantize(model_path, arrays, config="A8W8")
        return quantsearch.evaluate(model_path, path, arrays, metrics="cos").scores["cos"]

    assert [trial.state for trial in search(model_path, arrays, small_space, evaluator).study.trials] == ["complete"] * 4


def test_several_trials_at_the_same_time(model_path, arrays, small_space):
    result = search(model_path, arrays, {**small_space, "n_jobs": 2}, lambda path: 1.0, threads=2)
    assert [trial.state for trial in result.study.trials] == ["complete"] * 4


def test_a_built_in_task_decides(model_path, arrays, small_space):
    result = quantsearch.auto_search(
        model_path,
        arrays,
        config={**small_space, "search_evaluator": "classification", "search_metric": "accuracy_top5"},
        progress=False,
    )
    assert all(trial.scores["accuracy_top5"] == trial.value for trial in result.study.trials)
    assert all("accuracy_top1" in trial.scores for trial in result.study.trials)


def test_a_task_is_checked(model_path, arrays, small_space):
    config = {**small_space, "search_evaluator": {"task": "clasification"}}
    with pytest.raises(quantsearch.InvalidInput, match="unknown task 'clasification'; nearest known: 'classification'"):
        quantsearch.auto_search(model_path, arrays, config=config, progress=False)
