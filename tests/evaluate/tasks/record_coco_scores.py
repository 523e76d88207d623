#!/usr/bin/env python3
"""Records what pycocotools says of detections, for tests/evaluate/tasks/coco_score_test.cc.

    pip install pycocotools numpy
    record_coco_scores.py random > tests/evaluate/tasks/coco_random.json
    record_coco_scores.py boxes BOXES.json > tests/evaluate/tasks/coco_detector.json

`random` draws boxes of all sizes, crowds, categories without truth, more than 100 detections of a category
in an image, and scores with ties. BOXES.json holds {"truth": COCO JSON, "detections": rows of image id,
category id, x, y, width, height and score}, for example those of a float model and of its quantized model.
"""

import contextlib
import io
import json
import sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

# Of COCOeval.stats.
POSITIONS = {"map": 0, "map50": 1, "map75": 2, "map_small": 3, "map_medium": 4, "map_large": 5, "mar1": 6,
             "mar10": 7, "mar100": 8}


def random_boxes(seed: int) -> dict:
    rng = np.random.default_rng(seed)
    images = [{"id": int(i), "width": 400, "height": 300} for i in rng.permutation(8) + 3]
    categories = [{"id": i} for i in (2, 3, 7)]
    annotations, detections = [], []
    for image in images:
        for _ in range(rng.integers(0, 9)):
            size = rng.choice([12, 50, 150]) * rng.uniform(0.5, 1.5, 2)
            box = [*rng.uniform(0, 200, 2), *size]
            box = [round(float(value), 1) for value in box]
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"],
                                "category_id": int(rng.choice([2, 3])), "bbox": box,
                                "area": round(box[2] * box[3] * rng.uniform(0.6, 1), 1),
                                "iscrowd": int(rng.uniform() < 0.12)})
            for _ in range(rng.integers(0, 4)):
                noisy = np.array(box) + rng.normal(0, 0.08, 4) * (box[2] + box[3]) / 2
                noisy[2:] = np.maximum(noisy[2:], 1)
                category = annotations[-1]["category_id"] if rng.uniform() < 0.9 else 7
                detections.append([image["id"], category, *(round(float(v), 1) for v in noisy),
                                   round(float(rng.beta(3, 2)), 2)])
        for _ in range(115 if image["id"] == 5 else rng.integers(0, 12)):
            box = [*rng.uniform(0, 300, 2), *rng.uniform(5, 120, 2)]
            detections.append([image["id"], int(rng.choice([2, 2, 3, 7])), *(round(float(v), 1) for v in box),
                               round(float(rng.beta(1, 3)), 2)])
    return {"truth": {"images": images, "annotations": annotations, "categories": categories},
            "detections": detections}


def scores_of(case: dict) -> dict:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads(json.dumps(case["truth"]))
        truth.createIndex()
        found = truth.loadRes([{"image_id": row[0], "category_id": row[1], "bbox": row[2:6], "score": row[6]}
                               for row in case["detections"]])
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    scores = {name: float(evaluation.stats[at]) for name, at in POSITIONS.items()}
    return {name: score for name, score in scores.items() if score >= 0}


def main() -> None:
    if len(sys.argv) == 2 and sys.argv[1] == "random":
        case = random_boxes(seed=7)
    elif len(sys.argv) == 3 and sys.argv[1] == "boxes":
        with open(sys.argv[2]) as file:
            case = json.load(file)
    else:
        sys.exit(__doc__)
    print(json.dumps({**case, "scores": scores_of(case)}, separators=(",", ":")))


if __name__ == "__main__":
    main()
