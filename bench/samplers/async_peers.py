#!/usr/bin/env python3
"""Measures what several workers lose in regret with Optuna's samplers, as regret_bench does with ours.

    bench/samplers/async_peers.py [--samplers random,tpe,cma,gp] [--problems branin,hartmann6,quant15]
                                  [--workers 1,4,16,64] [--seeds 21] [--trials 200] [--processes 1]

Trials take log-normal durations in simulated time; each worker asks for its next trial as soon as its last one was told.
TPE counts running trials as bad (constant_liar) and draws jointly (multivariate), as ours does. A row has the median and
the quartiles of the regret after all trials and the ratio of the median to that of the first number of workers.
Needs optuna, cmaes and, for gp, torch. The documentation quotes results of Optuna 5.
"""

import argparse
import heapq
import math
import multiprocessing
import random
import statistics
import warnings

import optuna

from pareto_peers import quant15 as quant15_values

HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
              [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]]


def branin(trial):
    x, y = trial.suggest_float("x0", -5, 10), trial.suggest_float("x1", 0, 15)
    valley = y - 5.1 / (4 * math.pi ** 2) * x * x + 5 / math.pi * x - 6
    return valley ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887


def hartmann6(trial):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    value = 3.32237
    for alpha, a, p in zip((1, 1.2, 3, 3.2), HARTMANN_A, HARTMANN_P):
        value -= alpha * math.exp(-sum(w * (v - c) ** 2 for w, v, c in zip(a, x, p)))
    return value


def shifted(dimensions, term):
    def value(trial):
        x = [trial.suggest_float(f"x{i}", -5, 5) for i in range(dimensions)]
        return sum(term(i, v - 5 * 0.37 * math.cos(1.7 * i)) for i, v in enumerate(x))
    return value


def quant15(trial):
    (loss, bits), _ = quant15_values(trial)
    return loss + 5 * max(0, bits - 4.5)


def int10(trial):
    x = [trial.suggest_int(f"x{i}", 0, 20) for i in range(8)]
    a, b = trial.suggest_float("a", 1e-6, 1, log=True), trial.suggest_float("b", 1e-6, 1, log=True)
    steps = sum(abs(v - t) ** 1.5 / 10 for v, t in zip(x, (3, 17, 10, 5, 8, 14, 1, 20)))
    return steps + (math.log10(a) + 3) ** 2 + (math.log10(b) + 4) ** 2 / 2


PROBLEMS = {  # value, least
    "branin": (branin, 0),
    "hartmann6": (hartmann6, 0),
    "sphere5": (shifted(5, lambda _, z: z * z), 0),
    "ellips10": (shifted(10, lambda i, z: 10 ** (6 * i / 9) * z * z), 0),
    "quant15": (quant15, 3.953810559),
    "int10": (int10, 0),
}


def sampler_of(name, seed):
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True, multivariate=True)
    return {"random": optuna.samplers.RandomSampler, "cma": optuna.samplers.CmaEsSampler,
            "gp": optuna.samplers.GPSampler}[name](seed=seed)


def run(job):
    problem, name, workers, trials, seed = job
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    value, least = PROBLEMS[problem]
    study = optuna.create_study(sampler=sampler_of(name, seed))
    ends, begun, now, best = [], 0, 0.0, math.inf
    for _ in range(trials):
        while begun < trials and len(ends) < workers:
            trial = study.ask()
            duration = random.Random(f"{seed}/{begun}").lognormvariate(0, 0.5)
            heapq.heappush(ends, (now + duration, begun, trial, value(trial)))
            begun += 1
        now, _, trial, result = heapq.heappop(ends)
        study.tell(trial, result)
        best = min(best, result)
    return best - least


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samplers", default="random,tpe,cma,gp")
    parser.add_argument("--problems", default="branin,hartmann6,quant15")
    parser.add_argument("--workers", default="1,4,16,64")
    parser.add_argument("--seeds", type=int, default=21)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    print(f"{'problem':10} {'sampler':8} {'workers':>7} {'lower':>10} {'median':>10} {'upper':>10} {'ratio':>7}")
    with multiprocessing.Pool(options.processes) as pool:
        for problem in options.problems.split(","):
            for name in options.samplers.split(","):
                base = None
                for workers in map(int, options.workers.split(",")):
                    jobs = [(problem, name, workers, options.trials, seed) for seed in range(options.seeds)]
                    lower, median, upper = statistics.quantiles(pool.map(run, jobs, 1), n=4, method="inclusive")
                    base = median if base is None else base
                    print(f"{problem:10} {name:8} {workers:7} {lower:10.3g} {median:10.3g} {upper:10.3g} {median / base:7.2f}",
                          flush=True)


if __name__ == "__main__":
    main()
