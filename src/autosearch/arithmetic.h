#pragma once

// Integer kernels saturate on x86 processors without VNNI. On such a processor a search scores the
// models that it writes in both arithmetics: as their graphs define, and as the processor computes.

#include <map>
#include <optional>
#include <string>

#include "autosearch/delivery.h"
#include "quantsearch/report.h"

namespace quantsearch {

/// Returns the scores of a model in both arithmetics. `scores`: those of the trial, which are in
/// one of the two; the other one takes an evaluation, unless no product can differ. nullopt when
/// the comparison is off, when the user has cancelled, or when the model cannot be scored in the
/// other arithmetic.
[[nodiscard]] std::optional<ArithmeticScores> arithmetic_scores(
    const Delivery& delivery, const BuiltModel& made, const std::map<std::string, double>& scores);

/// True when nothing in the graph makes integers of 8 bits, the only ones whose products saturate.
/// Where it is not clear the result is false.
[[nodiscard]] bool has_no_byte_products(const Graph& graph);

/// Returns the metrics that both have. They count as different when their relative noise differs by
/// more than rounding.
[[nodiscard]] ArithmeticScores compared(const std::map<std::string, double>& graph,
                                        const std::map<std::string, double>& processor);

}  // namespace quantsearch
