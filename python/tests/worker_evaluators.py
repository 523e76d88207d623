"""Evaluators that worker processes import."""

import os
import signal

import onnx


class Sum:
    """The sum of the outputs over some images; less is better. Notes its process in each call."""

    direction = "minimize"

    def __init__(self, images, noted):
        self.images, self.noted = images, noted

    def evaluate(self, session):
        with open(self.noted, "a") as file:
            file.write(f"{os.getpid()}\n")
        return float(session.run(None, {"input": self.images})[0].sum())


def dies_of_unsigned_activations(model_path):
    """Ends its process for a model that has zero points of uint8."""
    types = {tensor.data_type for tensor in onnx.load(model_path).graph.initializer}
    if onnx.TensorProto.UINT8 in types:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def never_returns(model_path):
    """For quantized models only."""
    while any(node.op_type == "QuantizeLinear" for node in onnx.load(model_path).graph.node):
        pass
    return 1.0
