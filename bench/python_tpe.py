#!/usr/bin/env python3
"""Measures the processor time of 1000 trials of TPE over 20 parameters from Python: ask/tell, a study, the sampler inside Optuna, and
Optuna's own TPE sampler.

    python bench/python_tpe.py [--trials 1000] [--without-optuna]
"""

import argparse
import time

from quantsearch import optimizers
from quantsearch.search import Sampler, create_study

PARAMETERS = 20


def objective(trial):
    return sum((trial.suggest_float(f"x{index}", -5, 5) - index / 4) ** 2 for index in range(PARAMETERS))


def ask_tell(trials):
    domain = {f"x{index}": optimizers.FloatRange(-5, 5) for index in range(PARAMETERS)}
    optimizer = optimizers.tpe_optimizer(domain, seed=1)
    for _ in range(trials):
        proposal = optimizer.ask()
        optimizer.tell(proposal, sum((proposal.values[f"x{index}"] - index / 4) ** 2 for index in range(PARAMETERS)))


def study(trials):
    create_study(sampler=Sampler("tpe", seed=1)).optimize(objective, n_trials=trials)


def in_optuna(make_sampler):
    def run(trials):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        optuna.create_study(sampler=make_sampler()).optimize(objective, n_trials=trials)

    return run


def plug_in():
    from quantsearch.optuna import Sampler as PlugIn

    return PlugIn("tpe", seed=1)


def own():
    import optuna

    return optuna.samplers.TPESampler(seed=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--without-optuna", action="store_true")
    arguments = parser.parse_args()
    runs = {"ask/tell": ask_tell, "study": study}
    if not arguments.without_optuna:
        runs.update({"sampler inside Optuna": in_optuna(plug_in), "Optuna's TPE": in_optuna(own)})
    for name, run in runs.items():
        begin = time.process_time()
        run(arguments.trials)
        print(f"{name:<24}{time.process_time() - begin:8.2f} s", flush=True)


if __name__ == "__main__":
    main()
