"""Searches a detector with its own post-processing: candidates are judged by the boxes that a user would see.

    python detector.py MODEL.onnx CALIBRATION.npz EVALUATION.npz

The model's output is [1, 4 + classes, anchors] as YOLOv8 writes it: centre, width and height of each box, then a score for each class.
Boxes are hundreds and scores below one, so a quantization may round all scores away while the output as a whole still looks right. The
evaluator decodes the output, removes overlapping boxes, and compares what remains with the boxes of the float model.
"""

import sys

import numpy
import quantsearch

LEAST_SCORE = 0.05
SAME_BOX = 0.5  # intersection over union


def overlaps(box, boxes):
    """Intersection over union of a box with each of `boxes`, [n, 4] corners."""
    low, high = numpy.maximum(box[:2], boxes[:, :2]), numpy.minimum(box[2:], boxes[:, 2:])
    common = numpy.prod(numpy.clip(high - low, 0, None), axis=1)
    areas = numpy.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return common / (numpy.prod(box[2:] - box[:2]) + areas - common + 1e-9)


def detections(output):
    """(boxes [n, 4] as corners, scores [n], classes [n]) of an output [4 + classes, anchors], best first."""
    classes, scores = output[4:].argmax(0), output[4:].max(0)
    order = numpy.flatnonzero(scores >= LEAST_SCORE)
    order = order[numpy.argsort(-scores[order], kind="stable")]
    centre, size = output[:2, order].T, output[2:4, order].T
    boxes, scores, classes = numpy.hstack([centre - size / 2, centre + size / 2]), scores[order], classes[order]
    kept = []
    for index in range(len(boxes)):
        same = [other for other in kept if classes[other] == classes[index]]
        if not same or overlaps(boxes[index], boxes[same]).max() < SAME_BOX:
            kept.append(index)
    return boxes[kept], scores[kept], classes[kept]


def agreement(expected, found):
    """Between 0 and 1: 1 when the same boxes are found with the same scores, 0 when none is."""
    if len(expected[0]) + len(found[0]) == 0:
        return 1.0
    total, free = 0.0, list(range(len(found[0])))
    for box, score, label in zip(*expected):
        same = [index for index in free if found[2][index] == label]
        if not same:
            continue
        shares = overlaps(box, found[0][same])
        best = int(shares.argmax())
        if shares[best] >= SAME_BOX:
            total += 1 - abs(float(score) - float(found[1][same[best]]))
            free.remove(same[best])
    return 2 * total / (len(expected[0]) + len(found[0]))


class Detections:
    """The evaluator. The first model that it gets is the float one, whose boxes the others are compared with."""

    def __init__(self, images):
        self.images, self.expected = images, None

    def evaluate(self, session):
        name = session.get_inputs()[0].name
        found = [detections(session.run(None, {name: image[None]})[0][0]) for image in self.images]
        if self.expected is None:
            self.expected = found
            print("boxes of the float model:", sum(len(scores) for _, scores, _ in found))
        return float(numpy.mean([agreement(*pair) for pair in zip(self.expected, found)]))


def main(model, calibration, evaluation):
    images = next(iter(numpy.load(evaluation).values()))
    config = quantsearch.AutoSearchConfig(
        search_space={"calibrate_method": ["MinMax", "Percentile"], "activation_type": ["QUInt8", "QInt8"], "per_channel": [True]},
        search_metric_tolerance=0.1,
    )
    result = quantsearch.auto_search(model, calibration, config=config, evaluator=Detections(images), output="detector")
    for trial in result.study.trials:
        print(f"trial {trial.number}: agreement {trial.value:.3f}, {trial.size_bytes / 1e6:.1f} MB, {trial.config}")
    print(f"best: trial {result.best} in {result.best_model}")
    return result


if __name__ == "__main__":
    main(*sys.argv[1:])
