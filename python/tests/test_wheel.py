"""The wheel in an environment that has nothing but numpy and onnxruntime from the registry.

scripts/test_python builds the wheel and names it in QUANTSEARCH_TEST_WHEEL.
"""

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import ROOT, real_model

EXAMPLES = ROOT / "examples" / "python"


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory):
    """The interpreter of a new environment with the wheel and what it requires."""
    wheel = os.environ.get("QUANTSEARCH_TEST_WHEEL")
    if not wheel:
        pytest.skip("QUANTSEARCH_TEST_WHEEL names no wheel; scripts/test_python builds one")
    folder = tmp_path_factory.mktemp("clean") / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
    return python


def run(python, *arguments):
    """Runs the interpreter without a variable of the caller's, so without a compiler and without the set-up folder."""
    home = pathlib.Path.cwd() / "home"
    home.mkdir(exist_ok=True)
    variables = {"PATH": str(python.parent), "HOME": str(home)}
    done = subprocess.run([python, "-I", *map(str, arguments)], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_else_is_installed(clean_python):
    listed = run(clean_python, "-c", "import importlib.metadata as m; print(*sorted(d.metadata['Name'].lower() for d in m.distributions()))")
    assert {"numpy", "onnxruntime", "quantsearch"} <= set(listed.split())
    assert not {"onnx", "nanobind", "scikit-build-core"} & set(listed.split())


def test_a_search_loads_libraries_of_the_environment_and_of_the_c_runtime_only(clean_python, tmp_path):
    code = f"""
import runpy, sys
sys.argv = ["first_search.py"]
runpy.run_path({str(EXAMPLES / "first_search.py")!r}, run_name="__main__")
import quantsearch
print("mapped:", *sorted({{line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}}))
"""
    printed = run(clean_python, "-c", code)
    assert (tmp_path / "first_search" / "best.onnx").exists()
    mapped = printed.split("mapped:")[1].split()
    own = [str(clean_python.parents[1]), *{sys.base_prefix, os.path.realpath(sys.base_prefix)}]
    others = {pathlib.Path(file).name.split(".so")[0].split("-")[0] for file in mapped if not file.startswith(tuple(own))}
    # What every program in C++ and the interpreter itself need.
    system = {"ld", "libc", "libm", "libdl", "librt", "libpthread", "libutil", "libgcc_s", "libstdc++"}
    interpreter = {"libpython3", f"libpython3.{sys.version_info[1]}", "libz", "libexpat", "libffi", "libcrypto", "libssl", "liblzma", "libbz2"}
    assert others <= system | interpreter | {"libuuid", "libreadline", "libtinfo"}


def test_a_detector_is_searched_with_its_own_post_processing(clean_python, tmp_path):
    folder = real_model("nudenet_yolov8n")
    code = f"""
import pickle, sys
sys.path.insert(0, {str(EXAMPLES)!r})
import detector, numpy, onnxruntime
result = detector.main({str(folder / "model.onnx")!r}, {str(folder / "calibration.npz")!r}, {str(folder / "evaluation.npz")!r})
print("best value:", result.best_trial.value)
images = numpy.load({str(folder / "evaluation.npz")!r})["images"]
session = onnxruntime.InferenceSession(str(result.best_model))
print("largest score:", max(float(session.run(None, {{"images": image[None]}})[0][0, 4:].max()) for image in images))
"""
    printed = run(clean_python, "-c", code)
    after = dict(line.split(": ", 1) for line in printed.splitlines() if ": " in line)
    assert int(after["boxes of the float model"]) > 0
    assert float(after["best value"]) > 0.9  # the same boxes with nearly the same scores
    assert float(after["largest score"]) > 0.5
