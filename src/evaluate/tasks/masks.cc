#include "evaluate/tasks/masks.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "evaluate/tasks/named_truth.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/data/named_arrays.h"

namespace quantsearch {

namespace {

constexpr const char* kMasks = "masks";

class MaskReader {
 public:
  MaskReader(const TaskOptions& options, const DataSource& samples)
      : options_(options), samples_(samples), place_(options.text(kMasks)) {}

  [[nodiscard]] std::vector<LabelMap> read(std::int64_t first) const {
    const bool is_folder = std::filesystem::is_directory(place_);
    if (!have_names(samples_)) {
      if (!is_folder) return in_order(first);
      options_.refuse(kMasks, fmt::format("'{}' is a folder, whose masks are found by the names of "
                                          "images, and the samples have none; expected an array",
                                          place_.string()));
    }
    const auto arrays = named_arrays();
    return is_folder || are_masks_of_samples(*arrays) ? by_name(*arrays) : in_order(first);
  }

 private:
  [[nodiscard]] std::unique_ptr<const NamedArrays> named_arrays() const {
    try {
      return open_named_arrays(place_);
    } catch (const InvalidInput& error) {
      options_.refuse(kMasks, error.what());
    }
  }

  /// An array of all masks is the only one and has three axes, or is `masks` among several.
  [[nodiscard]] static bool are_masks_of_samples(const NamedArrays& arrays) {
    const std::vector<std::string>& names = arrays.names();
    if (names.size() > 1) return std::ranges::find(names, kMasks) == names.end();
    return arrays.read(0).shape().size() == 2;
  }

  [[nodiscard]] std::vector<LabelMap> by_name(const NamedArrays& arrays) const {
    const NamedTruth truth{.key = kMasks, .entry = "mask for", .names = arrays.names()};
    std::vector<LabelMap> masks;
    for (const std::size_t entry : entries_of(samples_, truth, options_))
      masks.emplace_back(classes_in(read_one(arrays, entry)));
    return masks;
  }

  [[nodiscard]] Tensor read_one(const NamedArrays& arrays, std::size_t entry) const {
    try {
      return arrays.read(entry);
    } catch (const InvalidInput& error) {
      options_.refuse(kMasks, error.what());
    }
  }

  [[nodiscard]] std::vector<LabelMap> in_order(std::int64_t first) const {
    const std::int64_t samples = samples_.size();
    const std::vector<std::int64_t> all = classes_in(truth_rows(options_, kMasks, first, samples));
    const std::size_t pixels = all.size() / static_cast<std::size_t>(samples);
    std::vector<LabelMap> masks;
    for (std::size_t place = 0; place < all.size(); place += pixels)
      masks.emplace_back(std::span(all).subspan(place, pixels));
    return masks;
  }

  [[nodiscard]] std::vector<std::int64_t> classes_in(const Tensor& masks) const {
    if (!is_integer(masks.type())) {
      options_.refuse(kMasks, fmt::format("'{}' holds {}, expected integers", place_.string(),
                                          to_string(masks.type())));
    }
    // Exact, because class numbers are small.
    const Tensor values = to_float32(masks);
    std::vector<std::int64_t> classes;
    for (const float value : values.values<float>()) classes.push_back(std::llround(value));
    return classes;
  }

  const TaskOptions& options_;
  const DataSource& samples_;
  std::filesystem::path place_;
};

}  // namespace

std::vector<LabelMap> read_masks(const TaskOptions& options, const DataSource& samples,
                                 std::int64_t first) {
  return MaskReader(options, samples).read(first);
}

}  // namespace quantsearch
