"""Studies of functions of one's own."""

import threading

import pytest
import quantsearch
from quantsearch.optimizers import FloatRange, IntRange
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
    with pytest.raises(quantsearch.Unsupported, match="got the storage 'mysql://host/studies', expected a file, sqlite:///FILE or postgresql"):
        create_study(storage="mysql://host/studies")
    with pytest.raises(quantsearch.InvalidInput, match="got a storage of type int, expected a file"):
        create_study(storage=3)
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


def test_a_stored_study_is_continued_with_what_it_learned():
    first = create_study(storage="sqlite:///function.db", study_name="f", sampler=Sampler("tpe", seed=3))
    first.optimize(objective, n_trials=30)
    again = create_study(storage="function.db", study_name="f", load_if_exists=True, sampler=Sampler("tpe", seed=3))
    assert [(trial.params, trial.value, trial.state) for trial in again.trials] == [(trial.params, trial.value, trial.state) for trial in first.trials]
    assert again.trials[0].distributions == {"x": FloatRange(-10, 10), "n": IntRange(1, 100, log=True), "kind": ["a", "b"]}
    in_memory = create_study(sampler=Sampler("tpe", seed=3))
    in_memory.optimize(objective, n_trials=35)
    again.optimize(objective, n_trials=5)
    assert [trial.params for trial in again.trials] == [trial.params for trial in in_memory.trials]
    with pytest.raises(quantsearch.InvalidInput, match="has a study 'f' already; pass load_if_exists=True to continue it"):
        create_study(storage="function.db", study_name="f")
    with pytest.raises(quantsearch.InvalidInput, match="got the goals MINIMIZE, expected MAXIMIZE"):
        create_study(storage="function.db", study_name="f", load_if_exists=True, direction="maximize")


def test_what_an_objective_notes_is_stored():
    def noting(trial):
        x = trial.suggest_float("x", 0, 1, step=0.25)
        trial.set_user_attr("note", {"steps": [1, 2]})
        trial.report(0.5, step=1)
        trial.report(0.25, step=3)
        trial.set_constraints([x - 2])
        if trial.number == 1:
            raise quantsearch.TrialPruned
        if trial.number == 2:
            raise ValueError("broken")
        return x, 1 - x

    study = create_study(directions=["minimize", "maximize"], storage="noted.db", sampler="random")
    study.optimize(noting, n_trials=3, catch=ValueError)
    read = create_study(directions=["minimize", "maximize"], storage="noted.db", load_if_exists=True).trials
    assert [trial.state for trial in read] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]
    assert read[0] == study.trials[0] and read[0].seconds > 0
    assert read[1].user_attrs == {"note": {"steps": [1, 2]}} and read[1].intermediate_values == {1: 0.5, 3: 0.25}
    assert read[1].values is None and read[0].constraints == [read[0].params["x"] - 2]


def test_two_studies_in_one_storage_share_their_trials():
    one = create_study(storage="shared.db", sampler=Sampler("tpe", seed=1))
    other = create_study(storage="shared.db", load_if_exists=True, sampler=Sampler("tpe", seed=2))
    for _ in range(4):
        one.optimize(objective, n_trials=1)
        other.optimize(objective, n_trials=1)
    assert [trial.number for trial in one.trials] == [trial.number for trial in other.trials] == list(range(8))
    assert one.best_value == other.best_value
    assert one.best_value == min(trial.value for trial in other.trials)


def test_what_cannot_be_stored_is_refused():
    study = create_study(storage="refused.db")
    with pytest.raises(quantsearch.InvalidInput, match="'kind' has choices that cannot be stored, expected texts, numbers"):
        study.optimize(lambda trial: len(trial.suggest_categorical("kind", [(1, 2), (3,)])), n_trials=1)


def test_a_study_of_optuna_is_continued():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    theirs = optuna.create_study(storage="sqlite:///theirs.db", study_name="f")
    theirs.optimize(objective, n_trials=4)
    ours = create_study(storage="sqlite:///theirs.db", study_name="f", load_if_exists=True)
    assert [trial.params for trial in ours.trials] == [trial.params for trial in theirs.trials]
    ours.optimize(objective, n_trials=4)
    read = optuna.load_study(storage="sqlite:///theirs.db", study_name="f")
    assert [trial.value for trial in read.trials] == [trial.value for trial in ours.trials]
    assert read.best_params == ours.best_params
    assert read.trials[6].duration is not None


def test_trials_become_a_data_frame():
    pytest.importorskip("pandas")
    study = create_study()
    study.optimize(objective, n_trials=3)
    assert list(study.trials_dataframe().columns) == ["number", "state", "seconds", "value", "params_x", "params_n", "params_kind"]
