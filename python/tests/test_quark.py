"""Quark's interface: its documented example, configurations, quantizer."""

import json
import pathlib
import pickle

import pytest
import quantsearch
from conftest import Reader, RewindingReader
from quark_document import ADVANCED, EXAMPLE, JOINT, TWO_STAGE
from quantsearch import quark
from quantsearch.quark.quantization.config import algorithm, spec

@pytest.fixture(autouse=True)
def clean_class():
    """Quark's example sets attributes of the class itself."""
    yield
    for name in [name for name in vars(quark.AutoSearchConfig) if name.startswith("search_")]:
        delattr(quark.AutoSearchConfig, name)


def run_block(code, **names):
    exec(code, names)
    return names


def test_the_documented_example_runs_with_its_import_lines_changed(model_path, images):
    names = run_block(
        EXAMPLE.replace('"iteration_limit": 1000', '"iteration_limit": 4'),
        quantization_config=quark.QuantizationConfig(calibrate_method=quark.CalibrationMethod.MinMax),
        float_onnx_model_path=model_path,
        calibration_data_reader=Reader(images),
    )
    candidates = names["searched_candidates"]
    assert len(candidates) == 4
    assert candidates[0]["calibrate_method"].split(".")[1] in ("MinMSE", "NonOverflow", "MinMax", "Entropy", "Percentile")
    assert isinstance(candidates[0]["extra_options"]["WeightSymmetric"], bool)
    assert pathlib.Path(candidates[0].model_path).exists()
    assert candidates[0].trial.number == candidates.result.best
    assert "trial 3" in pathlib.Path("auto_search.log").read_text()
    assert json.loads(pathlib.Path("quantsearch_output/results.json").read_text())["schema"] == 1
    assert pickle.loads(pickle.dumps(candidates)) == candidates


def small(block, **more):
    """The class of a block, with the attributes that it leaves to the reader."""
    config = run_block(block)["Auto_search_config"]
    for name, value in more.items():
        setattr(config, name, value)
    return config


def finetuned():
    return quark.QuantizationConfig(
        include_fast_ft=True, extra_options={"FastFinetune": {"NumIterations": 2, "DataSize": 4, "OptimAlgorithm": "adaround"}}
    )


def test_the_two_stage_block_runs(model_path, images):
    space = {
        "calibrate_method": ["MinMax", "Percentile"],
        "include_fast_ft": [True],
        "extra_options": {"FastFinetune": {"NumIterations": [2, 3], "DataSize": [4]}},
    }
    search = quark.AutoSearch(finetuned(), small(TWO_STAGE, search_space=space), model_path, Reader(images))
    assert len(search.search_model().result.study.trials) == 4


def test_the_advanced_block_runs(model_path, images):
    config = small(ADVANCED)
    config.advanced_fastft_params = {**config.advanced_fastft_params, "n_trials": 2}
    config.search_space["extra_options"]["FastFinetune"]["NumIterations"] = [2, 3]
    result = quark.AutoSearch(finetuned(), config, model_path, Reader(images[:8])).search_model().result
    assert len([trial for trial in result.study.trials if trial.state == "complete"]) >= 2


def test_the_direction_of_the_advanced_block_is_that_of_the_loss(model_path, images):
    config = small(ADVANCED, search_evaluator=lambda model_path: 1.0)
    config.advanced_fastft_params = {**config.advanced_fastft_params, "n_trials": 1}
    config.search_space["extra_options"]["FastFinetune"]["NumIterations"] = [2]
    result = quark.AutoSearch(finetuned(), config, model_path, Reader(images[:8])).search_model().result
    assert result.best_trial.value == 1.0
    config.advanced_fastft_params = {**config.advanced_fastft_params, "direction": "maximize"}
    with pytest.raises(quantsearch.InvalidInput, match="asks to maximize 'L2', of which less is better"):
        config.search_evaluator = None
        quark.AutoSearch(finetuned(), config, model_path, Reader(images[:8])).search_model()


def test_the_joint_block_runs(model_path, images):
    config = small(JOINT)
    config.search_space["extra_options"]["FastFinetune"]["NumIterLR"] = [[2, 1e-4], [3, 1e-5]]
    candidates = quark.AutoSearch(finetuned(), config, model_path, Reader(images[:8])).search_model()
    assert [c["extra_options"]["FastFinetune"]["NumIterLR"] for c in sorted(candidates, key=lambda c: c.trial.number)] == [[2, 1e-4], [3, 1e-5]]


@pytest.fixture
def search_config(small_space):
    return quark.AutoSearchConfig(**small_space)


def test_both_orders_and_the_keywords_give_the_same(model_path, images, search_config):
    base = quark.QuantizationConfig(per_channel=True)
    first = quark.AutoSearch(base, search_config, model_path, Reader(images)).search_model()
    second = quark.AutoSearch(model_path, Reader(images), base, search_config).search_model()
    third = quark.AutoSearch(
        config=base, auto_search_config=search_config, model_input=model_path, calibration_data_reader=Reader(images)
    ).search_model()
    scores = [[candidate.trial.scores for candidate in found] for found in (first, second, third)]
    assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize("form", [lambda space: space, lambda space: type("Own", (), space), lambda space: type("Own", (), space)(), lambda space: quark.AutoSearchConfig(**space)])
def test_configurations_of_all_forms_are_taken(form, model_path, images, small_space):
    assert len(quark.AutoSearch("S8S8_AAWS", form(small_space), model_path, RewindingReader(images)).search_model()) == 4


def test_an_evaluator_of_the_configuration_scores(model_path, images, small_space):
    class Config:
        search_space = small_space["search_space"]

        class search_evaluator:
            @staticmethod
            def evaluate(session):
                return float(session.run(None, {"input": images[:1]})[0].max())

    candidates = quark.AutoSearch(None or quark.QuantizationConfig(), Config, model_path, Reader(images)).search_model()
    assert all("custom" in trial.scores for trial in candidates.result.study.trials)


def test_the_older_configurations_equalize_unless_told_otherwise():
    """The default of Quark 0.13, without which models with channels of unlike sizes are destroyed."""
    for config in (quark.QuantizationConfig(), quark.get_default_config("XINT8"), quark.QConfig.get_default_config("A8W8"), quark.Config(quark.QuantizationConfig())):
        assert config.to_dict()["include_cle"] is True
    assert quark.QuantizationConfig(include_cle=False).to_dict()["include_cle"] is False
    assert "include_cle" not in quark.QConfig().to_dict()
    assert quark.QConfig(algo_config=[quark.CLEConfig()]).to_dict()["include_cle"] is True


def test_missing_and_doubled_arguments_are_refused(model_path, images, search_config):
    with pytest.raises(quantsearch.InvalidInput, match="the data reader is missing"):
        quark.AutoSearch(quark.QuantizationConfig(), search_config, model_path)
    with pytest.raises(quantsearch.InvalidInput, match="got two arguments for the data reader, the second of type conftest.Reader"):
        quark.AutoSearch(search_config, model_path, Reader(images), Reader(images))


def test_the_quantizer_writes_the_model(model_path, images):
    quantizer = quark.ModelQuantizer(quark.Config(global_quant_config=quark.get_default_config("XINT8")))
    quantizer.quantize_model(model_path, "quantized.onnx", Reader(images))
    expected = quantsearch.quantize(model_path, {"input": images}, config={"preset": "XINT8", "include_cle": True}).model
    assert quantsearch.load_model("quantized.onnx").serialize() == expected.serialize()
    with pytest.raises(quantsearch.InvalidInput, match="got no calibration data, expected a reader"):
        quantizer.quantize_model(model_path, "again.onnx")


def test_layers_and_algorithms_become_options():
    config = quark.QConfig(
        global_config=quark.QLayerConfig(activation=spec.UInt8Spec(symmetric=True), weight=spec.Int8Spec(quant_granularity=quark.QuantGranularity.Channel)),
        specific_layer_config={quark.QLayerConfig(activation=spec.Int16Spec(), weight=spec.Int16Spec()): ["/head/Gemm"]},
        layer_type_config={None: ["Add"]},
        exclude=["^/stem.*", (["/a"], ["/b"])],
        algo_config=[algorithm.AdaRoundConfig(num_iterations=5, lr_adjust=[0.1, 0.01]), algorithm.CLEConfig(cle_steps=2), algorithm.SmoothQuantConfig(alpha=0.6)],
        extra_options={"Percentile": 99.9},
    )
    assert config.to_dict() == {
        "activation_type": "QUInt8",
        "weight_type": "QInt8",
        "calibrate_method": "CalibrationMethod.Percentile",
        "per_channel": True,
        "node_formats": {"/head/Gemm": {"activation_type": "QInt16", "weight_type": "QInt16"}},
        "op_types_to_exclude": ["Add"],
        "nodes_to_exclude": ["^/stem.*"],
        "subgraphs_to_exclude": [[["/a"], ["/b"]]],
        "include_fast_ft": True,
        "include_cle": True,
        "include_sq": True,
        "extra_options": {
            "ActivationSymmetric": True,
            "Percentile": 99.9,
            "FastFinetune": {"OptimAlgorithm": "adaround", "NumIterations": 5, "LRAdjust": [0.1, 0.01]},
            "CLESteps": 2,
            "SmoothAlpha": 0.6,
        },
    }


def test_what_is_not_built_is_refused():
    with pytest.raises(quantsearch.InvalidInput, match="AdaRoundConfig and AdaQuantConfig, expected one that rounds weights"):
        quark.QConfig(algo_config=[quark.AdaRoundConfig(), quark.AdaQuantConfig()]).to_dict()
    with pytest.raises(quantsearch.Unsupported, match="BFP16Spec is not built"):
        spec.BFP16Spec()
    with pytest.raises(quantsearch.Unsupported, match="rotations"):
        quark.QConfig(algo_config=[algorithm.QuarotConfig()]).to_dict()
    with pytest.raises(quantsearch.Unsupported):
        quark.get_default_config("BF16")
    with pytest.raises(quantsearch.InvalidInput):
        quark.get_default_config("XINT9")


@pytest.mark.parametrize("name", ["XINT8_SEARCH", "A8W8_SEARCH", "A16W8_SEARCH", "ADVANCED_SEARCH"])
def test_named_searches_have_valid_spaces(name, model_path):
    config = quark.get_auto_search_config(name)
    config.check()
    assert quantsearch.plan_space(model_path, config)["distinct"] >= 8
    with pytest.raises(quantsearch.InvalidInput, match="expected one of 'XINT8_SEARCH'"):
        quark.get_auto_search_config("SEARCH")


def test_keys_of_auto_search_pro_are_taken(model_path, images, small_space):
    keys = {**small_space, "search_algo": "TPE", "n_trials": 3, "direction": "minimize", "plot": True}
    search = quark.AutoSearchPro(quark.QuantizationConfig(), {**keys, "search_evaluator": lambda path: 1.0}, model_path, Reader(images))
    assert len(search.search_model().result.study.trials) == 3


def test_every_enum_is_known_to_the_library():
    for method in [*quark.CalibrationMethod, *quark.PowerOfTwoMethod, *quark.LayerWiseMethod]:
        try:
            quantsearch._core.canonical_value("calibrate_method", method)
        except quantsearch.Unsupported:
            assert method is quark.CalibrationMethod.Distribution
    for kind in quark.QuantType:
        assert quantsearch._core.canonical_value("activation_type", kind) == kind.name
