#pragma once

// On x86 without VNNI integer kernels saturate. There a search measures the models that it writes
// in both arithmetics: as their graphs say, and as the processor computes.

#include <map>
#include <optional>
#include <string>

#include "autosearch/delivery.h"
#include "quantsearch/report.h"

namespace quantsearch {

/// `scores`: of the trial, which are in one of the two arithmetics; the other one costs an
/// evaluation. nullopt when nothing asks for the comparison, when the user has cancelled, or when
/// the model cannot be scored in the other arithmetic.
[[nodiscard]] std::optional<ArithmeticScores> arithmetic_scores(
    const Delivery& delivery, const BuiltModel& made, const std::map<std::string, double>& scores);

/// Metrics that both have; they differ when their relative noise does by more than rounding.
[[nodiscard]] ArithmeticScores compared(const std::map<std::string, double>& graph,
                                        const std::map<std::string, double>& processor);

}  // namespace quantsearch
