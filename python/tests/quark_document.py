"""The code blocks of Quark's page "Automatic Search for Model Quantization", in its order.

The import lines of the last one are changed. The page imports no QuantType, which its example uses.
"""

TWO_STAGE = """
class Auto_search_config:
    # ... other auto search configs
    two_stage_search = True  # Default value is False
"""
ADVANCED = """
class Auto_search_config:
    # ... other auto search configs
    advanced_fastft_search = True # Default value is False
    n_jobs = 1
    search_devices = "cpu"
    advanced_fastft_params = {"sampler_algo": "TPE", "direction": "minimize", "n_trials": 10}
    search_space = {
        "extra_options": {
            "FastFinetune": {
                "NumIterations": [100, 200],
                "LearningRate": [1e-3, 1e-7],
            }
        }
    }
"""
JOINT = """
class Auto_search_config:
    # ... other auto search configs
    search_space = {
        "include_fast_ft": [True],
        "extra_options": {
            "FastFinetune": {
                "NumIterLR": [[100, 1e-4], [200, 1e-5]]
            }
        }
    }
"""
EXAMPLE = """
from quantsearch.quark.auto_search import AutoSearch
from quantsearch.quark.auto_search import AutoSearchConfig
from quantsearch.quark import PowerOfTwoMethod
from quantsearch.quark import QuantType
from onnxruntime.quantization.calibrate import CalibrationMethod

auto_search_config = AutoSearchConfig
auto_search_config.search_space = {
"calibrate_method": [
        PowerOfTwoMethod.MinMSE, PowerOfTwoMethod.NonOverflow, CalibrationMethod.MinMax, CalibrationMethod.Entropy,
        CalibrationMethod.Percentile ],
    "activation_type": [QuantType.QInt8, QuantType.QInt16],
    "weight_type": [QuantType.QInt8, QuantType.QInt16],
    "include_cle": [True, False],
    "include_auto_mp": [False, True],
    "include_fast_ft": [False, True],
    "include_sq": [False, True],
    "extra_options": {
        "ActivationSymmetric": [True, False],
        "WeightSymmetric": [True, False],
        "CalibMovingAverage": [True, False],
        "CalibMovingAverageConstant": [0.01, 0.001],
        "Percentile": [99.99, 99.999],
        "SmoothAlpha": [0.5, 0.6],
        'FastFinetune': {
            'DataSize': [500, 1000],
            'NumIterations': [100, 1000],
            'OptimAlgorithm': ['adaround', 'adaquant'],
            'LearningRate': [0.01, 0.001, 0.0001],
            'FixedSeed': [42],
        }
    }
}
auto_search_config.search_stop_condition = {
    "find_n_candidates": -1,
    "find_best_candidate": -1,
    "iteration_limit": 1000,
    "time_limit": 3600,  # in seconds
}
auto_search_config.search_evaluator = None

auto_search_instance = AutoSearch(quantization_config, auto_search_config, float_onnx_model_path, calibration_data_reader)
searched_candidates = auto_search_instance.search_model()
"""
