"""Makes images that look like text for the PP-OCR models: light noisy pages with lines of dark strokes.

    python3 bench/text_images.py det|rec|cls OUT.npz [--count 120] [--first 0] [--size HEIGHT WIDTH] [--seed 7]

Array `x`, float32 [count, 3, height, width], (value / 255 - 0.5) / 0.5. `--first 100 --count 20` leaves out the first 100 of the
same images, so that these can be used for calibration and the others for evaluation. Needs numpy.
"""
import argparse

import numpy as np

SIZES = {"det": (320, 320), "rec": (48, 320), "cls": (48, 192)}
CELL = 12  # distance between letters, in pixels


def draw_letter(random, page, top, left, ink):
    """Draws two to four horizontal or vertical strokes, which look like a letter of no alphabet."""
    for _ in range(random.randint(2, 5)):
        if random.rand() < 0.5:
            height = top + random.randint(0, 14)
            page[height:height + 2, left:left + 9] = ink
        else:
            stroke = left + random.randint(0, 8)
            page[top:top + 16, stroke:stroke + 2] = ink


def draw_line(random, page):
    height, width = page.shape[:2]
    top = random.randint(2, max(3, height - 20))
    left = random.randint(0, width // 2)
    letters = random.randint(5, 16)
    ink = random.randint(0, 90)
    for letter in range(letters):
        if left + letter * CELL + 10 >= width:
            break
        draw_letter(random, page, top, left + letter * CELL, ink)


def image(random, size):
    shade = random.randint(180, 255)
    page = np.full((*size, 3), shade, np.float32) + random.randn(*size, 3) * 4
    for _ in range(max(1, size[0] // 48) * 4):
        draw_line(random, page)
    return (np.clip(page, 0, 255) / 255 - 0.5) / 0.5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=sorted(SIZES))
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, nargs=2)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    random = np.random.RandomState(arguments.seed)
    images = [image(random, arguments.size or SIZES[arguments.kind]) for _ in range(arguments.first + arguments.count)]
    np.savez(arguments.out, x=np.stack(images[arguments.first:]).transpose(0, 3, 1, 2).astype(np.float32))


if __name__ == "__main__":
    main()
