"""The configuration of a search."""

import enum
import pickle

import pytest
import quantsearch
from quantsearch import _core
from quantsearch._config import split_config


def test_every_key_of_the_file_is_an_attribute():
    keys = {name.split(".")[0] for name, _, _ in _core.search_keys()}
    assert keys == set(quantsearch.AutoSearchConfig.__annotations__)


def test_what_is_given_is_what_the_file_would_hold():
    config = quantsearch.AutoSearchConfig(search_metric="cos", n_jobs=2)
    config.search_space = {"calibrate_method": ["MinMax"]}
    assert config.to_dict() == {"search_metric": "cos", "n_jobs": 2, "search_space": {"calibrate_method": ["MinMax"]}}
    config.check()


def test_classes_subclasses_objects_and_mappings_are_taken():
    class Plain:
        search_metric = "cos"

        def helper(self):
            return 1

    class Derived(quantsearch.AutoSearchConfig):
        search_metric = "cos"

    changed = Derived(search_metric="L1")
    assert split_config(Plain)[0] == split_config(Plain())[0] == {"search_metric": "cos"}
    assert split_config(Derived)[0] == split_config(Derived())[0] == {"search_metric": "cos"}
    assert split_config(changed)[0] == {"search_metric": "L1"}
    assert split_config({"search_metric": "cos"})[0] == {"search_metric": "cos"}
    assert split_config(None)[0] == {}


def test_files_are_read(tmp_path):
    (tmp_path / "search.yaml").write_text("search_metric: cos\n")
    config = quantsearch.AutoSearchConfig.from_file(tmp_path / "search.yaml")
    assert config.search_metric == "cos"
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    assert quantsearch.AutoSearchConfig.from_file(tmp_path / "again.yaml") == config


def test_unknown_keys_and_values_name_the_nearest():
    with pytest.raises(quantsearch.InvalidInput, match="unknown key 'search_metrik'; nearest known: 'search_metric'"):
        quantsearch.AutoSearchConfig(search_metrik="cos").check()
    with pytest.raises(quantsearch.InvalidInput, match="cos"):
        quantsearch.AutoSearchConfig(search_metric="cosine").check()


def test_configurations_are_pickled_and_printed():
    config = quantsearch.AutoSearchConfig(search_metric="cos")
    assert pickle.loads(pickle.dumps(config)) == config
    assert repr(config) == "AutoSearchConfig(search_metric='cos')"


def test_a_command_stays_in_the_configuration():
    command = {"command": ["true", "{model}"]}
    assert split_config({"search_evaluator": command}) == ({"search_evaluator": command}, None)

    def evaluator(path):
        return 1.0

    assert split_config({"search_evaluator": evaluator}) == ({}, evaluator)
    assert split_config({"search_evaluator": None}) == ({}, None)


def test_another_type_is_refused():
    with pytest.raises(quantsearch.InvalidInput, match="got a configuration of type int, expected an AutoSearchConfig"):
        split_config(3)


def test_an_object_without_any_key_is_refused():
    with pytest.raises(quantsearch.InvalidInput, match="configuration of type object has no public attribute that holds a value"):
        split_config(object())
    assert split_config(quantsearch.AutoSearchConfig()) == ({}, None)


def test_values_of_python_become_values_of_the_file():
    numpy = pytest.importorskip("numpy")

    class Method(enum.Enum):
        MinMax = 0

    converted = _core.to_yaml({"a": numpy.float32(0.5), "b": numpy.arange(2), "c": (1, None, True), "d": Method.MinMax})
    assert converted == _core.to_yaml({"a": 0.5, "b": [0, 1], "c": [1, None, True], "d": "Method.MinMax"})
    with pytest.raises(quantsearch.InvalidInput, match=r"value.a\[1\]: got a value of type object"):
        _core.to_yaml({"a": [1, object()]})
    with pytest.raises(quantsearch.InvalidInput, match="value: got a key of type int, expected text as keys"):
        _core.to_yaml({1: 2})
    with pytest.raises(quantsearch.InvalidInput, match="value.a: got an integer of more than 64 bits"):
        _core.to_yaml({"a": 1 << 70})
