// Sources of samples.

#include "quantsearch/data.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "quantsearch/data/fixed_data.h"
#include "quantsearch/internal/base/sizes.h"
#include "samples.h"
#include "tensors.h"
#include "values.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

// Sources are passed as non-const pointers because nanobind has no holders of const types. Nothing
// here changes a source.
using Source = std::shared_ptr<DataSource>;

Source passed(std::shared_ptr<const DataSource> source) {
  return std::const_pointer_cast<DataSource>(std::move(source));
}

Source arrays(const nb::dict& by_name) {
  return passed(in_memory_data(to_batch(by_name, ArrayMemory::shared)));
}

Source samples(const nb::list& dicts) {
  std::vector<Batch> batches;
  for (nb::handle sample : dicts)
    batches.push_back(to_batch(nb::cast<nb::dict>(sample), ArrayMemory::shared));
  return passed(data_of(std::move(batches)));
}

/// (source, labels or None, number of samples before the limit, remarks).
nb::tuple open(const std::filesystem::path& path, const Model& model,
               std::optional<std::int64_t> limit, const std::filesystem::path& cache_folder,
               const std::vector<std::string>& fixed, const nb::object& preprocess) {
  DataOptions options{.limit = limit, .cache_folder = cache_folder};
  if (!preprocess.is_none())
    options.preprocess = parse_preprocess(to_value(preprocess, "preprocess"));
  const LoadedData loaded = [&] {
    const nb::gil_scoped_release released;
    return open_data(path, model, options, fixed);
  }();
  return nb::make_tuple(passed(loaded.source), loaded.labels, loaded.available, loaded.remarks);
}

nb::dict read(const DataSource& source, std::int64_t first, std::int64_t count) {
  const Batch batch = [&] {
    const nb::gil_scoped_release released;
    return source.read(first, count);
  }();
  return to_arrays(batch);
}

/// Names of the samples' files; empty when they have none.
std::vector<std::string> names_of(const DataSource& source) {
  std::vector<std::string> names;
  for (std::int64_t sample = 0; sample < source.size(); ++sample) {
    std::string name = source.sample_name(sample);
    if (name.empty()) return {};
    names.push_back(std::move(name));
  }
  return names;
}

/// Height and width of the image and of the sample, scale and start in x and y, and how.
using PlacingTuple = std::tuple<int, int, int, int, double, double, double, double, std::string>;

/// Where the images of the samples' files are; empty when one has none.
std::vector<PlacingTuple> placings_of(const DataSource& source) {
  std::vector<PlacingTuple> placings;
  for (std::int64_t sample = 0; sample < source.size(); ++sample) {
    const std::optional<ImagePlacing> placing = source.placing(sample);
    if (!placing) return {};
    const auto& [image, of_sample, scale_x, scale_y, left, top, how] = *placing;
    placings.emplace_back(image.height, image.width, of_sample.height, of_sample.width, scale_x,
                          scale_y, left, top, how);
  }
  return placings;
}

ImagePlacing to_placing(const PlacingTuple& tuple) {
  const auto& [height, width, sample_height, sample_width, scale_x, scale_y, left, top, how] =
      tuple;
  return {.image = {.height = height, .width = width},
          .sample = {.height = sample_height, .width = sample_width},
          .scale_x = scale_x,
          .scale_y = scale_y,
          .left = left,
          .top = top,
          .how = how};
}

void check(const DataSource& source, const Model& model) {
  const nb::gil_scoped_release released;
  check_data(source, model);
}

}  // namespace

void bind_data(nb::module_& module) {
  nb::class_<DataSource>(module, "DataSource")
      .def_prop_ro("size", &DataSource::size)
      .def_prop_ro("largest_batch", &DataSource::largest_batch)
      .def_prop_ro("names", &names_of)
      .def_prop_ro("placings", &placings_of)
      .def("read", &read, nb::arg("first"), nb::arg("count"));
  nb::class_<SampleWriter>(module, "SampleWriter")
      .def(nb::init<std::int64_t, std::filesystem::path>(), nb::arg("memory_bytes"),
           nb::arg("folder"))
      .def(
          "add",
          [](SampleWriter& writer, const nb::dict& sample) {
            writer.add(to_batch(sample, ArrayMemory::copied));
          },
          nb::arg("sample"))
      .def_prop_ro("count", &SampleWriter::count)
      .def_prop_ro("spilled_bytes", &SampleWriter::spilled_bytes)
      .def("finish", [](SampleWriter& writer) { return passed(writer.finish()); });
  module.def("array_data", &arrays, nb::arg("arrays"));
  module.def("sample_data", &samples, nb::arg("samples"));
  module.def("open_data", &open, nb::arg("path"), nb::arg("model"), nb::arg("limit").none(),
             nb::arg("cache_folder"), nb::arg("fixed"), nb::arg("preprocess").none());
  module.def(
      "subset",
      [](const Source& source, std::int64_t first, std::int64_t count) {
        return passed(subset(source, first, count));
      },
      nb::arg("source"), nb::arg("first"), nb::arg("count"));
  module.def(
      "with_names",
      [](const Source& source, std::vector<std::string> names,
         const std::vector<PlacingTuple>& tuples) {
        std::vector<ImagePlacing> placings;
        for (const PlacingTuple& tuple : tuples) placings.push_back(to_placing(tuple));
        return passed(with_names(source, std::move(names), std::move(placings)));
      },
      nb::arg("source"), nb::arg("names"), nb::arg("placings"));
  module.def("check_data", &check, nb::arg("source"), nb::arg("model"));
  module.def(
      "load_labels",
      [](const std::filesystem::path& file, const Source& source, std::int64_t available) {
        return load_labels(file, {.source = source, .available = available, .labels = {}});
      },
      nb::arg("file"), nb::arg("source"), nb::arg("available"),
      nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace quantsearch::python
