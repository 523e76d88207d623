#pragma once

// Measures the time of the optimizers themselves.

#include <string>
#include <vector>

namespace quantsearch {

/// Prints microseconds per ask and tell, averaged over the last twentieth of the trials, for the
/// cases of the named optimizers; their options are kept.
void print_overheads(const std::vector<std::string>& optimizers);

}  // namespace quantsearch
