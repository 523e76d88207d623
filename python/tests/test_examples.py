"""The scripts of examples/python run."""

import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import pytest
from conftest import ROOT

EXAMPLES = ROOT / "examples" / "python"


def run(script, *arguments):
    done = subprocess.run([sys.executable, EXAMPLES / script, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_first_search(tmp_path):
    printed = run("first_search.py")
    assert str(pathlib.Path("first_search", "best.onnx")) in printed
    assert (tmp_path / "first_search" / "report.html").exists()


def test_an_evaluator_of_ones_own():
    printed = run("own_evaluator.py")
    values = [float(line.split()[0]) for line in printed.splitlines() if re.match(r"0\.\d{4}  \{", line)]
    assert len(values) == 6 and values == sorted(values, reverse=True)
    assert "the float model: 0." in printed


def test_a_reader_of_ones_own(tmp_path):
    assert "best (trial" in run("own_reader.py")
    assert (tmp_path / "own_reader" / "best.onnx").exists()


def test_limits_on_size_latency_and_loss():
    printed = run("limits.py")
    assert len(re.findall(r"^trial \d: top1 0\.\d+, \d+ bytes, ", printed, re.MULTILINE)) == 8
    bytes_of_best, float_bytes = map(int, re.search(r"best: trial \d, (\d+) of (\d+) bytes", printed).groups())
    assert bytes_of_best <= float_bytes // 2
    assert "beyond a limit" in printed and "within the limits" in printed


def test_a_search_that_is_resumed():
    lines = run("resume.py").splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("trial")] == [f"trial {number} of {total}" for number, total in zip(range(6), (2, 2, 6, 6, 6, 6))]
    assert lines[2] == "iteration limit reached: 2 of 2 trials"
    assert re.fullmatch(r"6 trials, the best is \d", lines[-1])


@pytest.fixture
def postgresql():
    """The address of a server that runs for the test."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    found = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    if not found:
        pytest.skip("PostgreSQL is not installed")
    programs = found[-1]
    # The path of the socket may have 107 characters, and root may not run the server.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="qs_pg_"))
    user = None
    if os.getuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        shutil.chown(folder, user)
    data = folder / "data"
    options = {"user": user, "extra_groups": []} if user else {}
    # The runtime of the address sanitizer, which scripts/test_python --asan loads first, hangs in programs of PostgreSQL.
    options["env"] = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    subprocess.run([programs / "initdb", "-D", data, "-U", "tester", "-A", "trust"], check=True, capture_output=True, cwd=folder, **options)
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **options,
    )
    try:
        ready = [programs / "pg_isready", "-h", folder, "-U", "tester"]
        while subprocess.run(ready, capture_output=True, env=options["env"]).returncode != 0:
            assert server.poll() is None, "the server ended"
        yield f"postgresql://tester@/postgres?host={folder}"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def test_several_processes_share_a_search(postgresql):
    printed = run("several_processes.py", postgresql)
    assert len(re.findall(r"^worker \d: the study has 6 trials", printed, re.MULTILINE)) == 2
    assert printed.splitlines()[-1] == "6 trials, each run once"


def test_the_dashboard_of_optuna_shows_the_studies(tmp_path):
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    assert run("dashboard.py").splitlines()[-2:] == ["quantization 4 trials", "function 10 trials"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = pathlib.Path(sys.executable).with_name("optuna-dashboard")
    dashboard = subprocess.Popen(
        [program, "sqlite:///dashboard/study.db", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert dashboard.stderr.readline().startswith("Listening")
        studies = {study["study_name"]: study for study in fetched(port, "studies", dashboard)["study_summaries"]}
        assert set(studies) == {"quantization", "function"}
        found = fetched(port, f"studies/{studies['function']['study_id']}", dashboard)
        assert [trial["state"] for trial in found["trials"]] == ["Complete"] * 10
        assert [param["name"] for param in found["trials"][0]["params"]] == ["x"]
        search = fetched(port, f"studies/{studies['quantization']['study_id']}", dashboard)
        assert len(search["trials"]) == 4 and len(search["best_trials"]) == 1
    finally:
        dashboard.kill()
        dashboard.communicate()


def fetched(port, what, server):
    """The answer of a server, which says that it listens a moment before it does."""
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{what}") as answer:
                return json.load(answer)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            assert server.poll() is None


def test_the_notebook_runs(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(EXAMPLES / "search.ipynb", as_version=4)
    shutil.copytree(ROOT / "examples" / "fashion_mnist", tmp_path / "fashion_mnist")
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pages = [output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert len(pages) == 1 and "candidates" in pages[0] and "best (trial" in pages[0]
    assert any("bytes" in output.get("text", "") for output in shown)
