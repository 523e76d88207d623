"""Everything that is taken as data gives the same samples."""

import pathlib
import shutil

import numpy
import pytest
import quantsearch
from conftest import Reader, RewindingReader
from onnx import TensorProto, helper, numpy_helper
from quantsearch import _core
from quantsearch._data import DataOptions, load_data, load_labels


@pytest.fixture(scope="session")
def model(model_path):
    return quantsearch.load_model(model_path)


def read_all(data, model, **options):
    source = load_data(data, model, DataOptions(**options)).source
    return numpy.concatenate([source.read(index, 1)["input"] for index in range(source.size)])


def in_batches(images, size):
    return [images[first : first + size] for first in range(0, len(images), size)]


class Dataset:
    """Like those of PyTorch: a length and items, which are not iterated."""

    __iter__ = None

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index], index


class Tensor:
    """Like one of bfloat16."""

    def numpy(self):
        raise TypeError("Got unsupported ScalarType BFloat16")


@pytest.mark.parametrize(
    "form",
    [
        Dataset,
        lambda x: {"input": x},
        lambda x: x,
        lambda x: [{"input": x[i : i + 1]} for i in range(len(x))],
        lambda x: [{"input": x[i]} for i in range(len(x))],  # without the batch axis
        lambda x: ({"input": batch} for batch in in_batches(x, 5)),
        lambda x: [(batch, numpy.zeros(len(batch))) for batch in in_batches(x, 6)],  # a loader with labels
        lambda x: iter([({"input": batch}, 0) for batch in in_batches(x, 6)]),
        lambda x: Reader(x),
        lambda x: Reader(x, batch=8),
        lambda x: RewindingReader(x),
        lambda x: {"input": x.astype(numpy.float64)},
        lambda x: {"input": numpy.asfortranarray(x)},
    ],
)
def test_every_form_gives_the_same_samples(form, model, images):
    assert numpy.array_equal(read_all(form(images), model), images)


def test_a_file_gives_the_same_samples(model, images, tmp_path):
    numpy.savez(tmp_path / "images.npz", input=images)
    assert numpy.array_equal(read_all(tmp_path / "images.npz", model), images)


@pytest.mark.parametrize("form", [lambda x: {"input": x}, lambda x: [{"input": row[None]} for row in x], Reader])
def test_a_limit_takes_the_first_samples(form, model, images):
    assert numpy.array_equal(read_all(form(images), model, limit=5), images[:5])


def test_contiguous_arrays_are_not_copied(model, images):
    kept = images.copy()
    source = load_data({"input": kept}, model, DataOptions()).source
    assert numpy.shares_memory(source.read(3, 2)["input"], kept)


def test_arrays_outlive_the_names_that_the_caller_gave_them(model, images):
    source = load_data({"input": images.copy()}, model, DataOptions()).source
    assert numpy.array_equal(source.read(0, 24)["input"], images)


def test_readers_may_use_one_buffer_for_all_samples(model, images):
    def reuse():
        buffer = numpy.empty((1, 1, 28, 28), numpy.float32)
        for image in images:
            buffer[0] = image
            yield {"input": buffer}

    assert numpy.array_equal(read_all(reuse(), model), images)


def test_a_reader_beyond_the_memory_goes_to_a_file(images):
    writer = _core.SampleWriter(4 * images[0].nbytes, "")
    for image in images:
        writer.add({"input": image[None]})
    assert writer.spilled_bytes >= 20 * images[0].nbytes
    source = writer.finish()
    assert numpy.array_equal(source.read(0, 24)["input"], images)


def test_samples_of_different_shapes_are_read_alone():
    samples = [{"x": numpy.zeros((1, length), numpy.float32)} for length in (3, 5)]
    source = _core.sample_data(samples)
    assert (source.size, source.largest_batch) == (2, 1)
    assert source.read(1, 1)["x"].shape == (1, 5)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"])
def test_every_element_type_comes_back(kind):
    array = numpy.array([[0, 1], [1, 0]]).astype(kind)
    read = _core.array_data({"x": array}).read(0, 2)["x"]
    assert read.dtype == array.dtype
    assert numpy.array_equal(read, array)


def test_texts_come_back():
    read = _core.array_data({"x": ((2,), ["a", "é"])}).read(0, 2)["x"]
    assert read == ([2], ["a", "é"])


def message(data, model, **options):
    with pytest.raises(quantsearch.InvalidInput) as raised:
        load_data(data, model, DataOptions(what="calibration", **options))
    return str(raised.value)


def test_an_exhausted_reader_is_refused_with_the_way_out(model, images):
    reader = Reader(images)
    load_data(reader, model, DataOptions())
    assert message(reader, model) == (
        "calibration: the data reader yields no sample; if it was read before, make a new one or give it a method rewind()"
    )


def test_a_reader_that_can_rewind_is_read_again(model, images):
    reader = RewindingReader(images)
    assert numpy.array_equal(read_all(reader, model), images)
    assert numpy.array_equal(read_all(reader, model), images)


def test_an_exhausted_generator_is_refused_with_the_way_out(model, images):
    generator = ({"input": image[None]} for image in images)
    load_data(generator, model, DataOptions())
    assert message(generator, model) == (
        "calibration: the iterable yields no sample; a generator can be read only once, make a new one"
    )


def test_other_names_show_what_came_and_what_the_model_takes(model, images):
    assert message(Reader(images, name="image"), model) == (
        "data: sample 0 lacks input 'input': it has 'image' float32 [1, 1, 28, 28], the model takes 'input' float32 "
        "[N, 1, 28, 28]"
    )


def test_a_sample_with_other_inputs_than_the_first_is_named(model, images):
    assert message([{"input": images[:1]}, {"image": images[:1]}], model) == (
        "data: sample 1 has the inputs 'image', expected 'input' as in the first sample"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (7, "calibration: got data of type int, expected a path, arrays by input name, a list or iterable of such mappings, or an object with get_next()"),
        ([], "calibration: got an empty list, expected at least one sample"),
        ([3], "calibration: sample 0 is of type int, expected arrays by input name, or a tuple of 1 arrays"),
        ({"input": None}, "data: 'input' is a value of type NoneType, expected an array"),
        ({0: numpy.zeros(3)}, "calibration: got an input name of type int, expected text"),
        ({"input": Tensor()}, "data: 'input' cannot become an array of numpy: Got unsupported ScalarType BFloat16; give it as float32"),
        ([{0: numpy.zeros(3)}], "calibration: got an input name of type int, expected text"),
        (Reader, "calibration: got the class Reader, expected an instance of it"),
        (
            b"images.npz",
            "calibration: got data of type bytes, expected a path, arrays by input name, a list or iterable of such mappings, or an object with get_next()",
        ),
        (
            {"input": numpy.full((1, 1, 28, 28), 1e300)},
            "data: 'input' holds float64 values beyond the range of float32, which the model's input takes; scale the values or change the "
            "model's input type",
        ),
        (
            {"input": numpy.zeros((1, 1, 28, 28), numpy.uint8)},
            "data: sample 0 does not fit input 'input': it has 'input' uint8 [1, 1, 28, 28], the model takes 'input' float32 [N, 1, 28, 28]; "
            "scale the values as in the model's training and give them as float32",
        ),
        ({"input": [object()]}, "data: 'input' is a value of type list, expected an array of numbers or texts"),
    ],
)
def test_another_type_names_what_came_and_what_is_taken(data, expected, model):
    assert message(data, model) == expected


class StoppingReader(Reader):
    """Ends with the StopIteration of an iterator that it holds."""

    def get_next(self):
        sample = super().get_next()
        if sample is None:
            raise StopIteration
        return sample


def test_a_reader_may_end_with_stop_iteration(model, images):
    assert numpy.array_equal(read_all(StoppingReader(images), model), images)


def test_a_reader_with_quarks_name_for_rewind_is_read_again(model, images):
    reader = Reader(images)
    reader.reset_iter = lambda: setattr(reader, "position", 0)
    assert numpy.array_equal(read_all(reader, model), read_all(reader, model))


@pytest.fixture
def token_model():
    """Embeds token numbers, int32 [N, 3]."""
    table = numpy_helper.from_array(numpy.arange(20, dtype=numpy.float32).reshape(10, 2), "table")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["y"])],
        "tokens",
        [helper.make_tensor_value_info("ids", TensorProto.INT32, ["N", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3, 2])],
        [table],
    )
    return quantsearch.load_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))


@pytest.mark.parametrize("kind", ["int64", "uint64", "int8"])
def test_integers_of_another_width_are_converted(kind, token_model):
    ids = numpy.arange(6).reshape(2, 3)
    source = load_data({"ids": ids.astype(kind)}, token_model, DataOptions()).source
    read = source.read(0, 2)["ids"]
    assert read.dtype == numpy.int32 and numpy.array_equal(read, ids)


def test_integers_that_do_not_fit_are_refused(token_model):
    assert message({"ids": numpy.full((1, 3), 2**40)}, token_model) == (
        "data: 'ids' holds int64 values that do not fit int32, which the model's input takes; fix the values or change the model's input type"
    )


def test_a_limit_below_one_is_refused(model, images):
    assert message({"input": images}, model, limit=0) == "calibration: got 0 for 'limit', expected a whole number of at least 1"


def test_labels_are_one_for_each_sample(model_path, images):
    with pytest.raises(quantsearch.InvalidInput) as raised:
        quantsearch.evaluate(model_path, model_path, {"input": images}, labels=[1, 2])
    assert str(raised.value) == "data: got 2 labels for 24 samples, expected one for each"
    with pytest.raises(quantsearch.InvalidInput) as raised:
        quantsearch.evaluate(model_path, model_path, {"input": images}, labels=[0.5] * 24)
    assert str(raised.value) == "data: labels are float64, expected integers"
    with pytest.raises(quantsearch.InvalidInput) as raised:
        quantsearch.evaluate(model_path, model_path, {"input": images}, labels=numpy.eye(24, dtype=int))
    assert str(raised.value) == "data: labels have the shape [24, 24], expected one integer for each sample"


def test_a_file_of_labels_may_have_those_beyond_the_limit(model, images, tmp_path):
    numpy.savez(tmp_path / "data.npz", input=images)
    numpy.save(tmp_path / "labels.npy", numpy.arange(24) % 10)
    loaded = load_data(tmp_path / "data.npz", model, DataOptions(limit=3))
    assert load_labels(tmp_path / "labels.npy", loaded) == [0, 1, 2]


MEDIA = pathlib.Path(__file__).resolve().parents[2] / "tests" / "media" / "files"


@pytest.fixture
def photos(tmp_path):
    """Two classes of two images each."""
    for name in ("cat/cat.jpg", "cat/cat.webp", "woman/woman.png", "woman/progressive.jpg"):
        target = tmp_path / "photos" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MEDIA / target.name, target)
    return tmp_path / "photos"


GRAY = {"colors": "gray", "mean": 0.5, "std": 0.5}


def test_a_folder_of_images_is_read_with_its_preprocess(photos, model):
    loaded = load_data(photos, model, DataOptions(preprocess=GRAY))
    assert loaded.source.read(0, 4)["input"].shape == (4, 1, 28, 28)
    (photos.parent / "labels.csv").write_text("cat.jpg,3\ncat.webp,3\nwoman.png,1\nprogressive.jpg,1\n")
    assert load_labels(photos.parent / "labels.csv", loaded) == [3, 1, 3, 1]


def test_a_folder_of_images_calibrates_and_judges(photos, model_path):
    quantsearch.quantize(model_path, photos, preprocess=GRAY, output="out.onnx")
    scores = quantsearch.evaluate(model_path, "out.onnx", photos, preprocess=GRAY)
    assert scores.samples == 4
    result = quantsearch.auto_search(
        model_path, photos, config={"preprocess": GRAY, "search_stop_condition": {"iteration_limit": 1}}
    )
    assert result.best_trial is not None


def test_a_folder_of_images_without_a_preprocess_is_refused(photos, model):
    with pytest.raises(quantsearch.InvalidInput, match="holds images, which the model takes as they were scaled"):
        load_data(photos, model, DataOptions())
