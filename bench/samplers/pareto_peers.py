#!/usr/bin/env python3
"""Measures the hypervolume that Optuna's samplers reach on the problems of multi_problems.cc.

    bench/samplers/pareto_peers.py [--samplers nsga2,nsga3,tpe] [--problems zdt1,osy] [--seeds 21] [--trials 1000]

Prints the median over the seeds of the share of the box between ideal and reference point, after 100, 200, 500 and
1000 trials. The documentation quotes results of Optuna 5.
"""

import argparse
import math
import statistics

import numpy
import optuna
from optuna._hypervolume import compute_hypervolume

MOMENTS = [100, 200, 500, 1000]
SENSITIVITY = [5.4223, 0.6275, 1.0334, 1.5031, 0.4543, 1.0021, 0.9991, 0.1730, 2.7667, 1.8230, 0.5350, 0.8424]
SIZE = [1.2881, 1.9096, 1.2134, 1.4521, 1.9312, 1.0249, 1.6005, 1.9501, 1.2303, 1.5485, 1.9091, 1.1332]


def reals(trial, bounds):
    return [trial.suggest_float(f"x{i}", low, high) for i, (low, high) in enumerate(bounds)]


def zdt(front):
    def values(trial):
        x = reals(trial, [(0, 1)] * 10)
        g = 1 + 9 * sum(x[1:]) / 9
        return [x[0], g * front(x[0], x[0] / g)], []
    return values


def dtlz2(trial):
    x = reals(trial, [(0, 1)] * 7)
    r = 1 + sum((v - 0.5) ** 2 for v in x[2:])
    a, b = x[0] * math.pi / 2, x[1] * math.pi / 2
    return [r * math.cos(a) * math.cos(b), r * math.cos(a) * math.sin(b), r * math.sin(a)], []


def osy(trial):
    x = reals(trial, [(0, 10), (0, 10), (1, 5), (0, 6), (1, 5), (0, 10)])
    first = -(25 * (x[0] - 2) ** 2 + (x[1] - 2) ** 2 + (x[2] - 1) ** 2 + (x[3] - 4) ** 2 + (x[4] - 1) ** 2)
    constraints = [2 - x[0] - x[1], x[0] + x[1] - 6, x[1] - x[0] - 2, x[0] - 3 * x[1] - 2,
                   (x[2] - 3) ** 2 + x[3] - 4, 4 - (x[4] - 3) ** 2 - x[5]]
    return [first, sum(v * v for v in x)], constraints


def ints(trial):
    one, other = [3, 17, 10, 5, 8, 14, 1, 20, 12, 6], [9, 4, 10, 15, 2, 14, 18, 7, 0, 13]
    x = [trial.suggest_int(f"x{i}", 0, 20) for i in range(10)]
    return [sum(abs(a - b) ** 1.5 / 10 for a, b in zip(x, target)) for target in (one, other)], []


def quant15(trial):
    formats = [trial.suggest_categorical(f"f{i}", [0, 1, 2, 3]) for i in range(12)]
    group = trial.suggest_int("group", 16, 256, log=True)
    alpha, clip = trial.suggest_float("alpha", 0, 1), trial.suggest_float("clip", 0.7, 1)
    error = sum(s * (1, 0.35, 0.06, 0.01)[f] for s, f in zip(SENSITIVITY, formats))
    bits = sum(z * (3, 4, 6, 8)[f] for z, f in zip(SIZE, formats)) / sum(SIZE)
    coarse = 1 + 0.15 * math.log2(group / 32) ** 2 if group > 32 else 1 + 0.05 * math.log2(32 / group)
    return [error * coarse * (1 + 2 * (alpha - 0.55) ** 2) * (1 + 8 * (clip - 0.93) ** 2), bits + 16 / group], []


PROBLEMS = {  # values, ideal, reference
    "zdt1": (zdt(lambda x, q: 1 - math.sqrt(q)), [0, 0], [1.1, 6]),
    "zdt2": (zdt(lambda x, q: 1 - q * q), [0, 0], [1.1, 6]),
    "zdt3": (zdt(lambda x, q: 1 - math.sqrt(q) - q * math.sin(10 * math.pi * x)), [0, -1], [1.1, 6]),
    "dtlz2": (dtlz2, [0, 0, 0], [1.5, 1.5, 1.5]),
    "osy": (osy, [-280, 0], [0, 100]),
    "ints": (ints, [0, 0], [30, 30]),
    "quant15": (quant15, [0, 3], [15, 8]),
}


def sampler_of(name, seed):
    if name == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed)
    if name == "nsga3":
        return optuna.samplers.NSGAIIISampler(seed=seed)
    return {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}[name](seed=seed)


def run(problem, name, seed, trials):
    values, ideal, reference = PROBLEMS[problem]
    feasible = []
    study = optuna.create_study(directions=["minimize"] * len(ideal), sampler=sampler_of(name, seed))
    shares = []
    for number in range(1, trials + 1):
        trial = study.ask()
        objectives, constraints = values(trial)
        for i, constraint in enumerate(constraints):
            trial.set_constraint(f"c{i}", constraint)
        study.tell(trial, objectives)
        if all(c <= 0 for c in constraints):
            feasible.append(objectives)
        if number in MOMENTS:
            inside = [f for f in feasible if all(a < b for a, b in zip(f, reference))]
            volume = compute_hypervolume(numpy.array(inside), numpy.array(reference, float)) if inside else 0.0
            shares.append(volume / math.prod(r - i for r, i in zip(reference, ideal)))
    return shares


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samplers", default="nsga2")
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=21)
    parser.add_argument("--trials", type=int, default=1000)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for problem in options.problems.split(","):
        for name in options.samplers.split(","):
            runs = [run(problem, name, seed, options.trials) for seed in range(options.seeds)]
            medians = [statistics.median(moment) for moment in zip(*runs)]
            print(f"{problem:8} {name:36}", *(f"{median:8.4f}" for median in medians), flush=True)


if __name__ == "__main__":
    main()
