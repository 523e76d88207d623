#include "quantsearch/data.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "data/array_data.h"
#include "data/labels.h"
#include "data/samples.h"
#include "data/test_sets.h"
#include "quantsearch/base/error.h"
#include "quantsearch/data/fixed_data.h"

namespace quantsearch {

namespace {

/// A source whose samples were checked and hashed in one pass when it was opened.
class CheckedData final : public DataSource {
 public:
  CheckedData(std::shared_ptr<const DataSource> source, Key key)
      : source_(std::move(source)), key_(key) {}

  [[nodiscard]] std::int64_t size() const override { return source_->size(); }
  [[nodiscard]] std::int64_t largest_batch() const override { return source_->largest_batch(); }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    return source_->read(first, count);
  }
  [[nodiscard]] Key content_key() const override { return key_; }

 private:
  std::shared_ptr<const DataSource> source_;
  Key key_;
};

std::shared_ptr<const DataSource> limited(std::shared_ptr<const DataSource> source,
                                          const DataOptions& options) {
  if (!options.limit) return source;
  if (*options.limit < 1) {
    throw InvalidInput(fmt::format("data: a limit of {} samples was asked for, expected at least 1",
                                   *options.limit));
  }
  const std::int64_t count = std::min(*options.limit, source->size());
  return subset(std::move(source), 0, count);
}

std::shared_ptr<const DataSource> checked(std::shared_ptr<const DataSource> source,
                                          const Model& model, const Origin& origin) {
  const Key key = check_samples(*source, model, origin);
  return std::make_shared<const CheckedData>(std::move(source), key);
}

bool is_image(const std::filesystem::path& file) {
  static constexpr std::array<std::string_view, 5> kExtensions = {".jpg", ".jpeg", ".png", ".bmp",
                                                                  ".JPEG"};
  return std::ranges::find(kExtensions, file.extension().string()) != kExtensions.end();
}

void refuse_images(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!is_image(entry.path())) continue;
    throw Unsupported(
        fmt::format("data: folder '{}' holds images, which this version does not read; decode and "
                    "preprocess them into an .npz with one array per model input",
                    folder.string()));
  }
}

}  // namespace

LoadedData open_data(const std::filesystem::path& path, const Model& model,
                     const DataOptions& options) {
  return open_data(path, model, options, {});
}

LoadedData open_data(const std::filesystem::path& path, const Model& model,
                     const DataOptions& options, const std::vector<std::string>& fixed) {
  LoadedData data;
  if (std::filesystem::is_directory(path)) {
    refuse_images(path);
    const Origin origin{.suffix = fmt::format(" of '{}'", path.string()), .names = {}};
    const auto sets = test_data_sets(path, model, fixed);
    data.available = sets->size();
    data.source = checked(limited(sets, options), model, origin);
    return data;
  }
  const ArrayFile file = open_arrays(path, options.cache_folder);
  const ArrayData arrays = arrays_as_samples(file, model, fixed);
  data.available = arrays.source->size();
  data.source = checked(limited(arrays.source, options), model, arrays.origin);
  const auto labels = file.arrays.find("labels");
  if (file.is_archive && labels != file.arrays.end() && !arrays.origin.uses("labels")) {
    data.labels = read_labels(*labels->second, describe_array("labels", path), data.available);
    data.labels->resize(static_cast<std::size_t>(data.source->size()));
  }
  return data;
}

}  // namespace quantsearch
