#include "data/samples.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <vector>

#include "data/input_fit.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::string describe(const Batch& batch) {
  std::vector<std::string> parts;
  for (const auto& [name, tensor] : batch) {
    parts.push_back(
        fmt::format("'{}' {} {}", name, to_string(tensor.type()), to_string(tensor.shape())));
  }
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

void check_names_and_shapes(const Batch& sample, std::int64_t number, const ModelInputs& inputs,
                            const Origin& origin) {
  const auto fail = [&](const std::string& reason, const std::string& way_out = "") {
    throw InvalidInput(fmt::format("data: sample {}{} {}: it has {}, the model takes {}{}", number,
                                   origin.suffix, reason, describe(sample), describe_inputs(inputs),
                                   way_out));
  };
  for (const ValueInfo& input : inputs.required) {
    if (!sample.contains(input.name)) fail(fmt::format("lacks input '{}'", input.name));
  }
  for (const auto& [name, tensor] : sample) {
    const ValueInfo* const input = inputs.find(name);
    if (input == nullptr) fail(fmt::format("has '{}', which is no input", name));
    const std::string reason = fmt::format("does not fit input '{}'", name);
    if (tensor.type() != input->type)
      fail(reason, "; " + way_out_of_type(tensor.type(), input->type));
    if (!shape_fits(tensor.shape(), *input)) fail(reason);
  }
}

void check_finite(const Batch& sample, std::int64_t number, const Origin& origin) {
  for (const auto& [name, tensor] : sample) {
    const NonFinite found = count_non_finite(tensor);
    if (found.nan == 0 && found.infinite == 0) continue;
    const auto array = origin.names.find(name);
    throw InvalidInput(fmt::format(
        "data: array '{}'{} holds {} in sample {}, expected finite numbers; fix or remove "
        "the sample",
        array == origin.names.end() ? name : array->second, origin.suffix,
        found.nan != 0 ? "NaN" : "an infinite value", number));
  }
}

void add_sample(KeyBuilder& key, const Batch& sample) {
  key.add(std::ssize(sample));
  for (const auto& [name, tensor] : sample) {
    key.add(name).add(static_cast<int>(tensor.type())).add(std::ssize(tensor.shape()));
    for (const std::int64_t size : tensor.shape()) key.add(size);
    if (tensor.type() == DataType::string) {
      for (const std::string& text : tensor.strings()) key.add(text);
    } else {
      key.add(tensor.bytes());
    }
  }
}

template <typename Visit>
Key walk_samples(const DataSource& source, const Visit& visit) {
  KeyBuilder key;
  key.add("samples").add(source.size());
  for (std::int64_t number = 0; number < source.size(); ++number) {
    const Batch sample = source.read(number, 1);
    visit(sample, number);
    add_sample(key, sample);
  }
  return key.finish();
}

}  // namespace

void check_request(const DataSource& source, std::int64_t first, std::int64_t count) {
  if (count < 1 || count > source.largest_batch() || first < 0 || first > source.size() - count) {
    throw InvalidInput(fmt::format(
        "data: {} samples from {} were asked for, the source has {} and gives up to {} at once",
        count, first, source.size(), source.largest_batch()));
  }
}

Key check_samples(const DataSource& source, const Model& model, const Origin& origin) {
  if (source.size() < 1) {
    throw InvalidInput(
        fmt::format("data: the source{} has no samples, expected at least one", origin.suffix));
  }
  const ModelInputs inputs = model_inputs(model);
  return walk_samples(source, [&](const Batch& sample, std::int64_t number) {
    check_names_and_shapes(sample, number, inputs, origin);
    check_finite(sample, number, origin);
  });
}

Key hash_samples(const DataSource& source) {
  return walk_samples(source, [](const Batch&, std::int64_t) {});
}

void check_data(const DataSource& source, const Model& model) {
  (void)check_samples(source, model, {});
}

}  // namespace quantsearch
