#pragma once

// A small model and its data, and the ways to spoil them, for the tests of the commands.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch::testing {

/// x [batch, 4] -> MatMul w [4, 3] -> Relu -> Add bias [3]; `w` and `bias` hold these values.
[[nodiscard]] Model small_model(const std::vector<float>& weight, const std::vector<float>& bias);
[[nodiscard]] Model small_model();
/// Six samples of four numbers.
[[nodiscard]] std::vector<float> sample_values();

void write_model(const std::filesystem::path& file, const Model& model);
void write_arrays(const std::filesystem::path& file, const std::map<std::string, Tensor>& arrays);

/// Replaces the only occurrence of `from` in the file by `to` of the same length.
void patch_file(const std::filesystem::path& file, const std::string& from, const std::string& to);

/// The content of a best_config.yaml without its command line, which differs between searches that
/// find the same.
[[nodiscard]] std::string configuration_in(const std::filesystem::path& file);

/// Every path under the folder with its content: equal before and after when nothing was written.
[[nodiscard]] std::map<std::string, std::string> content_of(const std::filesystem::path& folder);

}  // namespace quantsearch::testing
