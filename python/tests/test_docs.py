"""The code blocks of the documentation run."""

import re
import shutil

import numpy
import pytest
from conftest import ROOT


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["python.md", "from_quark.md"])
def test_the_blocks_of_a_page_run_in_their_order(page, model_path, images, tmp_path):
    shutil.copy(model_path, tmp_path / "model.onnx")
    numpy.save(tmp_path / "images.npy", images)
    names = {}
    assert blocks(page)
    for block in blocks(page):
        exec(compile(block, page, "exec"), names)


def test_the_table_of_quarks_options_is_up_to_date():
    import runpy

    generator = runpy.run_path(str(ROOT / "python" / "make_from_quark.py"))
    assert generator["page_with_table"]() == (ROOT / "docs" / "from_quark.md").read_text()
