#include "quantsearch/data.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "data/array_data.h"
#include "data/labels.h"
#include "data/media_data.h"
#include "data/media_listing.h"
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
  [[nodiscard]] std::string sample_name(std::int64_t sample) const override {
    return source_->sample_name(sample);
  }
  [[nodiscard]] std::optional<ImagePlacing> placing(std::int64_t sample) const override {
    return source_->placing(sample);
  }
  [[nodiscard]] Key content_key() const override { return key_; }

 private:
  std::shared_ptr<const DataSource> source_;
  Key key_;
};

void require_limit(const DataOptions& options) {
  if (options.limit && *options.limit < 1) {
    throw InvalidInput(fmt::format("data: a limit of {} samples was asked for, expected at least 1",
                                   *options.limit));
  }
}

std::shared_ptr<const DataSource> limited(std::shared_ptr<const DataSource> source,
                                          const DataOptions& options) {
  if (!options.limit) return source;
  const std::int64_t count = std::min(*options.limit, source->size());
  return subset(std::move(source), 0, count);
}

/// Arrays are taken as they are.
void remark_on_preprocess(LoadedData& data, const std::filesystem::path& path,
                          const DataOptions& options) {
  if (!options.preprocess) return;
  data.remarks.push_back(fmt::format(
      "data: '{}' holds arrays, which are taken as they are; the preprocess has no effect on them",
      path.string()));
}

std::shared_ptr<const DataSource> checked(std::shared_ptr<const DataSource> source,
                                          const Model& model, const Origin& origin) {
  const Key key = check_samples(*source, model, origin);
  return std::make_shared<const CheckedData>(std::move(source), key);
}

bool holds_test_sets(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator entries(folder);
  return std::any_of(begin(entries), end(entries), [](const auto& entry) {
    return entry.path().filename().string().starts_with("test_data_set_");
  });
}

LoadedData open_folder(const std::filesystem::path& path, const Model& model,
                       const DataOptions& options, const std::vector<std::string>& fixed) {
  const Origin origin{.suffix = fmt::format(" of '{}'", path.string()), .names = {}};
  LoadedData data;
  if (const auto listing = holds_test_sets(path) ? std::nullopt : list_media(path)) {
    data = media_data({.folder = path, .listing = *listing, .model = model, .options = options});
    data.source = checked(data.source, model, origin);
    return data;
  }
  const auto sets = test_data_sets(path, model, fixed);
  data.available = sets->size();
  data.source = checked(limited(sets, options), model, origin);
  remark_on_preprocess(data, path, options);
  return data;
}

}  // namespace

LoadedData open_data(const std::filesystem::path& path, const Model& model,
                     const DataOptions& options) {
  return open_data(path, model, options, {});
}

LoadedData open_data(const std::filesystem::path& path, const Model& model,
                     const DataOptions& options, const std::vector<std::string>& fixed) {
  require_limit(options);
  if (std::filesystem::is_directory(path)) return open_folder(path, model, options, fixed);
  LoadedData data;
  const ArrayFile file = open_arrays(path, options.cache_folder);
  const ArrayData arrays = arrays_as_samples(file, model, fixed);
  data.available = arrays.source->size();
  data.source = checked(limited(arrays.source, options), model, arrays.origin);
  const auto labels = file.arrays.find("labels");
  if (file.is_archive && labels != file.arrays.end() && !arrays.origin.uses("labels")) {
    data.labels = read_labels(*labels->second, describe_array("labels", path), data.available);
    data.labels->resize(static_cast<std::size_t>(data.source->size()));
  }
  remark_on_preprocess(data, path, options);
  return data;
}

}  // namespace quantsearch
