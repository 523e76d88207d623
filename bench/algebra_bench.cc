// Compares the matrix products and the factorization of reconstruction with those of Eigen, on one
// thread and on the same operands. An operation on a shape is two benchmarks, NAME/SHAPE/ours and
// NAME/SHAPE/eigen. The two results are compared before the timed loop.
//   algebra_bench [--avx2] [--benchmark_filter=...]
// Ours is vectorized for the processor at run time; --avx2 restricts it to AVX2. Eigen is
// vectorized for the instruction set that this file is compiled for: SSE2, as in the library.

#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <hwy/highway.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "finetune/solvers/linear_algebra.h"
#include "quantsearch/base/random.h"

namespace quantsearch::reconstruction {
namespace {

template <typename T>
using RowMajor = std::conditional_t<
    std::is_const_v<T>,
    const Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// Returns Eigen's view of the same values, whose stride is not known at compile time either.
template <typename T>
Eigen::Map<RowMajor<T>, Eigen::Unaligned, Eigen::OuterStride<>> view(Matrix<T> of) {
  return {of.data, of.rows, of.columns, Eigen::OuterStride<>(of.stride)};
}

template <typename T>
std::vector<T> random_values(std::int64_t count, std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = static_cast<T>(2 * random.uniform() - 1);
  return values;
}

struct Sizes {
  std::int64_t rows = 0, columns = 0;
};

/// What an operation works on: it changes c and reads a and b.
template <typename T>
class Operands {
 public:
  Operands(Sizes a, Sizes b, Sizes c)
      : a_sizes_(a),
        b_sizes_(b),
        c_sizes_(c),
        a_(random_values<T>(a.rows * a.columns, 1)),
        b_(random_values<T>(b.rows * b.columns, 2)),
        c_(random_values<T>(c.rows * c.columns, 3)) {}

  [[nodiscard]] Matrix<const T> a() const {
    return matrix(a_.data(), a_sizes_.rows, a_sizes_.columns);
  }
  [[nodiscard]] Matrix<const T> b() const {
    return matrix(b_.data(), b_sizes_.rows, b_sizes_.columns);
  }
  [[nodiscard]] Matrix<T> c() { return matrix(c_.data(), c_sizes_.rows, c_sizes_.columns); }
  [[nodiscard]] Matrix<T> mutable_a() { return matrix(a_.data(), a_sizes_.rows, a_sizes_.columns); }
  void copy_c(const Operands& other) { std::ranges::copy(other.c_, c_.begin()); }

 private:
  Sizes a_sizes_, b_sizes_, c_sizes_;
  std::vector<T> a_, b_, c_;
};

/// One shape of an operation, with the letters of the header; 1 where an operation has no such
/// size.
struct Shape {
  std::int64_t m = 1, k = 1, n = 1;

  [[nodiscard]] std::string name() const {
    std::string text;
    for (const std::int64_t size : {m, k, n}) {
      if (size > 1) text += fmt::format("{}{}", text.empty() ? "" : "x", size);
    }
    return text;
  }
  [[nodiscard]] double volume() const {
    return static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n);
  }
};

/// Which part of c is the result.
enum class Part { all, lower };

template <typename T>
struct Product {
  using Value = T;
  static constexpr Part kPart = Part::all;
  static constexpr bool kRestarts = false;
  static Operands<T> operands(const Shape& s) { return {{s.m, s.k}, {s.k, s.n}, {s.m, s.n}}; }
  static double flops(const Shape& s) { return 2 * s.volume(); }
  static void ours(Operands<T>& on) { add_product(on.a(), on.b(), on.c()); }
  static void eigen(Operands<T>& on) { view(on.c()).noalias() += view(on.a()) * view(on.b()); }
};

struct ProductTransposed {
  using Value = float;
  static constexpr Part kPart = Part::all;
  static constexpr bool kRestarts = false;
  static Operands<float> operands(const Shape& s) { return {{s.m, s.k}, {s.n, s.k}, {s.m, s.n}}; }
  static double flops(const Shape& s) { return 2 * s.volume(); }
  static void ours(Operands<float>& on) { add_product_transposed(on.a(), on.b(), on.c()); }
  static void eigen(Operands<float>& on) {
    view(on.c()).noalias() += view(on.a()) * view(on.b()).transpose();
  }
};

struct MinusTransposed {
  using Value = double;
  static constexpr Part kPart = Part::all;
  static constexpr bool kRestarts = false;
  static Operands<double> operands(const Shape& s) { return {{s.m, s.k}, {s.n, s.k}, {s.m, s.n}}; }
  static double flops(const Shape& s) { return 2 * s.volume(); }
  static void ours(Operands<double>& on) { subtract_product_transposed(on.a(), on.b(), on.c()); }
  static void eigen(Operands<double>& on) {
    view(on.c()).noalias() -= view(on.a()) * view(on.b()).transpose();
  }
};

struct Gram {  // of [m, k]
  using Value = float;
  static constexpr Part kPart = Part::lower;
  static constexpr bool kRestarts = false;
  static Operands<float> operands(const Shape& s) { return {{s.m, s.k}, {}, {s.m, s.m}}; }
  static double flops(const Shape& s) { return s.volume() * static_cast<double>(s.m + 1); }
  static void ours(Operands<float>& on) { add_gram(on.a(), on.c()); }
  static void eigen(Operands<float>& on) {
    view(on.c()).selfadjointView<Eigen::Lower>().rankUpdate(view(on.a()));
  }
};

/// Makes the symmetric matrix with the same lower triangle positive definite.
void dominate_diagonal(Matrix<double> a) {
  for (std::int64_t row = 0; row < a.rows; ++row) a.row(row)[row] = static_cast<double>(a.rows);
}

struct Factorization {  // of [k, k]
  using Value = double;
  static constexpr Part kPart = Part::lower;
  static constexpr bool kRestarts = true;
  static Operands<double> operands(const Shape& s) {
    Operands<double> made({}, {}, {s.k, s.k});
    dominate_diagonal(made.c());
    return made;
  }
  static double flops(const Shape& s) { return std::pow(static_cast<double>(s.k), 3) / 3; }
  static void ours(Operands<double>& on) { benchmark::DoNotOptimize(factorize(on.c())); }
  static void eigen(Operands<double>& on) {
    auto c = view(on.c());
    const Eigen::LLT<Eigen::Ref<RowMajor<double>, 0, Eigen::OuterStride<>>, Eigen::Lower> llt(c);
    benchmark::DoNotOptimize(llt.info());
  }
};

struct Solution {  // of m right sides, with factors [k, k]
  using Value = double;
  static constexpr Part kPart = Part::all;
  static constexpr bool kRestarts = true;
  static Operands<double> operands(const Shape& s) {
    Operands<double> made({s.k, s.k}, {}, {s.m, s.k});
    dominate_diagonal(made.mutable_a());
    if (!factorize(made.mutable_a())) std::abort();
    return made;
  }
  static double flops(const Shape& s) { return 2 * s.volume() * static_cast<double>(s.k); }
  static void ours(Operands<double>& on) { solve_factorized(on.a(), on.c()); }
  static void eigen(Operands<double>& on) {
    const auto l = view(on.a());
    auto columns = view(on.c()).transpose();
    l.triangularView<Eigen::Lower>().solveInPlace(columns);
    l.transpose().triangularView<Eigen::Upper>().solveInPlace(columns);
  }
};

/// Ends the program unless both libraries give the same within the rounding of their sums.
template <class Operation>
void check_same(const std::string& name, const Operands<typename Operation::Value>& start,
                std::int64_t terms) {
  using Value = typename Operation::Value;
  auto ours = start;
  auto theirs = start;
  Operation::ours(ours);
  Operation::eigen(theirs);
  const double allowed =
      4 * static_cast<double>(terms) * static_cast<double>(std::numeric_limits<Value>::epsilon());
  for (std::int64_t row = 0; row < ours.c().rows; ++row) {
    const std::int64_t columns = Operation::kPart == Part::lower ? row + 1 : ours.c().columns;
    for (std::int64_t column = 0; column < columns; ++column) {
      const auto here = static_cast<double>(ours.c().row(row)[column]);
      const auto there = static_cast<double>(theirs.c().row(row)[column]);
      if (std::abs(here - there) <= allowed) continue;
      fmt::print(stderr, "algebra_bench: {} gives {} at {}, {}, where Eigen gives {}\n", name, here,
                 row, column, there);
      std::exit(1);
    }
  }
}

enum class Library { ours, eigen };

template <class Operation>
void measure(benchmark::State& state, const std::string& name, const Shape& shape,
             Library library) {
  const auto start = Operation::operands(shape);
  check_same<Operation>(name, start, std::max({shape.m, shape.k, shape.n}));
  auto work = start;
  for (auto _ : state) {
    if constexpr (Operation::kRestarts) {
      state.PauseTiming();
      work.copy_c(start);
      state.ResumeTiming();
    }
    if (library == Library::ours) {
      Operation::ours(work);
    } else {
      Operation::eigen(work);
    }
    benchmark::ClobberMemory();
  }
  state.counters["flops"] =
      benchmark::Counter(Operation::flops(shape), benchmark::Counter::kIsIterationInvariantRate);
}

template <class Operation>
void add(const std::string& operation, const Shape& shape) {
  const std::string name = operation + "/" + shape.name();
  const auto add_library = [&](const char* suffix, Library library) {
    benchmark::RegisterBenchmark((name + suffix).c_str(), [=](benchmark::State& state) {
      measure<Operation>(state, name, shape, library);
    });
  };
  add_library("/ours", Library::ours);
  add_library("/eigen", Library::eigen);
}

/// The shapes of reconstruction: blocks of 8 to 64 output channels, k weights of a channel, and as
/// many positions as a step or a run of the moments has.
void add_all() {
  for (const std::int64_t rows : {8, 16, 64}) {
    for (const std::int64_t k : {32, 144, 288, 576, 1152}) {
      for (const std::int64_t positions : {256, 2048}) {
        add<Product<float>>("add_product_float", {rows, k, positions});
        add<ProductTransposed>("add_product_transposed", {rows, positions, k});
      }
      add<Product<double>>("add_product_double", {rows, k, k});            // errors from moments
      add<MinusTransposed>("subtract_product_transposed", {rows, k, 64});  // solve_factorized
    }
  }
  for (const std::int64_t k : {32, 144, 288, 576, 1152}) {
    add<MinusTransposed>("subtract_product_transposed", {k, 64, 64});  // factorize
    for (const std::int64_t positions : {256, 2048}) add<Gram>("add_gram", {k, positions, 1});
  }
  for (const std::int64_t k : {144, 576, 1152}) {
    add<Factorization>("factorize", {.k = k});
    for (const std::int64_t rows : {8, 16, 64}) add<Solution>("solve_factorized", {rows, k, 1});
  }
}

}  // namespace
}  // namespace quantsearch::reconstruction

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc == 2 && std::string_view(argv[1]) == "--avx2") {
    hwy::DisableTargets(HWY_AVX2 - 1);  // a larger number is an older set
  } else if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  quantsearch::reconstruction::add_all();
  benchmark::RunSpecifiedBenchmarks();
}
