// Measures the cost of reconstruction: the rates of its matrix products, steps of the gradient
// methods, and solvers.
//   OMP_NUM_THREADS=1 finetune_bench [products|steps|solvers]...
// Times are processor times of one thread, unless stated otherwise, and the least of several
// rounds. The products are compared with oneDNN's sgemm, when its library was found, and with the
// rate of a loop that only multiplies and adds registers.

#include <fmt/core.h>
#include <hwy/targets.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string_view>
#include <vector>

#include "finetune/solvers/adaquant.h"
#include "finetune/solvers/adaround.h"
#include "finetune/solvers/gptq.h"
#include "finetune/solvers/linear_algebra.h"
#include "finetune/solvers/problems.h"
#include "finetune_peak.h"
#include "quantsearch/base/random.h"
#ifdef QUANTSEARCH_BENCH_ONEDNN
#include <dnnl.h>
#endif

namespace quantsearch::reconstruction {
namespace {

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Returns the seconds of one call: the least of `rounds` means over at least 5 ms.
double least_seconds(const std::function<void()>& call, int rounds = 9) {
  double least = 1e9;
  int calls = 1;
  for (int round = 0; round < rounds;) {
    const double begin = thread_seconds();
    for (int index = 0; index < calls; ++index) call();
    const double spent = thread_seconds() - begin;
    if (spent < 0.005) {
      calls *= 2;
      continue;
    }
    least = std::min(least, spent / calls);
    ++round;
  }
  return least;
}

std::vector<float> random_values(std::int64_t count) {
  RandomStream random(1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

struct Sizes {
  std::int64_t m, k, n;
};

/// Returns the GF/s of oneDNN's row-major sgemm; 0 without oneDNN.
double onednn_rate([[maybe_unused]] const Sizes& sizes, [[maybe_unused]] bool transposed) {
#ifdef QUANTSEARCH_BENCH_ONEDNN
  const auto a = random_values(sizes.m * sizes.k);
  const auto b = random_values(sizes.k * sizes.n);
  std::vector<float> c(static_cast<std::size_t>(sizes.m * sizes.n));
  const double seconds = least_seconds([&] {
    dnnl_sgemm('N', transposed ? 'T' : 'N', sizes.m, sizes.n, sizes.k, 1.0F, a.data(), sizes.k,
               b.data(), transposed ? sizes.k : sizes.n, 1.0F, c.data(), sizes.n);
  });
  return 2e-9 * static_cast<double>(sizes.m * sizes.k * sizes.n) / seconds;
#else
  return 0;
#endif
}

double our_rate(const Sizes& sizes, bool transposed) {
  const auto a = random_values(sizes.m * sizes.k);
  const auto b = random_values(sizes.k * sizes.n);
  std::vector<float> c(static_cast<std::size_t>(sizes.m * sizes.n));
  const auto left = matrix(a.data(), sizes.m, sizes.k);
  const auto out = matrix(c.data(), sizes.m, sizes.n);
  const double seconds = least_seconds([&] {
    if (transposed) {
      add_product_transposed(left, matrix(b.data(), sizes.n, sizes.k), out);
    } else {
      add_product(left, matrix(b.data(), sizes.k, sizes.n), out);
    }
  });
  return 2e-9 * static_cast<double>(sizes.m * sizes.k * sizes.n) / seconds;
}

void show_products() {
  const double peak = 1e-9 * flops_of_round() / least_seconds(multiply_registers);
  fmt::print("peak of one core: {:.1f} GF/s, {}\n\n", peak, hwy::TargetName(chosen_target()));
  fmt::print(
      "| product | here GF/s | of peak | oneDNN sgemm GF/s | here / oneDNN "
      "|\n|---|---|---|---|---|\n");
  const auto row = [&](const std::string& name, double ours, double theirs) {
    fmt::print("| {} | {:.1f} | {:.0f} % | {:.1f} | {:.2f} |\n", name, ours, 100 * ours / peak,
               theirs, theirs > 0 ? ours / theirs : 0.0);
  };
  for (const Sizes& sizes : {Sizes{8, 144, 784},
                             {16, 144, 784},
                             {16, 288, 196},
                             {16, 576, 49},
                             {64, 576, 49},
                             {16, 27, 4096},
                             {1, 9, 784},
                             {64, 1024, 1024},
                             {512, 512, 512}}) {
    row(fmt::format("a b, {} x {} x {}", sizes.m, sizes.k, sizes.n), our_rate(sizes, false),
        onednn_rate(sizes, false));
  }
  for (const Sizes& sizes : {Sizes{8, 784, 144},
                             {16, 784, 144},
                             {16, 196, 288},
                             {16, 49, 576},
                             {64, 49, 576},
                             {16, 4096, 27},
                             {1, 784, 9},
                             {64, 1024, 1024},
                             {512, 512, 512}}) {
    row(fmt::format("a b', {} x {} x {}", sizes.m, sizes.k, sizes.n), our_rate(sizes, true),
        onednn_rate(sizes, true));
  }
  for (const std::int64_t k : {27, 144, 288, 576, 1152}) {
    const std::int64_t n = 512;
    const auto a = random_values(k * n);
    std::vector<float> c(static_cast<std::size_t>(k * k));
    const double seconds =
        least_seconds([&] { add_gram(matrix(a.data(), k, n), matrix(c.data(), k, k)); });
    // It is compared with a full product, because oneDNN has no symmetric one.
    row(fmt::format("a a', {} x {}", k, n), 1e-9 * static_cast<double>(k * (k + 1) * n) / seconds,
        onednn_rate({k, n, k}, true));
  }
}

struct Shaped {
  std::string name;
  LayerShape shape;
  std::int64_t positions;  // of one sample
};

/// Returns layers of resnet8 and mobilenet_s (Fashion-MNIST).
std::vector<Shaped> layers() {
  return {{"resnet8 3x3 1-16", {1, 16, 9}, 784},       {"resnet8 3x3 16-16", {1, 16, 144}, 784},
          {"resnet8 3x3 16-16", {1, 16, 144}, 784},    {"resnet8 3x3 16-32", {1, 32, 144}, 196},
          {"resnet8 3x3 32-32", {1, 32, 288}, 196},    {"resnet8 1x1 16-32", {1, 32, 16}, 196},
          {"resnet8 3x3 32-64", {1, 64, 288}, 49},     {"resnet8 3x3 64-64", {1, 64, 576}, 49},
          {"resnet8 1x1 32-64", {1, 64, 32}, 49},      {"resnet8 64-10", {1, 10, 64}, 1},
          {"mobilenet dw 96, 14x14", {96, 1, 9}, 196}, {"mobilenet dw 256, 7x7", {256, 1, 9}, 49},
          {"mobilenet 1x1 24-96", {1, 96, 24}, 196},   {"mobilenet 1x1 64-256", {1, 256, 64}, 49}};
}

struct Spent {
  double wall = 0;
  double processor = 0;  // of all threads
};
Spent spent_by(const std::function<void()>& call) {
  const auto processor_seconds = [] {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  };
  const double processor = processor_seconds();
  const auto begin = std::chrono::steady_clock::now();
  call();
  return {.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          .processor = processor_seconds() - processor};
}

/// Uses the options of Quark: 1000 iterations of AdaRound at 0.1, 3000 of AdaQuant at 1e-5, batch
/// 1, 100 images, Relu.
void show_solvers() {
  ThreadPool pool(2);
  fmt::print(
      "\nSeconds of processor time (wall), two threads; relative error of the codes before the "
      "activation.\n");
  fmt::print(
      "| layer | rounded | AdaRound s | steps/s | error | AdaQuant s | error | moments s | gptq s "
      "| error |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|\n");
  Spent rounding_sum, training_sum, moments_sum, gptq_sum;
  const auto add = [](Spent& sum, const Spent& more) {
    sum.wall += more.wall;
    sum.processor += more.processor;
  };
  for (const Shaped& layer : layers()) {
    const Problem problem = make_problem({.shape = layer.shape,
                                          .count = 100 * layer.positions,
                                          .bits = 8,
                                          .input_noise = 0.02F,
                                          .seed = 3});
    const SplitSamples samples(problem, 100, true);
    const auto relative = [&](const Solution& solution, const Moments& moments) {
      return relative_error(row_errors(problem.layer, solution, moments, pool), moments);
    };
    OutputLoss loss;
    loss.activation.kind = Activation::Kind::relu;
    Solution rounded, trained, solved;
    const Spent rounding = spent_by([&] {
      rounded = adaround(problem.layer, samples, {.descent = {.loss = loss}}, pool).solution;
    });
    const Spent training = spent_by([&] {
      trained =
          adaquant(problem.layer, samples,
                   {.descent = {.iterations = 3000, .learning_rate = 1e-5, .loss = loss}}, pool)
              .solution;
    });
    Moments moments;
    const Spent gathering = spent_by([&] {
      MomentsAccumulator accumulator(layer.shape);
      accumulator.add(problem.columns, pool);
      moments = accumulator.moments();
    });
    const Spent solving = spent_by([&] { solved = gptq(problem.layer, moments, {}, pool); });
    fmt::print(
        "| {} | {:.2e} | {:.3f} ({:.3f}) | {:.0f} | {:.2e} | {:.3f} ({:.3f}) | {:.2e} | {:.4f} | "
        "{:.4f} ({:.4f}) | {:.2e} |\n",
        layer.name, relative(round_to_nearest(problem.layer), moments), rounding.processor,
        rounding.wall, 1000 / rounding.wall, relative(rounded, moments), training.processor,
        training.wall, relative(trained, moments), gathering.processor, solving.processor,
        solving.wall, relative(solved, moments));
    if (!layer.name.starts_with("resnet8")) continue;
    add(rounding_sum, rounding);
    add(training_sum, training);
    add(moments_sum, gathering);
    add(gptq_sum, solving);
  }
  fmt::print(
      "\nAll layers of resnet8, processor time (wall): AdaRound {:.2f} ({:.2f}) s, AdaQuant {:.2f} "
      "({:.2f}) s, moments "
      "of all columns {:.3f} ({:.3f}) s, gptq {:.3f} ({:.3f}) s.\n",
      rounding_sum.processor, rounding_sum.wall, training_sum.processor, training_sum.wall,
      moments_sum.processor, moments_sum.wall, gptq_sum.processor, gptq_sum.wall);
}

}  // namespace
}  // namespace quantsearch::reconstruction

int main(int argc, char** argv) {
  using namespace quantsearch::reconstruction;
  const std::vector<std::string_view> asked(argv + 1, argv + argc);
  const auto wants = [&](std::string_view name) {
    return asked.empty() || std::ranges::find(asked, name) != asked.end();
  };
  if (wants("products")) show_products();
  if (wants("solvers")) show_solvers();
}
