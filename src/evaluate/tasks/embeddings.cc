#include "evaluate/tasks/embeddings.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

double similarity(const Embedding& a, const Embedding& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    for (std::size_t i = first; i <= last; ++i)
      ranks[order[i]] = static_cast<double>(first + last) / 2;
    first = last + 1;
  }
  return ranks;
}

double correlation(std::span<const double> a, std::span<const double> b) {
  const auto mean = [](std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  const double mean_a = mean(a);
  const double mean_b = mean(b);
  double together = 0;
  double alone_a = 0;
  double alone_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    together += (a[i] - mean_a) * (b[i] - mean_b);
    alone_a += (a[i] - mean_a) * (a[i] - mean_a);
    alone_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (alone_a == 0 || alone_b == 0) return alone_a == alone_b ? 1 : 0;
  return std::clamp(together / std::sqrt(alone_a * alone_b), -1.0, 1.0);
}

double rank_correlation(std::span<const double> a, std::span<const double> b) {
  return correlation(ranks_of(a), ranks_of(b));
}

Pooling::Pooling(const TaskOptions& options, const TaskData& data)
    : options_(options),
      samples_(data.samples),
      output_(only_output(options, data.float_model)),
      method_(options.choice("pooling", {"mean", "first", "last", "max", "none"})),
      mask_(options.text("mask")) {
  std::vector<std::string> inputs;
  for (const ValueInfo& input : data.float_model.graph.inputs) inputs.push_back(input.name);
  const std::string usual = "attention_mask";
  const bool has_usual = std::ranges::find(inputs, usual) != inputs.end();
  if (mask_.empty() && has_usual && method_ != "first" && method_ != "none") mask_ = usual;
  if (!mask_.empty() && std::ranges::find(inputs, mask_) == inputs.end())
    throw InvalidInput(options.prefix() + unknown_name_message("mask, an input", mask_, inputs));
}

std::vector<double> Pooling::weights(std::int64_t number, std::int64_t tokens) const {
  if (mask_.empty()) return std::vector<double>(static_cast<std::size_t>(tokens), 1.0);
  const Batch inputs = samples_->read(number, 1);
  const Tensor mask = to_float32(inputs.at(mask_));
  if (mask.size() != tokens) {
    throw InvalidInput(
        fmt::format("{}the mask '{}' has shape {} for sample {} and output '{}' has {} tokens, "
                    "expected as many",
                    options_.prefix(), mask_, to_string(mask.shape()), number, output_, tokens));
  }
  return {mask.values<float>().begin(), mask.values<float>().end()};
}

Embedding Pooling::pooled(const Sample& sample, std::int64_t number) const {
  const std::size_t width = row_length(sample.shape);
  const std::size_t tokens = sample.values.size() / width;
  const std::vector<double> weight = weights(number, static_cast<std::int64_t>(tokens));
  Embedding result(width);
  const auto token = [&](std::size_t index) { return sample.values.subspan(index * width, width); };
  if (method_ == "first" || method_ == "last") {
    std::size_t chosen = 0;
    for (std::size_t i = 0; method_ == "last" && i < tokens; ++i)
      if (weight[i] > 0) chosen = i;
    std::ranges::copy(token(chosen), result.begin());
    return result;
  }
  double total = 0;
  std::vector<double> sums(width, method_ == "max" ? -1e300 : 0);
  for (std::size_t i = 0; i < tokens; ++i) {
    if (weight[i] <= 0) continue;
    total += weight[i];
    for (std::size_t j = 0; j < width; ++j) {
      const double value = token(i)[j];
      sums[j] = method_ == "max" ? std::max(sums[j], value) : sums[j] + weight[i] * value;
    }
  }
  if (total == 0) return result;
  for (std::size_t j = 0; j < width; ++j)
    result[j] = static_cast<float>(method_ == "max" ? sums[j] : sums[j] / total);
  return result;
}

Embedding Pooling::embed(const Sample& sample, std::int64_t number) const {
  const std::size_t rank = sample.shape.size();
  const bool is_vector = method_ == "none" || rank <= 2;
  if (sample.values.empty() || (!is_vector && (rank != 3 || sample.shape[0] != 1))) {
    throw InvalidInput(
        fmt::format("{}output '{}' has shape {} for one sample, expected "
                    "[1, width] or [1, tokens, width]; 'pooling: none' takes all of "
                    "it as one vector",
                    options_.prefix(), output_, to_string(sample.shape)));
  }
  Embedding result =
      is_vector ? Embedding(sample.values.begin(), sample.values.end()) : pooled(sample, number);
  double energy = 0;
  for (const float value : result) energy += static_cast<double>(value) * value;
  if (energy == 0) return result;
  for (float& value : result) value = static_cast<float>(value / std::sqrt(energy));
  return result;
}

void Embeddings::add(std::int64_t first, std::int64_t count, const Batch& outputs) {
  const Tensor values = to_float32(outputs.at(pooling_.output()));
  for (std::int64_t i = 0; i < count; ++i)
    entry(first + i) = pooling_.embed(sample_of(values, i, count), first + i);
}

std::vector<TaskKey> pooling_keys() {
  return {{"output", "the output with the embedding", "the only one"},
          {"pooling",
           "what makes one vector of an output [n, tokens, width]: mean, first, last, max, or none "
           "(all of it)",
           "mean"},
          {"mask", "input that says which tokens count", "attention_mask where there is one"}};
}

}  // namespace quantsearch
