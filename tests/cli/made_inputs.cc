#include "cli/made_inputs.h"

#include <gtest/gtest.h>

#include <sstream>

#include "data/numpy_files.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

namespace fs = std::filesystem;

Model small_model(const std::vector<float>& weight, const std::vector<float>& bias) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.weight("w", {4, 3}, weight);
  builder.weight("bias", {3}, bias);
  const std::string product = builder.node("MatMul", {"x", "w"}, {}, "product");
  const std::string positive = builder.node("Relu", {product}, {}, "positive");
  builder.output(builder.node("Add", {positive, "bias"}, {}, "sum"), {-1, 3});
  return builder.build_unchecked();
}

Model small_model() {
  return small_model(
      {0.5F, -0.25F, 0.125F, 1, 0.75F, -0.5F, 0.25F, -1, 0.375F, 0.625F, -0.125F, 0.875F},
      {0.1F, -0.2F, 0.3F});
}

std::vector<float> sample_values() {
  std::vector<float> values;
  for (int i = 0; i < 24; ++i) values.push_back(static_cast<float>(i % 7) * 0.25F - 0.5F);
  return values;
}

void write_model(const fs::path& file, const Model& model) {
  write_file_atomically(file, serialize_model(model));
}

void write_arrays(const fs::path& file, const std::map<std::string, Tensor>& arrays) {
  std::vector<ZipPart> parts;
  for (const auto& [name, tensor] : arrays)
    parts.push_back({.name = name + ".npy", .content = npy(tensor)});
  write_file_atomically(file, zip(parts));
}

void patch_file(const fs::path& file, const std::string& from, const std::string& to) {
  std::string content = read_file(file);
  const std::size_t place = content.find(from);
  ASSERT_NE(place, std::string::npos) << from;
  ASSERT_EQ(content.find(from, place + 1), std::string::npos) << from;
  ASSERT_EQ(from.size(), to.size());
  write_file_atomically(file, content.replace(place, from.size(), to));
}

std::string configuration_in(const std::filesystem::path& file) {
  std::string kept;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  command_line: ")) kept += line + '\n';
  }
  return kept;
}

std::map<std::string, std::string> content_of(const fs::path& folder) {
  std::map<std::string, std::string> content;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    content[entry.path().lexically_relative(folder).string()] =
        entry.is_regular_file() ? read_file(entry.path()) : "";
  }
  return content;
}

}  // namespace quantsearch::testing
