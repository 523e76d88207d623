"""Images that look like text, for the PP-OCR models: lines of random glyphs on a shaded page.

    python3 bench/text_images.py det|rec|cls OUT.npz [--count 120] [--seed 0]

Array `x`, float32 [count, 3, height, width], normalized as the models want it: (value / 255 - 0.5) / 0.5 for rec and cls,
the ImageNet mean and deviation for det. Needs numpy.
"""
import argparse

import numpy as np

SIZES = {"det": (320, 320), "rec": (48, 320), "cls": (48, 192)}
MEAN = {"det": [0.485, 0.456, 0.406], "rec": [0.5] * 3, "cls": [0.5] * 3}
DEVIATION = {"det": [0.229, 0.224, 0.225], "rec": [0.5] * 3, "cls": [0.5] * 3}


def glyph(random, height):
    """Strokes of a 7 x 5 grid, enlarged: a letter of no alphabet."""
    width = max(3, height * 5 // 7)
    grid = np.zeros((7, 5), bool)
    for _ in range(random.integers(2, 5)):
        if random.random() < 0.5:
            grid[random.integers(7), random.integers(3):] = True
        else:
            grid[random.integers(4):, random.integers(5)] = True
    return grid[np.arange(height) * 7 // height][:, np.arange(width) * 5 // width]


def write_line(random, page, top, height, ink):
    left = int(random.integers(4, 20))
    while left < page.shape[1] - height:
        letter = glyph(random, height)
        if random.random() < 0.85:  # else a blank between words
            area = page[top:top + height, left:left + letter.shape[1]]
            area[letter[:area.shape[0], :area.shape[1]]] = ink
        left += letter.shape[1] + max(1, height // 6)


def image(random, size):
    height, width = size
    shade = np.linspace(0, random.uniform(-40, 40), width)[None, :, None] + random.uniform(150, 235, 3)
    page = np.broadcast_to(shade, (height, width, 3)).copy()
    top = 6
    while top < height - 14:
        letters = int(random.integers(12, 34)) if height > 100 else int(random.integers(24, height - 8))
        if top + letters > height:
            break
        if height <= 100 or random.random() < 0.7:
            write_line(random, page, top, letters, random.uniform(0, 90, 3))
        top += letters + int(random.integers(6, 24))
    return np.clip(page + random.normal(0, 4, page.shape), 0, 255)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=sorted(SIZES))
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    mean, deviation = np.array(MEAN[arguments.kind]), np.array(DEVIATION[arguments.kind])
    images = [(image(random, SIZES[arguments.kind]) / 255 - mean) / deviation for _ in range(arguments.count)]
    np.savez(arguments.out, x=np.stack(images).transpose(0, 3, 1, 2).astype(np.float32))


if __name__ == "__main__":
    main()
