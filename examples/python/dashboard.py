"""Writes a study that Optuna's dashboard shows.

    pip install optuna-dashboard
    python dashboard.py
    optuna-dashboard sqlite:///dashboard/study.db

The dashboard may run while the search does. Studies of functions of your own (quantsearch.search) can be stored in the same file.
"""

import pathlib

import quantsearch
from quantsearch.search import create_study

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "fashion_mnist"


def main(model=SHIPPED / "mobilenet_s.onnx", calibration=SHIPPED / "calibration_100.npz"):
    config = quantsearch.AutoSearchConfig(
        search_space={"calibrate_method": ["MinMax", "Percentile"], "activation_type": ["QUInt8", "QInt8"]}, study_name="quantization"
    )
    quantsearch.auto_search(model, calibration, config=config, output="dashboard")

    study = create_study(storage="sqlite:///dashboard/study.db", study_name="function")
    study.optimize(lambda trial: (trial.suggest_float("x", -10, 10) - 2) ** 2, n_trials=10)
    for found in quantsearch.list_studies("dashboard/study.db"):
        print(found["name"], found["trials"], "trials")


if __name__ == "__main__":
    main()
