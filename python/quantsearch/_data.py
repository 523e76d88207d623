"""Samples from files, arrays, data readers and loaders.

Every function that takes data takes all of these:

=============================================  ======================================================
a path                                         ``.npz``, ``.npy``, a folder of ``test_data_set_*``, or one of
                                               images or sounds with ``preprocess`` (docs/data.md)
a mapping of arrays, or one array              one array per model input, first axis samples; not copied
a list of mappings                             one mapping of arrays per run of the model; not copied
an object with ``get_next()``                  a ``CalibrationDataReader`` of onnxruntime or Quark
any other iterable of mappings or tuples       a generator, a loader of PyTorch
an object with a length and items              a dataset of PyTorch
=============================================  ======================================================

Readers and other iterables are read once. Their samples are copied, and what exceeds the memory budget
goes to a temporary file.
"""

from __future__ import annotations

import os
from typing import Any, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy

from . import _core
from ._arrays import CoreArray, as_numpy, converted, for_core
from ._errors import InvalidInput, type_name
from ._events import logger
from ._models import Model
from ._options import whole_number

DataSource = _core.DataSource
#: What every function takes as data (see the module).
Data = Union[str, "os.PathLike[str]", Mapping[str, Any], Iterable[Any], DataSource, Any]
Feed = Mapping[str, Any]
#: Name, element type and dimensions of a model's input.
InputInfo = Tuple[str, str, Optional[List[Union[int, str, None]]]]


class DataOptions(NamedTuple):
    """How data are read. `memory` is the budget in the form of the command ("2G"; "": half of the memory),
    of which samples that are read once take at most a quarter."""

    what: str = "data"
    limit: Optional[int] = None
    memory: str = ""
    cache_folder: str = ""
    fixed: Tuple[str, ...] = ()
    #: How the images or sounds of a folder become samples: a preset's name or a mapping (docs/data.md).
    preprocess: Any = None


class LoadedData(NamedTuple):
    """Samples, the labels that came with them, and the arguments of open_data() when they are files of the user."""

    source: DataSource
    labels: Optional[List[int]]
    opened: Optional[Tuple[str, Optional[int], str, List[str], Any]] = None
    #: Number of samples before the limit, for which a file of labels may have one each.
    available: int = 0


def load_data(data: Data, model: Model, options: DataOptions) -> LoadedData:
    """Returns the samples of `data`, checked against the inputs of `model`. Raises InvalidInput showing
    what the data have and what the model takes."""
    if options.limit is not None:
        options = options._replace(limit=whole_number(options.what, "limit", options.limit, 1))
    if isinstance(data, (str, os.PathLike)):
        opened = (os.path.abspath(data), options.limit, options.cache_folder, list(options.fixed), options.preprocess)
        source, labels, available, remarks = _core.open_data(os.fspath(data), model, *opened[1:])
        for remark in remarks:
            logger.warning("%s", remark)
        return LoadedData(source, labels, opened, available)
    source = _source_in_memory(data, model, options)
    _core.check_data(source, model)
    return LoadedData(source, None, None, source.size)


def _source_in_memory(data: Data, model: Model, options: DataOptions) -> DataSource:
    inputs: List[InputInfo] = model.inputs
    if isinstance(data, DataSource):
        limit = options.limit
        return data if limit is None or limit >= data.size else _core.subset(data, 0, limit)
    if isinstance(data, Mapping) or _is_array(data):
        return _core.array_data(_arrays_of(data, inputs, options))
    if isinstance(data, type):
        raise InvalidInput(f"{options.what}: got the class {data.__name__}, expected an instance of it")
    if hasattr(data, "get_next"):
        return _stored(_reader_feeds(data, options), inputs, options)
    if isinstance(data, (list, tuple)):
        feeds = list(_limited(_samples(data, inputs, options), options.limit))
        if not feeds:
            raise InvalidInput(f"{options.what}: got an empty {type_name(data)}, expected at least one sample")
        return _core.sample_data(feeds)
    if isinstance(data, Iterable) and not isinstance(data, (bytes, bytearray)):
        return _stored(_iterable_feeds(data, options), inputs, options)
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, (bytes, bytearray)):
        return _stored(_iterable_feeds(_items(data), options), inputs, options)
    raise InvalidInput(
        f"{options.what}: got data of type {type_name(data)}, expected a path, arrays by input name, a list or "
        "iterable of such mappings, or an object with get_next()"
    )


def _is_array(value: object) -> bool:
    return isinstance(value, numpy.ndarray) or (hasattr(value, "shape") and hasattr(value, "dtype"))


def _arrays_of(data: Any, inputs: Sequence[InputInfo], options: DataOptions) -> dict[str, CoreArray]:
    types = {name: kind for name, kind, _ in inputs}
    if not isinstance(data, Mapping):
        data = {_single_input(inputs, options): data}
    _require_names(data, options)
    arrays = {}
    for name, value in data.items():
        array = converted(as_numpy(value, name), types.get(name), name)
        arrays[name] = for_core(array if options.limit is None or array.ndim == 0 else array[: options.limit])
    return {name: array for name, array in arrays.items() if name not in options.fixed}


def _single_input(inputs: Sequence[InputInfo], options: DataOptions) -> str:
    if len(inputs) == 1:
        return inputs[0][0]
    names = "', '".join(name for name, _, _ in inputs)
    raise InvalidInput(f"{options.what}: got one array for a model of {len(inputs)} inputs, expected arrays by name: '{names}'")


def _reader_feeds(reader: Any, options: DataOptions) -> Iterator[Any]:
    first = _next_of(reader)
    for again in ("rewind", "reset_iter"):
        if first is None and hasattr(reader, again):  # it was read before
            getattr(reader, again)()
            first = _next_of(reader)
    if first is None:
        raise InvalidInput(
            f"{options.what}: the data reader yields no sample; if it was read before, make a new one or give it a "
            "method rewind()"
        )
    yield first
    while (feed := _next_of(reader)) is not None:
        yield feed


def _next_of(reader: Any) -> Any:
    try:
        return reader.get_next()
    except StopIteration:  # of an iterator inside the reader
        return None


def _iterable_feeds(data: Iterable[Any], options: DataOptions) -> Iterator[Any]:
    is_empty = True
    for feed in data:
        is_empty = False
        yield feed
    if is_empty:
        raise InvalidInput(
            f"{options.what}: the iterable yields no sample; a generator can be read only once, make a new one"
        )


def _items(dataset: Any) -> Iterator[Any]:
    return (dataset[index] for index in range(len(dataset)))


def _stored(feeds: Iterator[Any], inputs: Sequence[InputInfo], options: DataOptions) -> DataSource:
    writer = _core.SampleWriter(_core.memory_bytes(options.memory) // 4, options.cache_folder)
    for sample in _limited(_samples(feeds, inputs, options), options.limit):
        writer.add(sample)
    return writer.finish()


def _limited(samples: Iterator[dict[str, CoreArray]], limit: Optional[int]) -> Iterator[dict[str, CoreArray]]:
    for count, sample in enumerate(samples, 1):
        yield sample
        if count == limit:
            return


def _samples(feeds: Iterable[Any], inputs: Sequence[InputInfo], options: DataOptions) -> Iterator[dict[str, CoreArray]]:
    """The samples of feeds, of which each may hold several along the first axis."""
    by_name = {name: (kind, dimensions) for name, kind, dimensions in inputs}
    for index, feed in enumerate(feeds):
        arrays = {}
        for name, value in _named(feed, index, inputs, options).items():
            if name in options.fixed:
                continue
            kind, dimensions = by_name.get(name, (None, None))
            array = converted(as_numpy(value, name), kind, name)
            if dimensions is not None and array.ndim == len(dimensions) - 1:
                array = array[numpy.newaxis]  # a sample without the batch axis
            arrays[name] = array
        for row in _rows(arrays, inputs):
            yield {name: for_core(array) for name, array in row.items()}


def _named(feed: Any, index: int, inputs: Sequence[InputInfo], options: DataOptions) -> Feed:
    if isinstance(feed, Mapping):
        _require_names(feed, options)
        return feed
    if _is_array(feed):
        return {_single_input(inputs, options): feed}
    if isinstance(feed, (tuple, list)) and feed and isinstance(feed[0], Mapping):
        return _named(feed[0], index, inputs, options)  # (inputs, labels)
    if isinstance(feed, (tuple, list)) and len(feed) >= len(inputs) and all(map(_is_array, feed[: len(inputs)])):
        # In the order of the model's inputs; what follows are labels.
        return {name: value for (name, _, _), value in zip(inputs, feed)}
    raise InvalidInput(
        f"{options.what}: sample {index} is of type {type_name(feed)}, expected arrays by input name, or a tuple of "
        f"{len(inputs)} arrays"
    )


def _require_names(feed: Feed, options: DataOptions) -> None:
    for name in feed:
        if not isinstance(name, str):
            raise InvalidInput(f"{options.what}: got an input name of type {type_name(name)}, expected text")


def _rows(arrays: dict[str, Any], inputs: Sequence[InputInfo]) -> Iterator[dict[str, Any]]:
    """Splits a feed of several samples. It is one sample when an input of the model has another fixed first
    dimension than 1, or when the arrays have no common first axis."""
    counts = {array.shape[0] if array.ndim else 0 for array in arrays.values()}
    firsts = [dimensions[0] if dimensions else 0 for name, _, dimensions in inputs if name in arrays]
    is_open = all(not isinstance(first, int) or first == 1 for first in firsts)
    if len(counts) != 1 or not is_open or counts <= {0, 1}:
        yield arrays
        return
    for row in range(counts.pop()):
        yield {name: array[row : row + 1] for name, array in arrays.items()}


def load_labels(labels: Any, loaded: LoadedData) -> Optional[List[int]]:
    """Returns the class of each sample: of `labels` (a path, or integers) or, when it is None, those that came
    with the data."""
    if labels is None:
        return loaded.labels
    if isinstance(labels, (str, os.PathLike)):
        found: List[int] = _core.load_labels(os.fspath(labels), loaded.source, loaded.available)
        return found
    array = as_numpy(labels, "labels")
    if array.ndim > 1 and array.size != len(array):
        raise InvalidInput(f"data: labels have the shape {list(array.shape)}, expected one integer for each sample")
    array = array.reshape(-1)
    if array.dtype.kind not in "iu":
        raise InvalidInput(f"data: labels are {array.dtype.name}, expected integers")
    if len(array) < loaded.source.size:
        raise InvalidInput(f"data: got {len(array)} labels for {loaded.source.size} samples, expected one for each")
    values: List[int] = array[: loaded.source.size].tolist()
    return values
