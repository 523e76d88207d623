#pragma once

#include "common.h"
#include "quantsearch/autosearch.h"

namespace quantsearch::cli {

/// Runs the search and shows its progress on stdout, or on stderr when stdout is for JSON.
[[nodiscard]] SearchResult watch_search(const AutoSearchConfig& config, const SearchInput& input,
                                        SearchEnvironment environment, const CommonOptions& common);

}  // namespace quantsearch::cli
