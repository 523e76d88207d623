"""Studies of functions of one's own."""

import threading

import pytest
import quantsearch
from quantsearch.search import Sampler, TrialState, create_study


def objective(trial):
    x = trial.suggest_float("x", -10, 10)
    n = trial.suggest_int("n", 1, 100, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    return (x - 2) ** 2 + 0.01 * abs(n - 10) + (kind == "a")


@pytest.mark.parametrize("name", ["tpe", "gp", "cma", "nsga", "qmc", "random", "auto"])
def test_every_sampler_runs_and_repeats_with_its_seed(name):
    found = []
    for _ in range(2):
        study = create_study(sampler=Sampler(name, seed=5))
        study.optimize(objective, n_trials=25)
        found.append([(trial.params, trial.value) for trial in study.trials])
    assert found[0] == found[1]
    assert all(trial.state is TrialState.COMPLETE for trial in study.trials)
    assert study.best_value == min(trial.value for trial in study.trials)


def test_the_default_sampler_comes_close():
    study = create_study()
    study.optimize(objective, n_trials=80)
    assert study.best_value < 0.5
    assert abs(study.best_params["x"] - 2) < 1 and study.best_params["kind"] == "b"


def test_directions_and_best_trials():
    study = create_study(direction="maximize")
    study.optimize(lambda trial: -abs(trial.suggest_float("x", -1, 1)), n_trials=30)
    assert study.best_value == max(trial.value for trial in study.trials) > -0.1
    several = create_study(directions=["minimize", "maximize"], sampler="nsga")
    several.optimize(lambda trial: (trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)), n_trials=30)
    front = several.best_trials
    assert front and all(len(trial.values) == 2 for trial in front)
    for a in front:
        assert not any(b.values[0] < a.values[0] and b.values[1] > a.values[1] for b in several.trials)
    with pytest.raises(quantsearch.InvalidInput, match="with several objectives use best_trials"):
        several.best_trial


def test_conditional_parameters_are_learned():
    def conditional(trial):
        if trial.suggest_categorical("kind", ["a", "b"]) == "a":
            return 1 + trial.suggest_float("x", 0, 1)
        return trial.suggest_float("y", 0, 1)

    study = create_study(sampler=Sampler("tpe", seed=1))
    study.optimize(conditional, n_trials=60)
    assert study.best_params["kind"] == "b" and study.best_value < 0.05
    joint = create_study(sampler=Sampler("gp", seed=1))
    joint.optimize(conditional, n_trials=20)
    assert joint.best_params["kind"] == "b"


def test_failures_pruning_and_constraints_are_recorded():
    def risky(trial):
        x = trial.suggest_float("x", 0, 1)
        if trial.number == 1:
            raise ValueError("broken")
        if trial.number == 2:
            trial.report(0.7, step=1)
            raise quantsearch.TrialPruned
        if trial.number == 3:
            return float("nan")
        trial.set_constraints([x - 0.5])
        return -x

    study = create_study()
    study.optimize(risky, n_trials=20, catch=ValueError)
    assert [trial.state.name for trial in study.trials[:4]] == ["COMPLETE", "FAIL", "PRUNED", "FAIL"]
    assert study.best_params["x"] <= 0.5
    with pytest.raises(ValueError, match="broken"):
        create_study().optimize(risky, n_trials=2)


def test_ask_and_tell_and_queued_parameters():
    study = create_study()
    study.enqueue_trial({"x": 3.0})
    first = study.ask()
    assert first.suggest_float("x", -10, 10) == 3.0
    assert first.suggest_float("x", -10, 10) == 3.0
    with pytest.raises(quantsearch.InvalidInput, match="'x' was asked for with another range"):
        first.suggest_float("x", 0, 1)
    study.tell(first, 1.0)
    with pytest.raises(quantsearch.InvalidInput, match="trial 0 has ended already"):
        study.tell(first, 1.0)
    assert study.best_params == {"x": 3.0}


def test_callbacks_may_stop_the_study_and_jobs_run_in_threads():
    study = create_study()
    study.optimize(objective, n_trials=50, callbacks=[lambda study, trial: study.stop() if trial.number == 4 else None])
    assert len(study.trials) == 5
    barrier = threading.Barrier(2, timeout=20)

    def together(trial):
        barrier.wait()
        return trial.suggest_float("x", 0, 1)

    parallel = create_study()
    parallel.optimize(together, n_trials=10, n_jobs=2)
    assert len(parallel.trials) == 10 and all(trial.value is not None for trial in parallel.trials)


def test_bad_arguments_are_refused():
    with pytest.raises(quantsearch.Unsupported, match="kept in memory; use optuna.create_study"):
        create_study(storage="sqlite:///study.db")
    with pytest.raises(quantsearch.InvalidInput, match="expected 'minimize' or 'maximize'"):
        create_study(direction="up")
    with pytest.raises(quantsearch.InvalidInput, match="got the sampler 'tpf', expected one of 'tpe'"):
        create_study(sampler="tpf")
    with pytest.raises(quantsearch.InvalidInput, match="takes one objective, got 2"):
        study = create_study(directions=["minimize", "minimize"], sampler="cma")
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1),) * 2, n_trials=2)
    with pytest.raises(quantsearch.InvalidInput, match="returned a value of type str, expected a number"):
        create_study().optimize(lambda trial: "good", n_trials=1)
    with pytest.raises(quantsearch.InvalidInput, match="got 2 values for 1 objectives"):
        create_study().optimize(lambda trial: [1, 2], n_trials=1)


def test_trials_become_a_data_frame():
    pytest.importorskip("pandas")
    study = create_study()
    study.optimize(objective, n_trials=3)
    assert list(study.trials_dataframe().columns) == ["number", "state", "seconds", "value", "params_x", "params_n", "params_kind"]
