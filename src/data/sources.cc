// Sources made in code: arrays in memory, a callback, a part of another source.

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "data/samples.h"
#include "quantsearch/base/error.h"
#include "quantsearch/data.h"
#include "quantsearch/data/fixed_data.h"

namespace quantsearch {

namespace {

class InMemoryData final : public DataSource {
 public:
  explicit InMemoryData(std::map<std::string, Tensor> arrays) : arrays_(std::move(arrays)) {
    if (arrays_.empty()) throw InvalidInput("data: got no arrays, expected one per model input");
    for (const auto& [name, array] : arrays_) {
      if (array.shape().empty()) {
        throw InvalidInput(
            fmt::format("data: array '{}' is a scalar, expected a first axis of samples", name));
      }
      if (array.shape()[0] != size()) {
        throw InvalidInput(fmt::format(
            "data: array '{}' has {} samples and array '{}' has {}, expected as many in each",
            arrays_.begin()->first, size(), name, array.shape()[0]));
      }
    }
    if (size() == 0) {
      throw InvalidInput(fmt::format("data: array '{}' has no samples, expected at least one",
                                     arrays_.begin()->first));
    }
  }

  [[nodiscard]] std::int64_t size() const override { return arrays_.begin()->second.shape()[0]; }
  [[nodiscard]] std::int64_t largest_batch() const override { return size(); }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    check_request(*this, first, count);
    Batch batch;
    for (const auto& [name, array] : arrays_) batch[name] = array.rows(first, count);
    return batch;
  }
  [[nodiscard]] Key content_key() const override { return key_.of(*this); }

 private:
  std::map<std::string, Tensor> arrays_;
  KeyOnce key_;
};

/// Samples may differ in shape, so each is a batch of its own.
class CallbackData final : public DataSource {
 public:
  CallbackData(std::int64_t count, std::function<Batch(std::int64_t)> read_sample)
      : count_(count), read_sample_(std::move(read_sample)) {
    if (count_ < 1)
      throw InvalidInput(
          fmt::format("data: the callback gives {} samples, expected at least one", count_));
    if (!read_sample_)
      throw InvalidInput("data: got an empty callback, expected a function that reads a sample");
  }

  [[nodiscard]] std::int64_t size() const override { return count_; }
  [[nodiscard]] std::int64_t largest_batch() const override { return 1; }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    check_request(*this, first, count);
    return read_sample_(first);
  }
  [[nodiscard]] Key content_key() const override { return key_.of(*this); }

 private:
  std::int64_t count_;
  std::function<Batch(std::int64_t)> read_sample_;
  KeyOnce key_;
};

class Subset final : public DataSource {
 public:
  Subset(std::shared_ptr<const DataSource> source, std::int64_t first, std::int64_t count)
      : source_(std::move(source)), first_(first), count_(count) {
    if (first_ < 0 || count_ < 1 || first_ > source_->size() - count_) {
      throw InvalidInput(
          fmt::format("data: a subset of {} samples from {} was asked for, the source has {}",
                      count_, first_, source_->size()));
    }
  }

  [[nodiscard]] std::int64_t size() const override { return count_; }
  [[nodiscard]] std::int64_t largest_batch() const override {
    return std::min(count_, source_->largest_batch());
  }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    check_request(*this, first, count);
    return source_->read(first_ + first, count);
  }
  [[nodiscard]] std::string sample_name(std::int64_t sample) const override {
    return source_->sample_name(first_ + sample);
  }
  [[nodiscard]] std::optional<ImagePlacing> placing(std::int64_t sample) const override {
    return source_->placing(first_ + sample);
  }
  [[nodiscard]] Key content_key() const override {
    return count_ == source_->size() ? source_->content_key() : key_.of(*this);
  }

 private:
  std::shared_ptr<const DataSource> source_;
  std::int64_t first_;
  std::int64_t count_;
  KeyOnce key_;
};

/// Another source without some of its inputs.
class WithoutInputs final : public DataSource {
 public:
  WithoutInputs(std::shared_ptr<const DataSource> source, std::vector<std::string> names)
      : source_(std::move(source)), names_(std::move(names)) {}

  [[nodiscard]] std::int64_t size() const override { return source_->size(); }
  [[nodiscard]] std::int64_t largest_batch() const override { return source_->largest_batch(); }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    Batch batch = source_->read(first, count);
    for (const std::string& name : names_) batch.erase(name);
    return batch;
  }
  [[nodiscard]] std::string sample_name(std::int64_t sample) const override {
    return source_->sample_name(sample);
  }
  [[nodiscard]] std::optional<ImagePlacing> placing(std::int64_t sample) const override {
    return source_->placing(sample);
  }
  [[nodiscard]] Key content_key() const override { return key_.of(*this); }

 private:
  std::shared_ptr<const DataSource> source_;
  std::vector<std::string> names_;
  KeyOnce key_;
};

/// Another source whose samples have names, and perhaps placings, of their own.
class WithNames final : public DataSource {
 public:
  WithNames(std::shared_ptr<const DataSource> source, std::vector<std::string> names,
            std::vector<ImagePlacing> placings)
      : source_(std::move(source)), names_(std::move(names)), placings_(std::move(placings)) {}

  [[nodiscard]] std::int64_t size() const override { return source_->size(); }
  [[nodiscard]] std::int64_t largest_batch() const override { return source_->largest_batch(); }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    return source_->read(first, count);
  }
  [[nodiscard]] std::string sample_name(std::int64_t sample) const override {
    return names_.at(static_cast<std::size_t>(sample));
  }
  [[nodiscard]] std::optional<ImagePlacing> placing(std::int64_t sample) const override {
    if (placings_.empty()) return std::nullopt;
    return placings_.at(static_cast<std::size_t>(sample));
  }
  [[nodiscard]] Key content_key() const override { return source_->content_key(); }

 private:
  std::shared_ptr<const DataSource> source_;
  std::vector<std::string> names_;
  std::vector<ImagePlacing> placings_;
};

}  // namespace

std::string DataSource::sample_name(std::int64_t /*sample*/) const { return {}; }

std::optional<ImagePlacing> DataSource::placing(std::int64_t /*sample*/) const {
  return std::nullopt;
}

std::shared_ptr<const DataSource> without_inputs(std::shared_ptr<const DataSource> source,
                                                 const std::vector<std::string>& names) {
  if (names.empty()) return source;
  const Batch first = source->read(0, 1);
  const auto is_there = [&](const std::string& name) { return first.contains(name); };
  if (std::ranges::none_of(names, is_there)) return source;
  return std::make_shared<const WithoutInputs>(std::move(source), names);
}

std::shared_ptr<const DataSource> with_names(std::shared_ptr<const DataSource> source,
                                             std::vector<std::string> names,
                                             std::vector<ImagePlacing> placings) {
  const auto require_as_many = [&](std::size_t count, const char* what) {
    if (static_cast<std::int64_t>(count) == source->size()) return;
    throw InvalidInput(fmt::format("data: got {} {} for {} samples, expected one for each", count,
                                   what, source->size()));
  };
  require_as_many(names.size(), "names");
  if (!placings.empty()) require_as_many(placings.size(), "placings");
  return std::make_shared<const WithNames>(std::move(source), std::move(names),
                                           std::move(placings));
}

std::shared_ptr<const DataSource> in_memory_data(std::map<std::string, Tensor> arrays) {
  return std::make_shared<const InMemoryData>(std::move(arrays));
}

std::shared_ptr<const DataSource> callback_data(std::int64_t count,
                                                std::function<Batch(std::int64_t)> read_sample) {
  return std::make_shared<const CallbackData>(count, std::move(read_sample));
}

std::shared_ptr<const DataSource> subset(std::shared_ptr<const DataSource> source,
                                         std::int64_t first, std::int64_t count) {
  return std::make_shared<const Subset>(std::move(source), first, count);
}

}  // namespace quantsearch
