#pragma once

// Data of a model some of whose inputs have been made constants: they may still be there.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/data.h"

namespace quantsearch {

/// open_data() for a model without the inputs `fixed`: arrays and files of these names are passed
/// over.
[[nodiscard]] LoadedData open_data(const std::filesystem::path& path, const Model& model,
                                   const DataOptions& options,
                                   const std::vector<std::string>& fixed);
/// `source` without these inputs, where it has them.
[[nodiscard]] std::shared_ptr<const DataSource> without_inputs(
    std::shared_ptr<const DataSource> source, const std::vector<std::string>& names);

}  // namespace quantsearch
