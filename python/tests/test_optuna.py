"""The sampler for Optuna, by Optuna's own tests of samplers."""

import pytest

optuna = pytest.importorskip("optuna")
cases = pytest.importorskip("optuna.testing.pytest_samplers")

from quantsearch.optuna import Sampler  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.ERROR)


def suite(name, *bases):
    class Suite(*bases):
        @pytest.fixture
        def sampler(self):
            return lambda: Sampler(name, seed=0)

    Suite.__name__ = Suite.__qualname__ = f"Test{name.capitalize()}"
    return Suite


BOTH = (cases.BasicSamplerTestCase, cases.RelativeSamplerTestCase, cases.MultiObjectiveSamplerTestCase)
TestTpe = suite("tpe", *BOTH)
TestNsga = suite("nsga", *BOTH)
TestGp = suite("gp", *BOTH)
TestAuto = suite("auto", *BOTH)
TestRandom = suite("random", *BOTH)
TestQmc = suite("qmc", *BOTH)
TestCma = suite("cma", cases.BasicSamplerTestCase, cases.RelativeSamplerTestCase, cases.SingleOnlySamplerTestCase)


def test_it_learns_in_an_optuna_study():
    study = optuna.create_study(sampler=Sampler("tpe", seed=1))
    study.optimize(lambda trial: (trial.suggest_float("x", -10, 10) - 2) ** 2 + trial.suggest_int("n", 0, 3), n_trials=50)
    assert study.best_value < 0.5


def test_constraints_are_kept_and_respected():
    sampler = Sampler("tpe", seed=1, constraints_func=lambda trial: [trial.params["x"] - 0.5])
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: -trial.suggest_float("x", 0, 1), n_trials=40)
    assert study.trials[0].system_attrs["constraints"] == [study.trials[0].params["x"] - 0.5]
    late = [trial.params["x"] for trial in study.trials[20:]]
    assert sum(x <= 0.5 for x in late) > len(late) / 2
