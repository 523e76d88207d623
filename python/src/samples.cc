#include "samples.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::python {

namespace {

/// True when the samples can be stacked: equal types and shapes with a first axis of 1.
bool are_stackable(const std::vector<Batch>& samples) {
  const auto alike = [&first = samples.front()](const Batch& sample) {
    return std::ranges::equal(first, sample, [](const auto& a, const auto& b) {
      const Tensor& tensor = b.second;
      return a.second.type() == tensor.type() && a.second.shape() == tensor.shape() &&
             !tensor.shape().empty() && tensor.shape()[0] == 1 && !tensor.bytes().empty();
    });
  };
  return std::ranges::all_of(samples, alike);
}

class SampleData final : public DataSource {
 public:
  explicit SampleData(std::vector<Batch> samples)
      : samples_(std::move(samples)),
        largest_batch_(are_stackable(samples_) ? size() : 1),
        // A source with the same values, whose key identifies them.
        keyed_(callback_data(size(), [this](std::int64_t index) { return at(index); })) {}

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(samples_.size());
  }
  [[nodiscard]] std::int64_t largest_batch() const override { return largest_batch_; }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    if (first < 0 || count < 1 || count > largest_batch_ || first > size() - count) {
      throw InvalidInput(fmt::format("data: samples {} to {} were asked for, there are {}", first,
                                     first + count, size()));
    }
    if (count == 1) return at(first);
    Batch batch;
    for (const auto& [name, tensor] : at(first)) {
      std::vector<Tensor> rows;
      for (std::int64_t index = first; index < first + count; ++index)
        rows.push_back(at(index).at(name));
      batch[name] = concatenate_rows(rows);
    }
    return batch;
  }
  [[nodiscard]] Key content_key() const override { return keyed_->content_key(); }

 private:
  [[nodiscard]] const Batch& at(std::int64_t index) const { return samples_[to_size(index)]; }

  std::vector<Batch> samples_;
  std::int64_t largest_batch_;
  std::shared_ptr<const DataSource> keyed_;
};

std::vector<std::string> names_of(const Batch& sample) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : sample) names.push_back(name);
  return names;
}

}  // namespace

std::shared_ptr<const DataSource> data_of(std::vector<Batch> samples) {
  if (samples.empty()) throw InvalidInput("data: got no samples, expected at least one");
  const std::vector<std::string> names = names_of(samples.front());
  for (std::size_t index = 1; index < samples.size(); ++index) {
    if (const auto others = names_of(samples[index]); others != names) {
      throw InvalidInput(
          fmt::format("data: sample {} has the inputs '{}', expected '{}' as in the first sample",
                      index, fmt::join(others, "', '"), fmt::join(names, "', '")));
    }
  }
  return std::make_shared<const SampleData>(std::move(samples));
}

SampleWriter::SampleWriter(std::int64_t memory_bytes, std::filesystem::path folder)
    : free_bytes_(memory_bytes), folder_(std::move(folder)) {}

SampleWriter::Place SampleWriter::place_of(const std::string& name, Tensor tensor) {
  Place place{.name = name, .tensor = {}, .type = tensor.type(), .shape = tensor.shape()};
  place.bytes = static_cast<std::int64_t>(tensor.bytes().size());
  if (place.bytes <= free_bytes_ || tensor.type() == DataType::string) {
    free_bytes_ -= place.bytes;
    place.tensor = std::move(tensor);
    return place;
  }
  if (!file_) {
    file_ = std::make_unique<SpillFile>(folder_.empty() ? temporary_folder() : folder_,
                                        SpillWording{.content = "samples of a data reader"});
  }
  place.offset = file_->append(tensor.bytes());
  return place;
}

void SampleWriter::add(Batch sample) {
  std::vector<Place> places;
  for (auto& entry : sample) places.push_back(place_of(entry.first, std::move(entry.second)));
  samples_.push_back(std::move(places));
}

std::shared_ptr<const DataSource> SampleWriter::finish() {
  const MappedFile map = file_ ? file_->map() : MappedFile{};
  std::vector<Batch> samples;
  for (std::vector<Place>& places : samples_) {
    Batch sample;
    for (Place& place : places) {
      sample[place.name] =
          place.tensor.is_defined()
              ? std::move(place.tensor)
              : Tensor::wrapping(place.type, std::move(place.shape), map.owner,
                                 map.bytes.subspan(to_size(place.offset), to_size(place.bytes)));
    }
    samples.push_back(std::move(sample));
  }
  return data_of(std::move(samples));
}

}  // namespace quantsearch::python
