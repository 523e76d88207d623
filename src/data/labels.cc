#include "data/labels.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "data/input_fit.h"
#include "data/named_labels.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

Labels read_labels(const StoredArray& array, const std::string& description,
                   std::int64_t expected) {
  const Shape& shape = array.shape();
  const bool is_list = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
  if (!is_integer(array.type()) || !is_list) {
    throw InvalidInput(fmt::format("labels: {} is {} {}, expected integers, one for each sample",
                                   description, to_string(array.type()), to_string(shape)));
  }
  if (shape[0] != expected) {
    throw InvalidInput(fmt::format("labels: {} has {} labels, expected {}, one for each sample",
                                   description, shape[0], expected));
  }
  Labels labels = to_int64s(as_type(array.rows(0, shape[0]), DataType::int64, description));
  const auto negative = std::ranges::find_if(labels, [](std::int64_t label) { return label < 0; });
  if (negative != labels.end()) {
    throw InvalidInput(
        fmt::format("labels: {} has label {} for sample {}, expected class indices from 0",
                    description, *negative, negative - labels.begin()));
  }
  return labels;
}

namespace {

struct ChosenArray {
  std::shared_ptr<const StoredArray> array;
  std::string description;
};

/// The array `name` of the file, or its only one.
ChosenArray choose_array(const std::filesystem::path& file, const std::string& name = "labels") {
  const ArrayFile arrays = open_arrays(file);
  auto chosen = arrays.arrays.find(name);
  if (chosen == arrays.arrays.end() && arrays.arrays.size() == 1) chosen = arrays.arrays.begin();
  if (chosen == arrays.arrays.end()) {
    std::vector<std::string> names;
    for (const auto& [other, array] : arrays.arrays) names.push_back(fmt::format("'{}'", other));
    throw InvalidInput(fmt::format(
        "{0}: '{1}' has {2}, expected an array '{0}' or a single one", name, file.string(),
        names.empty() ? "no arrays" : fmt::format("{}", fmt::join(names, ", "))));
  }
  return {.array = chosen->second, .description = describe_array(chosen->first, file)};
}

}  // namespace

Tensor load_array(const std::filesystem::path& file, const std::string& name) {
  const ChosenArray chosen = choose_array(file, name);
  const Shape& shape = chosen.array->shape();
  if (shape.empty()) {
    throw InvalidInput(
        fmt::format("{}: {} is a single number, expected an array", name, chosen.description));
  }
  return chosen.array->rows(0, shape[0]);
}

Labels load_labels(const std::filesystem::path& file, std::int64_t expected) {
  const ChosenArray chosen = choose_array(file);
  return read_labels(*chosen.array, chosen.description, expected);
}

Labels load_labels(const std::filesystem::path& file, const LoadedData& data) {
  const bool have_no_names = data.source->sample_name(0).empty();
  if (is_label_text(file) == have_no_names) {
    throw InvalidInput(fmt::format("labels: got '{}', expected {}", file.string(),
                                   have_no_names
                                       ? "an .npy or .npz with one label for each sample"
                                       : "a .csv or .txt that names the files of the samples"));
  }
  if (is_label_text(file)) return read_named_labels(file, *data.source);
  const ChosenArray chosen = choose_array(file);
  const std::int64_t used = data.source->size();
  const Shape& shape = chosen.array->shape();
  const std::int64_t given = shape.empty() ? 0 : shape[0];
  const bool fits = given == used || given == data.available;
  if (!shape.empty() && !fits && used != data.available) {
    throw InvalidInput(
        fmt::format("labels: {} has {} labels, expected {}, one for each sample, or {}, one for "
                    "each sample within the limit",
                    chosen.description, given, data.available, used));
  }
  Labels labels = read_labels(*chosen.array, chosen.description, fits ? given : data.available);
  labels.resize(static_cast<std::size_t>(used));
  return labels;
}

}  // namespace quantsearch
