#include "data/test_sets.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "data/input_fit.h"
#include "data/samples.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// The number between `prefix` and `suffix`, when the name consists of only these three.
std::optional<int> numbered(std::string_view name, std::string_view prefix,
                            std::string_view suffix) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) ||
      name.size() <= prefix.size() + suffix.size()) {
    return std::nullopt;
  }
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  int number = 0;
  const auto result = std::from_chars(name.data(), name.data() + name.size(), number);
  if (result.ec != std::errc() || result.ptr != name.data() + name.size() || number < 0)
    return std::nullopt;
  return number;
}

/// Entries of `folder` named prefix + number + suffix, by number.
std::map<int, std::filesystem::path> numbered_entries(const std::filesystem::path& folder,
                                                      std::string_view prefix,
                                                      std::string_view suffix) {
  std::map<int, std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto number = numbered(entry.path().filename().string(), prefix, suffix);
    if (number) entries[*number] = entry.path();
  }
  return entries;
}

using Files = std::vector<std::filesystem::path>;

Files input_files(const std::filesystem::path& set) {
  if (!std::filesystem::is_directory(set)) {
    throw InvalidInput(fmt::format(
        "data: '{}' is a file, expected a folder of input_0.pb, input_1.pb, …", set.string()));
  }
  Files files;
  for (const auto& [number, file] : numbered_entries(set, "input_", ".pb")) {
    if (number != static_cast<int>(files.size())) {
      throw InvalidInput(fmt::format("data: '{}' has '{}' but no 'input_{}.pb'", set.string(),
                                     file.filename().string(), files.size()));
    }
    files.push_back(file);
  }
  if (files.empty())
    throw InvalidInput(fmt::format("data: '{}' has no 'input_0.pb'", set.string()));
  return files;
}

class TestSets final : public DataSource {
 public:
  TestSets(std::vector<Files> sets, ModelInputs inputs, std::vector<std::string> fixed)
      : sets_(std::move(sets)), inputs_(std::move(inputs)), fixed_(std::move(fixed)) {}

  [[nodiscard]] std::int64_t size() const override { return std::ssize(sets_); }
  [[nodiscard]] std::int64_t largest_batch() const override { return 1; }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    check_request(*this, first, count);
    return read_set(sets_[static_cast<std::size_t>(first)]);
  }
  [[nodiscard]] Key content_key() const override { return key_.of(*this); }

 private:
  [[nodiscard]] bool is_fixed(const std::string& name) const {
    return inputs_.find(name) == nullptr && std::ranges::find(fixed_, name) != fixed_.end();
  }

  [[nodiscard]] Batch read_set(const Files& all_files) const {
    std::vector<NamedTensor> tensors;
    Files files;
    Batch names;
    for (const std::filesystem::path& file : all_files) {
      NamedTensor loaded = load_tensor(file);
      if (is_fixed(loaded.name)) continue;
      files.push_back(file);
      tensors.push_back(std::move(loaded));
      if (inputs_.find(tensors.back().name) != nullptr) names[tensors.back().name] = {};
    }
    const bool by_name = names.size() == tensors.size();
    if (!by_name && tensors.size() > inputs_.required.size()) {
      throw InvalidInput(fmt::format("data: '{}' has {} inputs, the model takes {}: {}",
                                     all_files[0].parent_path().string(), tensors.size(),
                                     inputs_.required.size(), describe_inputs(inputs_)));
    }
    Batch batch;
    for (std::size_t index = 0; index < tensors.size(); ++index) {
      const ValueInfo& input =
          by_name ? *inputs_.find(tensors[index].name) : inputs_.required[index];
      batch[input.name] = fit(tensors[index].tensor, input, files[index]);
    }
    return batch;
  }

  [[nodiscard]] static Tensor fit(const Tensor& tensor, const ValueInfo& input,
                                  const std::filesystem::path& file) {
    if (!type_fits(tensor.type(), input.type)) {
      ValueInfo unnamed = input;
      unnamed.name.clear();
      throw InvalidInput(fmt::format("data: '{}' is {} {}, the model's input '{}' takes {}; {}",
                                     file.string(), to_string(tensor.type()),
                                     to_string(tensor.shape()), input.name, to_string(unnamed),
                                     way_out_of_type(tensor.type(), input.type)));
    }
    return as_type(tensor, input.type, fmt::format("'{}'", file.string()));
  }

  std::vector<Files> sets_;
  ModelInputs inputs_;
  std::vector<std::string> fixed_;
  KeyOnce key_;
};

}  // namespace

std::shared_ptr<const DataSource> test_data_sets(const std::filesystem::path& folder,
                                                 const Model& model,
                                                 const std::vector<std::string>& fixed) {
  std::vector<Files> sets;
  for (const auto& [number, set] : numbered_entries(folder, "test_data_set_", ""))
    sets.push_back(input_files(set));
  if (sets.empty()) {
    throw InvalidInput(
        fmt::format("data: folder '{}' has no 'test_data_set_0' with input_0.pb, input_1.pb, …, no "
                    "images and no "
                    "sounds; give a folder of one of these, an .npz or an .npy",
                    folder.string()));
  }
  return std::make_shared<const TestSets>(std::move(sets), model_inputs(model), fixed);
}

}  // namespace quantsearch
