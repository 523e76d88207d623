// What reconstruction costs: rates of its matrix products, steps of the gradient methods, solves.
//   OMP_NUM_THREADS=1 finetune_bench [products|steps|solvers]...
// One thread unless said otherwise; processor time of that thread, the least of several rounds.
// Beside our products stand oneDNN's sgemm, when its library was found, and the rate of a loop that
// multiplies and adds registers only.

#include <fmt/core.h>
#include <hwy/targets.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

#include "finetune/linear_algebra.h"
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

/// Seconds of one call: the least of `rounds` means over at least 5 ms.
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

/// GF/s of oneDNN's row-major sgemm; 0 without it.
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
    // Against a whole product: oneDNN has no symmetric one.
    row(fmt::format("a a', {} x {}", k, n), 1e-9 * static_cast<double>(k * (k + 1) * n) / seconds,
        onednn_rate({k, n, k}, true));
  }
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
}
