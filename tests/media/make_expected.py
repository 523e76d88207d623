#!/usr/bin/env python3
"""Writes the images and sounds of these tests and what other libraries make of them.

    python3 tests/media/make_expected.py     # wants pillow, opencv-python-headless, scikit-image and scipy

files/            images from scikit-image (the astronaut is in the public domain, the cat is CC0), and sounds
expected.npz      what Pillow decodes and scales, what OpenCV scales, what scipy resamples, and the tensors of each preset
versions.txt      of the libraries
"""

import io
import pathlib
import struct
import zlib

import cv2
import numpy
import PIL
import scipy
import scipy.signal
import skimage
import skimage.data
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "files"


def photo(name, size):
    """A scaled photo: (width, height)."""
    return Image.fromarray(getattr(skimage.data, name)()).resize(size, Image.Resampling.LANCZOS)


def oriented(image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(pixels, exif, interlaced):
    """A PNG file of [height, width, 3] with its EXIF behind the pixels, as Pillow does not write it."""
    steps = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)] if interlaced else [(0, 0, 1, 1)]
    passes = [pixels[top::down, left::right] for top, left, down, right in steps]
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part if part.shape[1])
    height, width = pixels.shape[:2]
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, int(interlaced)))
            + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")) + png_chunk(b"IEND", b""))


def write_images():
    cat = photo("chelsea", (150, 100))
    woman = photo("astronaut", (97, 131))
    cat.save(FILES / "cat.png")
    woman.save(FILES / "woman.png")
    cat.save(FILES / "cat.jpg", quality=90)  # chroma halved in both directions
    woman.save(FILES / "full_chroma.jpg", quality=80, subsampling=0)
    woman.save(FILES / "progressive.jpg", quality=75, progressive=True)
    cat.convert("L").save(FILES / "gray.jpg", quality=85)
    cat.convert("CMYK").save(FILES / "cmyk.jpg", quality=90)
    small = photo("chelsea", (24, 17))
    for orientation in range(1, 9):
        small.save(FILES / f"turned_{orientation}.jpg", quality=95, exif=oriented(small, orientation))
    small.save(FILES / "turned_6.png", exif=oriented(small, 6))
    for name, interlaced in (("interlaced", True), ("exif_last", False)):
        (FILES / f"{name}.png").write_bytes(png(numpy.asarray(small), oriented(small, 8), interlaced))
    small.save(FILES / "turned_6.webp", quality=90, exif=oriented(small, 6))
    alpha = Image.fromarray(numpy.linspace(0, 255, 24 * 17).astype(numpy.uint8).reshape(17, 24))
    clear = small.copy()
    clear.putalpha(alpha)
    clear.save(FILES / "alpha.png")
    clear.save(FILES / "alpha.webp", lossless=True, exact=True)
    small.quantize(16).save(FILES / "palette.png", transparency=3)
    small.convert("L").save(FILES / "gray.png")
    small.convert("1").save(FILES / "bits.png")
    sixteen = numpy.asarray(small.convert("RGB")).astype(numpy.uint16) * 257
    cv2.imwrite(str(FILES / "sixteen.png"), sixteen[:, :, ::-1])
    cat.save(FILES / "cat.webp", quality=80)


def write_classes():
    """Classes of pixels: 16-bit gray, and 4-bit indices of a palette."""
    classes = numpy.arange(24 * 17, dtype=numpy.uint16).reshape(17, 24)
    cv2.imwrite(str(FILES / "classes_16.png"), classes)
    few = Image.fromarray((classes % 13).astype(numpy.uint8), "P")
    few.putpalette([value for index in range(13) for value in (index * 19, 255 - index * 7, 3)])
    few.save(FILES / "classes_palette.png", bits=4)


def classes():
    for name in ("bits.png", "gray.png", "palette.png", "classes_palette.png"):
        yield f"classes/{name}", numpy.asarray(Image.open(FILES / name)).astype(numpy.uint8)
    yield "classes/classes_16.png", numpy.asarray(Image.open(FILES / "classes_16.png")).astype(numpy.uint16)


def decoded():
    for file in sorted(FILES.iterdir()):
        if file.suffix != ".wav" and not file.name.startswith("classes"):
            yield f"decoded/{file.name}", numpy.asarray(ImageOps.exif_transpose(Image.open(file)).convert("RGB"))


PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}
OPENCV = {"bilinear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "nearest": cv2.INTER_NEAREST}
SIZES = [(61, 47), (31, 120), (160, 37), (75, 50), (170, 113), (1, 1)]


def scaled():
    image = Image.open(FILES / "cat.png")
    pixels = numpy.asarray(image)
    for width, height in SIZES:
        for name, kind in PILLOW.items():
            yield f"pillow/{name}/{width}x{height}", numpy.asarray(image.resize((width, height), kind))
            gray = image.convert("L").resize((width, height), kind)
            yield f"pillow_gray/{name}/{width}x{height}", numpy.asarray(gray)
        for name, kind in OPENCV.items():
            yield f"opencv/{name}/{width}x{height}", cv2.resize(pixels, (width, height), interpolation=kind)


def planes(pixels, mean, std):
    """[1, channels, height, width] of float32."""
    values = (pixels.astype(numpy.float32) / 255 - numpy.float32(mean)) / numpy.float32(std)
    return values.astype(numpy.float32).transpose(2, 0, 1)[numpy.newaxis]


def center(image, side):
    left = int(round((image.width - side) / 2))
    top = int(round((image.height - side) / 2))
    return image.crop((left, top, left + side, top + side))


def covered(image, side, kind):
    """The shorter side becomes `side`, the longer one is rounded down."""
    if image.width < image.height:
        return image.resize((side, int(side * image.height / image.width)), kind)
    return image.resize((int(side * image.width / image.height), side), kind)


IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])


def letterboxed(pixels, side):
    height, width = pixels.shape[:2]
    ratio = min(side / height, side / width)
    new_width, new_height = int(round(width * ratio)), int(round(height * ratio))
    margin_x, margin_y = (side - new_width) / 2, (side - new_height) / 2
    if (new_width, new_height) != (width, height):
        pixels = cv2.resize(pixels, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(pixels, round(margin_y - 0.1), round(margin_y + 0.1), round(margin_x - 0.1),
                              round(margin_x + 0.1), cv2.BORDER_CONSTANT, value=(114, 114, 114))


def recognition(pixels, height, width):
    ratio = pixels.shape[1] / pixels.shape[0]
    inner = min(width, int(numpy.ceil(height * ratio)))
    values = planes(cv2.resize(pixels, (inner, height)), 0.5, 0.5)
    padded = numpy.zeros((1, 3, height, width), numpy.float32)
    padded[:, :, :, :inner] = values
    return padded


def detection(pixels, most):
    height, width = pixels.shape[:2]
    ratio = min(1.0, most / max(height, width))
    sides = [max(int(round(int(side * ratio) / 32) * 32), 32) for side in (width, height)]
    return planes(cv2.resize(pixels, tuple(sides)), *IMAGENET)


def presets():
    for name in ("cat", "woman"):
        image = Image.open(FILES / f"{name}.png")
        rgb = numpy.asarray(image)
        bgr = rgb[:, :, ::-1].copy()
        yield f"imagenet/{name}", planes(numpy.asarray(center(covered(image, 32, Image.Resampling.BILINEAR), 28)), *IMAGENET)
        yield f"clip/{name}", planes(numpy.asarray(center(covered(image, 29, Image.Resampling.BICUBIC), 29)), *CLIP)
        yield f"yolo/{name}", planes(letterboxed(rgb, 64), 0, 1)
        yield f"paddleocr/{name}", recognition(bgr, 24, 40)
        yield f"paddleocr_open/{name}", recognition(bgr, 24, max(30, int(24 * max(30 / 24, rgb.shape[1] / rgb.shape[0]))))
        yield f"paddleocr_det/{name}", detection(bgr, 80)


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def wav(coding, bits, frames, extensible=False):
    """frames: bytes of all samples, two channels at 44100 Hz."""
    width = bits // 8 * 2
    head = struct.pack("<HHIIHH", 0xFFFE if extensible else coding, 2, 44100, 44100 * width, width, bits)
    if extensible:
        head += struct.pack("<HHIH", 22, bits, 3, coding) + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    body = chunk(b"fmt ", head) + chunk(b"LIST", b"odd") + chunk(b"data", frames)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def sounds():
    random = numpy.random.default_rng(7)
    time = numpy.arange(1500) / 44100
    left = 0.4 * numpy.sin(2 * numpy.pi * 440 * time) + 0.05 * random.standard_normal(1500)
    stereo = numpy.stack([left, 0.3 * numpy.sin(2 * numpy.pi * 6000 * time)], axis=1).clip(-1, 1)
    integers = numpy.round(stereo * (2**31 - 1)).astype(numpy.int64)
    kinds = {
        "8": (((integers >> 24) + 128).astype(numpy.uint8).tobytes(), 1, 8, ((integers >> 24) / 2**7)),
        "16": ((integers >> 16).astype("<i2").tobytes(), 1, 16, (integers >> 16) / 2**15),
        "24": ((integers >> 8).astype("<i4").view(numpy.uint8).reshape(-1, 4)[:, :3].tobytes(), 1, 24, (integers >> 8) / 2**23),
        "32": (integers.astype("<i4").tobytes(), 1, 32, integers / 2**31),
        "float": (stereo.astype("<f4").tobytes(), 3, 32, stereo.astype(numpy.float32)),
    }
    for name, (frames, coding, bits, values) in kinds.items():
        (FILES / f"sound_{name}.wav").write_bytes(wav(coding, bits, frames, extensible=name == "24"))
        yield f"sound/{name}", values.mean(axis=1).astype(numpy.float32)
    mono = stereo.astype(numpy.float32).mean(axis=1)
    for start, end in ((44100, 16000), (8000, 16000), (16000, 8000), (22050, 16000), (48000, 44100)):
        divisor = numpy.gcd(start, end)
        made = scipy.signal.resample_poly(mono.astype(numpy.float64), end // divisor, start // divisor)
        yield f"resampled/{start}_{end}", made.astype(numpy.float32)


def main():
    FILES.mkdir(exist_ok=True)
    write_images()
    write_classes()
    arrays = dict(sounds())
    for cases in (decoded, classes, scaled, presets):
        arrays.update(cases())
    numpy.savez_compressed(HERE / "expected.npz", **{name.replace("/", ":"): array for name, array in arrays.items()})
    versions = {"pillow": PIL.__version__, "opencv": cv2.__version__, "scikit-image": skimage.__version__,
                "scipy": scipy.__version__, "numpy": numpy.__version__}
    (HERE / "versions.txt").write_text("".join(f"{name} {version}\n" for name, version in versions.items()))


if __name__ == "__main__":
    main()
