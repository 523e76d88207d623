"""Wrong arguments name the call, the argument, what came and what is taken."""

import types

import numpy
import pytest
import quantsearch


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"limit": 2.5}, "calibration: got 2.5 for 'limit', expected a whole number of at least 1"),
        ({"limit": "4"}, "calibration: got '4' for 'limit', expected a whole number of at least 1"),
        ({"limit": True}, "calibration: got True for 'limit', expected a whole number of at least 1"),
        ({"threads": -1}, "search: got -1 for 'threads', expected a whole number of at least 0"),
        ({"threads": "2"}, "search: got '2' for 'threads', expected a whole number of at least 0"),
        ({"memory": "lots"}, "search: got 'lots' for 'memory', expected a size such as '512M' or '2G', or a number of bytes"),
        ({"memory": 1.5}, "search: got 1.5 for 'memory', expected a whole number of at least 1"),
        ({"holdout": 1}, "search: got 1 for 'holdout', expected a number in [0, 1)"),
        ({"holdout": "0.5"}, "search: got '0.5' for 'holdout', expected a number in [0, 1)"),
        ({"holdout": []}, "search: got a value of type list for 'holdout', expected a number in [0, 1)"),
        ({"keep": -1}, "search: got -1 for 'keep', expected a whole number of at least 0"),
        ({"progress": "tqdm"}, "search: got 'tqdm' for 'progress', expected True, False, None or a function of one argument"),
    ],
)
def test_of_a_search(options, expected, model_path, arrays, small_space):
    with pytest.raises(quantsearch.InvalidInput) as raised:
        quantsearch.auto_search(model_path, arrays, config=small_space, **options)
    assert str(raised.value) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"device": None}, "evaluate: got None for 'device', expected text such as 'cuda:0'"),
        ({"batch": 1.5}, "evaluate: got 1.5 for 'batch', expected a whole number of at least 0"),
        ({"fixed_inputs": ["input"]}, "got fixed_inputs of type list, expected a mapping of input names to values"),
    ],
)
def test_of_an_evaluation(options, expected, model_path, arrays):
    with pytest.raises(quantsearch.InvalidInput) as raised:
        quantsearch.evaluate(model_path, model_path, arrays, **options)
    assert str(raised.value) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (["XINT8"], "configuration: got a list, expected the name of a preset or a mapping of options"),
        ({"calibrate_method": None}, "configuration: 'calibrate_method': got nothing, expected a string"),
        ({"calibrate_method": b"MinMax"}, "quantization_config.calibrate_method: got a value of type bytes, expected a number, text, truth value, list or mapping"),
    ],
)
def test_of_a_configuration(config, expected, model_path, arrays):
    with pytest.raises(quantsearch.InvalidInput) as raised:
        quantsearch.quantize(model_path, arrays, config=config)
    assert str(raised.value) == expected


def test_numbers_of_numpy_and_sizes_in_bytes_are_taken(model_path, arrays, small_space):
    options = {"limit": numpy.int64(4), "threads": numpy.int64(1), "memory": 2**30, "holdout": numpy.float32(0.25), "keep": numpy.int8(1)}
    assert len(quantsearch.auto_search(model_path, arrays, config=small_space, progress=False, **options).study.trials) == 4


def test_any_sequence_is_a_list_of_choices(model_path, arrays):
    space = {"calibrate_method": ("Percentile",), "extra_options": {"Percentile": range(98, 100)}}
    config = types.SimpleNamespace(search_space=space)
    assert len(quantsearch.auto_search(model_path, arrays, config=config, progress=False).study.trials) == 2
