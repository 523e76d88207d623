"""Messages name what a program in Python can change."""

import re

import pytest
import quantsearch
from conftest import ROOT
from quantsearch._core import in_python


def literals(text):
    """The string literals of C++ source, with adjacent ones joined."""
    for group in re.finditer(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', text):
        yield "".join(part[1:-1] for part in re.findall(r'"(?:[^"\\\n]|\\.)*"', group[0]))


def messages_with_options():
    for file in sorted((ROOT / "src").rglob("*.cc")):
        if file.name == "search_keys.cc":  # the table of the options themselves
            continue
        code = re.sub(r"^\s*//.*$", "", file.read_text(), flags=re.MULTILINE)
        for literal in literals(code):
            # A worker process of the command is started with an option of its own.
            if re.search(r"--[a-z]", literal) and "--trial-worker" not in literal and literal != "--metric":
                yield pytest.param(literal, id=f"{file.stem}: {literal[:40]}")


@pytest.mark.parametrize("message", list(messages_with_options()))
def test_every_option_of_the_command_has_words_here(message):
    assert not re.search(r"--[a-z]", in_python(message))


def test_exceptions_and_log_lines_have_them(model_path, arrays, small_space, caplog):
    with caplog.at_level("WARNING", "quantsearch"):
        quantsearch.auto_search(model_path, arrays, config=small_space, output="out", progress=False, log_file="search.log")
    line = "the calibration data also score the candidates; give evaluation=DATA or holdout=FRACTION for an honest judgement"
    assert line in [record.getMessage() for record in caplog.records]
    assert line in open("search.log").read()
    with pytest.raises(quantsearch.InvalidInput, match="add resume=True to continue it, overwrite=True to replace it, or choose another"):
        quantsearch.auto_search(model_path, arrays, config=small_space, output="out", progress=False)
    with pytest.raises(quantsearch.InvalidInput, match="'search_trial_memory' is the limit of a worker process, add search_isolate: true$"):
        quantsearch.auto_search(model_path, arrays, config={**small_space, "search_trial_memory": "1G"}, output="new", progress=False)


def test_other_texts_stay():
    assert in_python("a -- b") == "a -- b"
    assert in_python("the model has no input 'x'") == "the model has no input 'x'"
