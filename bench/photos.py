#!/usr/bin/env python3
"""Writes photos for decode_bench.

    python3 bench/photos.py FOLDER     # wants pillow and scikit-image

FOLDER/jpeg_small, png_small, webp_small: photos of scikit-image as 640 x 427 pixels, the size of those of ImageNet and COCO; jpeg_large: the
same as 2400 x 1600. JPEG and WebP at quality 90, chroma of JPEG halved in both directions.
"""

import pathlib
import sys

import skimage.data
from PIL import Image, ImageOps

NAMES = ("astronaut", "chelsea", "coffee", "rocket", "stereo_motorcycle", "hubble_deep_field", "retina")
SIZES = {"small": (640, 427), "large": (2400, 1600)}
FORMATS = (("jpeg", "small"), ("jpeg", "large"), ("png", "small"), ("webp", "small"))


def photo(name):
    pixels = getattr(skimage.data, name)()
    return Image.fromarray(pixels[0] if isinstance(pixels, tuple) else pixels).convert("RGB")


def main():
    folder = pathlib.Path(sys.argv[1])
    for kind, size in FORMATS:
        place = folder / f"{kind}_{size}"
        place.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            fitted = ImageOps.fit(photo(name), SIZES[size], Image.Resampling.LANCZOS)
            fitted.save(place / f"{name}.{kind}", quality=90)


if __name__ == "__main__":
    main()
