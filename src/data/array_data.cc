#include "data/array_data.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "data/input_fit.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

using Arrays = std::map<std::string, std::shared_ptr<const StoredArray>>;

struct Column {
  ValueInfo input;
  std::string description;  // "array 'x' of 'file.npz'"
  std::shared_ptr<const StoredArray> array;
  // A sample loses the first axis of the array; otherwise it is a row with a first axis of 1.
  bool drops_axis = false;
};

std::string describe(const Arrays& arrays) {
  std::vector<std::string> parts;
  for (const auto& [name, array] : arrays) {
    parts.push_back(
        fmt::format("'{}' {} {}", name, to_string(array->type()), to_string(array->shape())));
  }
  return parts.empty() ? "no arrays" : fmt::format("{}", fmt::join(parts, ", "));
}

class ArraySource final : public DataSource {
 public:
  explicit ArraySource(std::vector<Column> columns) : columns_(std::move(columns)) {
    for (const Column& column : columns_) {
      const auto& dimensions = column.input.dimensions;
      const bool always_one = dimensions && !dimensions->empty() && dimensions->front().size == 1;
      if (column.drops_axis || always_one) largest_batch_ = 1;
    }
    largest_batch_ = std::min(largest_batch_, size());
  }

  [[nodiscard]] std::int64_t size() const override { return columns_[0].array->shape()[0]; }
  [[nodiscard]] std::int64_t largest_batch() const override { return largest_batch_; }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    check_request(*this, first, count);
    Batch batch;
    for (const Column& column : columns_) {
      Tensor rows = column.array->rows(first, count);
      if (column.drops_axis)
        rows = rows.reshaped(Shape(rows.shape().begin() + 1, rows.shape().end()));
      batch[column.input.name] = as_type(rows, column.input.type, column.description);
    }
    return batch;
  }
  [[nodiscard]] Key content_key() const override { return key_.of(*this); }

 private:
  std::vector<Column> columns_;
  std::int64_t largest_batch_ = std::numeric_limits<std::int64_t>::max();
  KeyOnce key_;
};

constexpr const char* kWayOutOfShape =
    "; bring every sample to that shape as in the model's training";

/// Decides whether samples of the array lose its first axis. Throws InvalidInput when type or shape
/// cannot fit.
Column fit_column(const ValueInfo& input, const std::string& name,
                  const std::shared_ptr<const StoredArray>& array,
                  const std::filesystem::path& path) {
  Column column{.input = input,
                .description = describe_array(name, path),
                .array = array,
                .drops_axis = false};
  const Shape& shape = array->shape();
  const auto fail = [&](const std::string& way_out) {
    ValueInfo unnamed = input;
    unnamed.name.clear();
    throw InvalidInput(fmt::format("data: {} is {} {}, the model's input '{}' takes {}{}",
                                   column.description, to_string(array->type()), to_string(shape),
                                   input.name, to_string(unnamed), way_out));
  };
  if (!type_fits(array->type(), input.type))
    fail("; " + way_out_of_type(array->type(), input.type));
  if (shape.empty()) fail("; give it a first axis of samples");
  if (shape[0] == 0)
    throw InvalidInput(
        fmt::format("data: {} has no samples, expected at least one", column.description));
  if (!input.dimensions) return column;

  const Shape sample(shape.begin() + 1, shape.end());
  if (shape.size() == input.dimensions->size() + 1) {
    column.drops_axis = true;
    if (!shape_fits(sample, input)) fail(kWayOutOfShape);
    return column;
  }
  Shape row = shape;
  const std::int64_t always =
      input.dimensions->empty() ? 1 : input.dimensions->front().size.value_or(1);
  row[0] = always;
  if (!shape_fits(row, input)) fail(kWayOutOfShape);
  if (always == 0) fail("; a first axis of 0 takes no sample, export the model with an open one");
  if (always != 1) {
    fail(
        fmt::format(", {0} samples in every run; export the model with an open first axis, or give "
                    "the array one more axis in front so that each sample is {0} rows",
                    always));
  }
  return column;
}

/// The name of the array for each input that has one.
std::map<std::string, std::string> match_names(const Arrays& arrays, const ModelInputs& inputs,
                                               const std::filesystem::path& path) {
  if (arrays.size() == 1 && inputs.required.size() == 1) {
    return {{inputs.required[0].name, arrays.begin()->first}};
  }
  const auto fail = [&](const std::string& reason) {
    throw InvalidInput(
        fmt::format("data: '{}' {}: it has {}, the model takes {}; save one array for each input "
                    "under its name",
                    path.string(), reason, describe(arrays), describe_inputs(inputs)));
  };
  std::map<std::string, std::string> names;
  for (const ValueInfo& input : inputs.required) {
    if (!arrays.contains(input.name)) fail(fmt::format("lacks an array '{}'", input.name));
  }
  for (const auto& [name, array] : arrays) {
    if (inputs.find(name) == nullptr) fail(fmt::format("has an array '{}' that is no input", name));
    names[name] = name;
  }
  return names;
}

}  // namespace

ArrayData arrays_as_samples(const ArrayFile& file, const Model& model,
                            const std::vector<std::string>& fixed) {
  const ModelInputs inputs = model_inputs(model);
  Arrays arrays = file.arrays;
  if (file.is_archive && inputs.find("labels") == nullptr) arrays.erase("labels");
  for (const std::string& name : fixed) {
    if (inputs.find(name) == nullptr) arrays.erase(name);
  }
  ArrayData data{.source = nullptr,
                 .origin = {.suffix = fmt::format(" of '{}'", file.path.string()), .names = {}}};
  data.origin.names = match_names(arrays, inputs, file.path);
  if (data.origin.names.empty()) {
    throw InvalidInput(fmt::format("data: the model takes no inputs, so '{}' cannot be its data",
                                   file.path.string()));
  }
  std::vector<Column> columns;
  for (const auto& [input, name] : data.origin.names) {
    columns.push_back(fit_column(*inputs.find(input), name, arrays.at(name), file.path));
    const std::int64_t first = columns[0].array->shape()[0];
    const std::int64_t last = columns.back().array->shape()[0];
    if (first != last) {
      throw InvalidInput(
          fmt::format("data: {} has {} samples and {} has {}, expected as many in each",
                      columns[0].description, first, columns.back().description, last));
    }
  }
  data.source = std::make_shared<const ArraySource>(std::move(columns));
  return data;
}

}  // namespace quantsearch
