// Compares the run times of models: one image per run, one thread, and the models in turn in every
// round.
//   latency_bench DATA LABEL=MODEL.onnx LABEL=MODEL.onnx...
// The others are compared with the first model by the ratio of the medians and, when the first
// output is [1, classes], by the share of images with the same best class. At most 200 images are
// used.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "guarded_main.h"
#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/runtime.h"

namespace quantsearch {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kLargestImages = 200;
constexpr int kRounds = 9;

struct Contestant {
  std::string label;
  std::string output;  // name of the first output
  std::unique_ptr<Session> session;
  std::vector<double> round_ms;  // of all images
  std::vector<std::ptrdiff_t> classes;
};

Contestant open(const std::string& argument) {
  const auto equals = argument.find('=');
  if (equals == std::string::npos) throw InvalidInput("expected LABEL=MODEL, got " + argument);
  const Model model = load_model(argument.substr(equals + 1));
  return {.label = argument.substr(0, equals),
          .output = model.graph.outputs.front().name,
          .session = open_session(model),
          .round_ms = {},
          .classes = {}};
}

void note_class(Contestant& contestant, const Batch& outputs) {
  const Tensor& output = outputs.at(contestant.output);
  if (output.shape().size() != 2) return;
  const auto values = output.values<float>();
  contestant.classes.push_back(std::ranges::max_element(values) - values.begin());
}

/// Runs all images through one model and then through the next, so that the weights of a model stay
/// in the cache as in normal use.
void run_round(std::vector<Contestant>& contestants, const std::vector<Batch>& images,
               bool is_first) {
  for (Contestant& contestant : contestants) {
    double spent = 0;
    for (const Batch& image : images) {
      const auto begin = Clock::now();
      const Batch outputs = contestant.session->run(image);
      spent += std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
      if (is_first) note_class(contestant, outputs);
    }
    if (!is_first) contestant.round_ms.push_back(spent);  // the first round is the warm-up
  }
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::string agreement(const Contestant& of, const Contestant& with) {
  if (of.classes.empty()) return "";
  std::size_t same = 0;
  for (std::size_t i = 0; i < of.classes.size(); ++i) same += of.classes[i] == with.classes[i];
  return fmt::format("{:.4f}", static_cast<double>(same) / static_cast<double>(of.classes.size()));
}

int run(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: latency_bench DATA LABEL=MODEL.onnx...\n");
    return 2;
  }
  std::vector<Contestant> contestants;
  for (int i = 2; i < argc; ++i) contestants.push_back(open(argv[i]));
  const std::string first = argv[2];
  const Model model = load_model(first.substr(first.find('=') + 1));
  const LoadedData data = open_data(argv[1], model, {.limit = kLargestImages});
  std::vector<Batch> images;
  for (std::int64_t i = 0; i < data.source->size(); ++i) images.push_back(data.source->read(i, 1));
  for (int round = 0; round <= kRounds; ++round) run_round(contestants, images, round == 0);
  fmt::print("{} images, {} rounds, one thread, {}\n\n", images.size(), kRounds, runtime_version());
  fmt::print(
      "| model | median ms an image | least | times as fast | same class "
      "|\n|---|---|---|---|---|\n");
  const auto count = static_cast<double>(images.size());
  const double base = median(contestants.front().round_ms);
  for (const Contestant& contestant : contestants) {
    const double middle = median(contestant.round_ms);
    fmt::print("| {} | {:.4f} | {:.4f} | {:.2f} | {} |\n", contestant.label, middle / count,
               std::ranges::min(contestant.round_ms) / count, base / middle,
               agreement(contestant, contestants.front()));
  }
  return 0;
}

}  // namespace
}  // namespace quantsearch

int main(int argc, char** argv) {
  return quantsearch::bench::guarded_main("latency_bench",
                                          [&] { return quantsearch::run(argc, argv); });
}
