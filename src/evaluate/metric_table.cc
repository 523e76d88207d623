#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "evaluate/metric_limits.h"
#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

std::string lower_case(std::string text) {
  for (char& letter : text) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return text;
}

// The order is that of Metric.
// NOLINTNEXTLINE(readability-function-size): a table
const std::array<MetricInfo, 11>& table() {
  static const std::array<MetricInfo, 11> kInfos = {{
      {.metric = Metric::l1,
       .name = "L1",
       .direction = Goal::minimize,
       .needs_labels = false,
       .best = 0,
       .meaning = "mean absolute difference over the elements of an output; unit of the output"},
      {.metric = Metric::l2,
       .name = "L2",
       .direction = Goal::minimize,
       .needs_labels = false,
       .best = 0,
       .meaning =
           "mean squared difference over the elements of an output; squared unit of the output"},
      {.metric = Metric::rel_l2,
       .name = "rel_l2",
       .direction = Goal::minimize,
       .needs_labels = false,
       .best = 0,
       .meaning =
           "energy of the difference divided by the energy of the float output, at most 1e6; "
           "a float output of zeros: 0 when the candidate's is zero too, else 1e6"},
      {.metric = Metric::worst_slice,
       .name = "worst_slice",
       .direction = Goal::minimize,
       .needs_labels = false,
       .best = 0,
       .meaning =
           "largest rel_l2 of a slice of an output along the axis where the float output's scales "
           "differ most, "
           "alike indices together; slices below a millionth of the largest scale do not count"},
      {.metric = Metric::cos,
       .name = "cos",
       .direction = Goal::maximize,
       .needs_labels = false,
       .best = 1,
       .meaning = "cosine of the angle between the outputs, in [-1, 1]; both zero: 1, one of them "
                  "zero: -1"},
      {.metric = Metric::psnr,
       .name = "psnr",
       .direction = Goal::maximize,
       .needs_labels = false,
       .best = kHighestDecibel,
       .meaning = "peak signal to noise ratio in dB, the peak is the largest magnitude of the "
                  "float output; "
                  "kept in [-60, 120]; no difference: 120, a float output of zeros with a "
                  "difference: -60"},
      {.metric = Metric::ssim,
       .name = "ssim",
       .direction = Goal::maximize,
       .needs_labels = false,
       .best = 1,
       .meaning = "structural similarity in [-1, 1] with the covariance, over 11 x 11 Gaussian "
                  "windows of outputs "
                  "[n, channels, height, width] of at least 11 x 11, over the whole output for "
                  "others; 0 / 0 is 1"},
      {.metric = Metric::sqnr,
       .name = "sqnr",
       .direction = Goal::maximize,
       .needs_labels = false,
       .best = kHighestDecibel,
       .meaning = "energy of the float output over the energy of the difference in dB; kept in "
                  "[-60, 120]; "
                  "no difference: 120, a float output of zeros with a difference: -60"},
      {.metric = Metric::kl,
       .name = "kl",
       .direction = Goal::minimize,
       .needs_labels = false,
       .best = 0,
       .meaning = "Kullback-Leibler divergence in nats from the softmax of the float output to "
                  "that of the candidate, "
                  "over the last axis, mean over rows; 0 for rows of one element"},
      {.metric = Metric::top1,
       .name = "top1",
       .direction = Goal::maximize,
       .needs_labels = true,
       .best = 1,
       .meaning = "share of samples whose label has the largest logit; of equal logits the lower "
                  "index wins"},
      {.metric = Metric::top5,
       .name = "top5",
       .direction = Goal::maximize,
       .needs_labels = true,
       .best = 1,
       .meaning = "share of samples whose label is among the five largest logits; of equal logits "
                  "the lower index wins"},
  }};
  return kInfos;
}

}  // namespace

std::span<const MetricInfo> all_metrics() { return table(); }

const MetricInfo& metric_info(Metric metric) {
  return table().at(static_cast<std::size_t>(metric));
}

Metric parse_metric(const std::string& name) {
  const std::string wanted = lower_case(name);
  std::vector<std::string> known;
  for (const MetricInfo& info : table()) {
    if (lower_case(info.name) == wanted) return info.metric;
    known.push_back(info.name);
  }
  throw InvalidInput(unknown_name_message("metric", name, known));
}

}  // namespace quantsearch
