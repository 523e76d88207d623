#!/usr/bin/env python3
"""Checks that Optuna and quantsearch read and continue each other's studies.

    bench/peers/optuna_studies.py STUDY_WRITER [postgresql+psycopg2://...]

STUDY_WRITER is build/bench/study_writer. It needs an environment with `optuna` (and `psycopg2-binary` for a server)
and checks the installed version. Prints one line for each claim and exits with 1 when one does not hold.
"""

import json
import math
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import uuid

import optuna

FAILURES = []
METHODS = ["MinMax", "Percentile", None, True, 3, 2.5]
JOINT = ["[100,0.1]", "[1000,0.01]"]


def claim(what, holds):
    print(("ok    " if holds else "FAILS ") + what)
    if not holds:
        FAILURES.append(what)


def run(writer, database, study, trials):
    result = subprocess.run([writer, database, study, str(trials)], capture_output=True, text=True)
    if result.returncode != 0:
        print(result.stderr, file=sys.stderr)
    return result.returncode == 0 and result.stdout.strip()


def value(x, iterations, joint):
    return 1 - x * x + 0.01 * math.log(iterations) + 0.1 * JOINT.index(joint)


def objective(trial):
    trial.suggest_categorical("method", METHODS)
    joint = trial.suggest_categorical("joint", JOINT)
    x = trial.suggest_float("x", -1, 1)
    iterations = trial.suggest_int("iterations", 1, 100, log=True)
    trial.set_user_attr("note", {"far": float("inf")})
    return value(x, iterations, joint)


def optuna_reads_ours(writer, database, url):
    name = "ours " + uuid.uuid4().hex
    claim("we write a study", run(writer, database, name, 40) == "0 before, 40 after")
    study = optuna.load_study(study_name=name, storage=url)
    trials = study.get_trials()
    claim("optuna sees 40 trials, numbered in turn", [t.number for t in trials] == list(range(40)))
    claim("directions and metric names", [d.name for d in study.directions] == ["MAXIMIZE"] and study.metric_names == ["score"])
    states = [t.state.name for t in trials]
    claim("states", states == ["FAIL" if n % 7 == 5 else "COMPLETE" for n in range(40)])
    complete = [t for t in trials if t.state.name == "COMPLETE"]
    claim("values are those of the parameters",
          all(abs(t.value - value(t.params["x"], t.params["iterations"], t.params["joint"])) < 1e-12 for t in complete))
    claim("choices keep their types", all(any(c is m or (type(c) is type(m) and c == m) for m in METHODS)
                                          for c in (t.params["method"] for t in trials)))
    best = max(complete, key=lambda t: t.value)
    claim("best_trial", study.best_trial.number == best.number and study.best_trial.value == best.value)
    claim("details and constraints", all(t.user_attrs["size_bytes"] == 1000 + t.number for t in trials)
          and all(t.system_attrs["constraints"] == [-1.0 if t.number % 3 == 0 else 0.0] for t in complete))
    claim("durations", all(abs(t.duration.total_seconds() - 0.5) < 0.4 for t in trials))
    importances = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    claim(f"importances: {({k: round(v, 3) for k, v in importances.items()})}", max(importances, key=importances.get) == "x")
    memory = optuna.create_study(direction="maximize")
    memory.add_trials(trials)
    same = optuna.importance.get_param_importances(memory, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    claim("importances are those of the same trials in memory", all(abs(importances[k] - same[k]) < 1e-12 for k in same))
    study.optimize(objective, n_trials=15)
    claim("optuna continues it", [t.number for t in study.get_trials()] == list(range(55)))
    claim("and we go on after it", run(writer, database, name, 10) == "55 before, 65 after")
    claim("and it reads that", len(optuna.load_study(study_name=name, storage=url).get_trials()) == 65)


def we_read_optunas(writer, database, url):
    name = "theirs " + uuid.uuid4().hex
    study = optuna.create_study(study_name=name, storage=url, direction="maximize")
    study.optimize(objective, n_trials=20)
    claim("we continue a study of optuna's", run(writer, database, name, 10) == "20 before, 30 after")
    again = optuna.load_study(study_name=name, storage=url)
    claim("optuna sees all of it", [t.number for t in again.get_trials()] == list(range(30)))
    claim("which is ours now", again.user_attrs["fingerprint"] == {"model": "of the check"})
    again.optimize(objective, n_trials=5)
    claim("and goes on", run(writer, database, name, 1) == "35 before, 36 after")


def schemas_agree(writer, folder):
    ours, theirs = folder / "ours.db", folder / "theirs.db"
    run(writer, str(ours), "schema", 1)
    optuna.create_study(storage=f"sqlite:///{theirs}")

    def schema(file):
        with sqlite3.connect(file) as connection:
            rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()
        return [(*row[:3], row[3] and "".join(row[3].split())) for row in rows]

    claim("the schema is the same, white space aside", schema(ours) == schema(theirs))


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("optuna", optuna.__version__)
    writer = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        schemas_agree(writer, folder)
        for database in [str(folder / "study.db"), str(folder / "optunas.db")] + sys.argv[2:]:
            url = database if database.startswith("postgres") else f"sqlite:///{database}"
            print(url.split("://")[0])
            # Each program creates the tables of one of the files.
            if database.endswith("optunas.db"):
                we_read_optunas(writer, database, url)
                optuna_reads_ours(writer, database, url)
            else:
                optuna_reads_ours(writer, database, url)
                we_read_optunas(writer, database, url)
    print(json.dumps({"failures": FAILURES}))
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
