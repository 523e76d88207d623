#include "finetune/solvers/linear_algebra.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>

#include "quantsearch/base/random.h"

namespace quantsearch::reconstruction {
namespace {

template <typename T>
std::vector<T> random_values(std::int64_t count, std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<T> values(static_cast<std::size_t>(count));
  // With small integers every order of summation gives the same bits.
  for (T& value : values) value = static_cast<T>(static_cast<int>(random.below(15)) - 7);
  return values;
}

struct Sizes {
  std::int64_t m, k, n;
};

// Sizes around the tiles of every instruction set, and sizes at which BLAS builds have been wrong.
std::vector<Sizes> all_sizes() {
  std::vector<Sizes> all;
  for (const std::int64_t m : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 64}) {
    for (const std::int64_t k : {1, 3, 9, 16, 31, 64, 257, 513}) {
      for (const std::int64_t n : {1, 2, 7, 15, 16, 17, 47, 48, 49, 65, 100})
        all.push_back({m, k, n});
    }
  }
  return all;
}

/// Number of values between the rows of a view, which must not change.
constexpr std::int64_t kGap = 3;

template <typename T>
void expect_product(const Sizes& sizes) {
  const auto a = random_values<T>(sizes.m * (sizes.k + kGap), 1);
  const auto b = random_values<T>(sizes.k * (sizes.n + kGap), 2);
  auto c = random_values<T>(sizes.m * (sizes.n + kGap), 3);
  auto expected = c;
  for (std::int64_t i = 0; i < sizes.m; ++i) {
    for (std::int64_t p = 0; p < sizes.k; ++p) {
      for (std::int64_t j = 0; j < sizes.n; ++j) {
        expected[i * (sizes.n + kGap) + j] +=
            a[i * (sizes.k + kGap) + p] * b[p * (sizes.n + kGap) + j];
      }
    }
  }
  add_product(Matrix<const T>{a.data(), sizes.m, sizes.k, sizes.k + kGap},
              Matrix<const T>{b.data(), sizes.k, sizes.n, sizes.n + kGap},
              Matrix<T>{c.data(), sizes.m, sizes.n, sizes.n + kGap});
  ASSERT_EQ(c, expected) << sizes.m << " x " << sizes.k << " x " << sizes.n;
}

TEST(LinearAlgebra, ProductIsExactOnIntegers) {
  for (const Sizes& sizes : all_sizes()) {
    expect_product<float>(sizes);
    expect_product<double>(sizes);
  }
}

template <typename T>
std::vector<T> transposed_product(const Sizes& sizes, const std::vector<T>& a,
                                  const std::vector<T>& b, std::vector<T> c, T factor) {
  for (std::int64_t i = 0; i < sizes.m; ++i) {
    for (std::int64_t j = 0; j < sizes.n; ++j) {
      for (std::int64_t p = 0; p < sizes.k; ++p) {
        c[i * (sizes.n + kGap) + j] +=
            factor * a[i * (sizes.k + kGap) + p] * b[j * (sizes.k + kGap) + p];
      }
    }
  }
  return c;
}

void expect_transposed_product(const Sizes& sizes) {
  const auto a = random_values<float>(sizes.m * (sizes.k + kGap), 4);
  const auto b = random_values<float>(sizes.n * (sizes.k + kGap), 5);
  auto c = random_values<float>(sizes.m * (sizes.n + kGap), 6);
  const auto expected = transposed_product(sizes, a, b, c, 1.0F);
  add_product_transposed({a.data(), sizes.m, sizes.k, sizes.k + kGap},
                         {b.data(), sizes.n, sizes.k, sizes.k + kGap},
                         {c.data(), sizes.m, sizes.n, sizes.n + kGap});
  ASSERT_EQ(c, expected) << sizes.m << " x " << sizes.k << " x " << sizes.n;
}

TEST(LinearAlgebra, TransposedProductIsExactOnIntegers) {
  for (const Sizes& sizes : all_sizes()) expect_transposed_product(sizes);
}

TEST(LinearAlgebra, SubtractedProductIsExactOnIntegers) {
  for (const Sizes& sizes : all_sizes()) {
    const auto a = random_values<double>(sizes.m * (sizes.k + kGap), 4);
    const auto b = random_values<double>(sizes.n * (sizes.k + kGap), 5);
    auto c = random_values<double>(sizes.m * (sizes.n + kGap), 6);
    const auto expected = transposed_product(sizes, a, b, c, -1.0);
    subtract_product_transposed({a.data(), sizes.m, sizes.k, sizes.k + kGap},
                                {b.data(), sizes.n, sizes.k, sizes.k + kGap},
                                {c.data(), sizes.m, sizes.n, sizes.n + kGap});
    ASSERT_EQ(c, expected) << sizes.m << " x " << sizes.k << " x " << sizes.n;
  }
}

void expect_gram(std::int64_t k, std::int64_t n) {
  const auto a = random_values<float>(k * n, 7);
  std::vector<float> c(static_cast<std::size_t>(k * k), 1.0F);
  add_gram(matrix(a.data(), k, n), matrix(c.data(), k, k));
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      float sum = 1;
      for (std::int64_t p = 0; p < n; ++p) sum += a[i * n + p] * a[j * n + p];
      ASSERT_EQ(c[i * k + j], sum) << k << " x " << n << " at " << i << ", " << j;
    }
  }
}

TEST(LinearAlgebra, GramFillsTheLowerTriangle) {
  for (const std::int64_t k : {1, 2, 3, 4, 5, 9, 47, 48, 49, 97, 150}) {
    for (const std::int64_t n : {1, 16, 49, 511, 513, 1100}) expect_gram(k, n);
  }
}

TEST(LinearAlgebra, ProductsAreExactOnEveryInstructionSet) {
  const auto supported = hwy::SupportedTargets();
  for (auto rest = supported; rest != 0; rest &= rest - 1) {
    hwy::SetSupportedTargetsForTest(rest & -rest);
    expect_product<float>({17, 70, 51});
    expect_product<double>({17, 70, 51});
    expect_transposed_product({17, 70, 51});
    expect_gram(50, 70);
  }
  hwy::SetSupportedTargetsForTest(0);
  ASSERT_EQ(hwy::SupportedTargets(), supported);
}

TEST(LinearAlgebra, FactorizationMatchesHandValues) {
  // [4 2; 2 5] = [2 0; 1 2] [2 1; 0 2]
  std::vector<double> a = {4, 99, 2, 5};
  ASSERT_TRUE(factorize(matrix(a.data(), 2, 2)));
  EXPECT_EQ(a[0], 2);
  EXPECT_EQ(a[2], 1);
  EXPECT_EQ(a[3], 2);
}

TEST(LinearAlgebra, FactorizationFailsUnlessPositiveDefinite) {
  std::vector<double> singular = {1, 1, 1, 1};
  EXPECT_FALSE(factorize(matrix(singular.data(), 2, 2)));
  std::vector<double> negative = {-1};
  EXPECT_FALSE(factorize(matrix(negative.data(), 1, 1)));
  std::vector<double> undefined = {std::nan("")};
  EXPECT_FALSE(factorize(matrix(undefined.data(), 1, 1)));
}

TEST(LinearAlgebra, FactorsOfAnySizeReproduceTheMatrixAndSolve) {
  for (const std::int64_t k : {1, 3, 63, 64, 65, 130, 200}) {
    const auto x = random_values<double>(k * k, 8);
    std::vector<double> a(static_cast<std::size_t>(k * k));
    add_product(matrix(x.data(), k, k), matrix(x.data(), k, k), matrix(a.data(), k, k));
    for (std::int64_t i = 0; i < k; ++i) {
      for (std::int64_t j = 0; j < k; ++j) {
        double sum = i == j ? 10.0 : 0.0;
        for (std::int64_t p = 0; p < k; ++p) sum += x[i * k + p] * x[j * k + p];
        a[i * k + j] = sum;
      }
    }
    auto l = a;
    ASSERT_TRUE(factorize(matrix(l.data(), k, k)));
    for (std::int64_t i = 0; i < k; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (std::int64_t p = 0; p <= j; ++p) sum += l[i * k + p] * l[j * k + p];
        ASSERT_NEAR(sum, a[i * k + j], 1e-9 * static_cast<double>(k) * 50);
      }
    }
    const std::int64_t rows = 5;
    const auto solution = random_values<double>(rows * k, 9);
    std::vector<double> right(static_cast<std::size_t>(rows * k));
    add_product(matrix(solution.data(), rows, k), matrix(std::as_const(a).data(), k, k),
                matrix(right.data(), rows, k));
    solve_factorized(matrix(std::as_const(l).data(), k, k), matrix(right.data(), rows, k));
    for (std::size_t at = 0; at < right.size(); ++at) ASSERT_NEAR(right[at], solution[at], 1e-7);
  }
}

}  // namespace
}  // namespace quantsearch::reconstruction
