#include "quantsearch/internal/data/named_arrays.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "data/stored_array.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

namespace {

/// All of an array. Throws InvalidInput naming it.
Tensor whole(const StoredArray& array, const std::string& description) {
  const Shape& shape = array.shape();
  if (shape.empty())
    throw InvalidInput(fmt::format("{} is a single number, expected an array", description));
  return array.rows(0, shape[0]);
}

class ArchivedArrays final : public NamedArrays {
 public:
  explicit ArchivedArrays(ArrayFile file) : file_(std::move(file)) {
    for (const auto& [name, array] : file_.arrays) names_.push_back(name);
  }
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] Tensor read(std::size_t index) const override {
    const std::string& name = names_[index];
    return whole(*file_.arrays.at(name), describe_array(name, file_.path));
  }

 private:
  ArrayFile file_;
  std::vector<std::string> names_;
};

class ArrayFolder final : public NamedArrays {
 public:
  explicit ArrayFolder(const std::filesystem::path& folder) {
    using Walk = std::filesystem::recursive_directory_iterator;
    for (auto entry = Walk(folder); entry != Walk(); ++entry) {
      const std::filesystem::path& path = entry->path();
      const bool is_hidden = path.filename().string().starts_with('.');
      if (is_hidden) entry.disable_recursion_pending();
      const bool is_array = path.extension() == ".npy" || path.extension() == ".png";
      if (!is_hidden && is_array && entry->is_regular_file()) files_.push_back(path);
    }
    std::ranges::sort(files_);
    for (const std::filesystem::path& file : files_)
      names_.push_back(file.lexically_relative(folder).replace_extension().generic_string());
  }
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] Tensor read(std::size_t index) const override {
    const std::filesystem::path& file = files_[index];
    if (file.extension() == ".png") return read_png(file);
    const ArrayFile arrays = open_arrays(file);
    return whole(*arrays.arrays.begin()->second, fmt::format("'{}'", file.string()));
  }

 private:
  static Tensor read_png(const std::filesystem::path& file) {
    const std::string content = read_file(file);
    try {
      return decode_classes(std::as_bytes(std::span(content)));
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("'{}' cannot be read: {}", file.string(), error.what()));
    }
  }

  std::vector<std::filesystem::path> files_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<const NamedArrays> open_named_arrays(const std::filesystem::path& place) {
  std::unique_ptr<const NamedArrays> arrays;
  if (std::filesystem::is_directory(place)) {
    arrays = std::make_unique<const ArrayFolder>(place);
    if (arrays->names().empty()) {
      throw InvalidInput(fmt::format(
          "folder '{}' has no .npy and no .png file, expected at least one", place.string()));
    }
  } else {
    arrays = std::make_unique<const ArchivedArrays>(open_arrays(place));
    if (arrays->names().empty())
      throw InvalidInput(fmt::format("'{}' has no arrays, expected at least one", place.string()));
  }
  return arrays;
}

}  // namespace quantsearch
