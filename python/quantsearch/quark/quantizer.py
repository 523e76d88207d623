"""ModelQuantizer: one model with one configuration."""

from __future__ import annotations

import os
from typing import Any, Optional

from .._api import quantize
from .._data import Data
from .._errors import InvalidInput
from .._models import ModelSource
from .._results import QuantizeResult
from .config import AnyConfig, mapping_of


class ModelQuantizer:
    """Quantizes models with a configuration in one of Quark's forms."""

    def __init__(self, config: AnyConfig) -> None:
        self.config = config

    def quantize_model(
        self,
        model_input: ModelSource,
        model_output: "str | os.PathLike[str] | None" = None,
        calibration_data_reader: Optional[Data] = None,
        calibration_data_path: "str | None" = None,
        **options: Any,
    ) -> QuantizeResult:
        """Quantizes a model and writes it when `model_output` is given, replacing the file.

        Raises InvalidInput without calibration data, and what quantsearch.quantize() raises.
        """
        data = calibration_data_path if calibration_data_reader is None else calibration_data_reader
        if data is None:
            raise InvalidInput("quantize: got no calibration data, expected a reader; random data give no useful ranges")
        return quantize(model_input, data, config=mapping_of(self.config), output=model_output, overwrite=True, **options)
