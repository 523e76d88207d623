"""The templates for Slurm and Kubernetes, as far as they can be checked without a cluster."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = [EXAMPLES / "many_machines" / "worker.sh", EXAMPLES / "slurm" / "search.sbatch"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_sound(script: pathlib.Path) -> None:
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed here")
    checked = subprocess.run([program, str(script)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_the_job_has_only_fields_of_kubernetes() -> None:
    client = pytest.importorskip("kubernetes.client", reason="the package kubernetes is not installed here")
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((EXAMPLES / "kubernetes" / "search.yaml").read_text())

    api = client.ApiClient()
    read = api._ApiClient__deserialize(job, "V1Job")
    # What the client does not know it leaves out.
    assert api.sanitize_for_serialization(read) == job
    assert read.spec.completion_mode == "Indexed"


def test_the_templates_set_what_the_worker_reads() -> None:
    worker = SCRIPTS[0].read_text()
    read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", worker)) | set(re.findall(r"^need ([A-Z]+)", worker, re.MULTILINE))
    job = (EXAMPLES / "kubernetes" / "search.yaml").read_text()
    given = set(re.findall(r"- name: ([A-Z_]+)$", job, re.MULTILINE)) - {"PGPASSWORD"}  # libpq reads it
    assert given <= read
    assert {"MODEL", "CALIBRATION", "STORAGE", "OUTPUT"} <= given
    assert {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"} <= read
