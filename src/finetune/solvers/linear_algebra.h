#pragma once

// The dense matrix products and the Cholesky factorization that reconstruction needs. They are
// vectorized for the processor at run time (Highway, dynamic dispatch). Every function runs on the
// calling thread and has no state, so callers split the work and the result never depends on the
// number of threads.
//
// No BLAS is used, because the products here are narrow (8 to 64 rows), so that packing would cost
// a BLAS more than the product, and because Debian's serial OpenBLAS 0.3.21 returns wrong products
// when two threads call it at once.
//
// Eigen is not used either. It is vectorized for the instruction set of the compiler's flags, which
// is SSE2 in a program that runs on every x86-64. Beside each function is how many times as long
// Eigen takes, as a range over shapes, where the functions here use AVX-512 and where they use AVX2
// (bench/algebra_bench).

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace quantsearch::reconstruction {

/// A row-major view: element (row, column) is data[row * stride + column].
template <typename T>
struct Matrix {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;

  [[nodiscard]] T* row(std::int64_t index) const { return data + index * stride; }
  [[nodiscard]] Matrix block(std::int64_t first_row, std::int64_t first_column, std::int64_t height,
                             std::int64_t width) const {
    return {row(first_row) + first_column, height, width, stride};
  }
  operator Matrix<const T>() const  // NOLINT(google-explicit-constructor): like T* to const T*
      requires(!std::is_const_v<T>) {
    return {data, rows, columns, stride};
  }
};

/// A view of contiguous rows.
template <typename T>
[[nodiscard]] Matrix<T> matrix(T* data, std::int64_t rows, std::int64_t columns) {
  return {data, rows, columns, columns};
}

/// c += a b, with a [m, k], b [k, n], c [m, n]. c overlaps neither.
/// Eigen / here: 2.5 to 7.1 (AVX-512), 1.0 to 3.7 (AVX2); in double 3.0 to 6.9 and 1.9 to 3.5.
void add_product(Matrix<const float> a, Matrix<const float> b, Matrix<float> c);
void add_product(Matrix<const double> a, Matrix<const double> b, Matrix<double> c);

/// c += a b', with a [m, k], b [n, k], c [m, n]. c overlaps neither.
/// Eigen / here: 3.2 to 5.8 (AVX-512), 1.8 to 2.9 (AVX2).
void add_product_transposed(Matrix<const float> a, Matrix<const float> b, Matrix<float> c);

/// c -= a b', with a [m, k], b [n, k], c [m, n]. c overlaps neither.
/// Eigen / here: 2.2 to 3.7 (AVX-512), 2.1 to 2.5 (AVX2).
void subtract_product_transposed(Matrix<const double> a, Matrix<const double> b, Matrix<double> c);

/// The lower triangle, diagonal included, of c += a a', with a [m, k], c [m, m]. Up to three
/// elements right of the diagonal are also written; the others are unchanged.
/// Eigen / here: 2.9 to 6.3 (AVX-512), 1.8 to 3.6 (AVX2).
void add_gram(Matrix<const float> a, Matrix<float> c);

struct ValueSums {
  double values = 0;
  double squares = 0;
};
/// The sums of values and of their squares. Runs of 512 values are summed in float.
[[nodiscard]] ValueSums sum_up(std::span<const float> values);

/// Replaces the lower triangle of a symmetric matrix by L, where L L' is the matrix (Cholesky).
/// Elements right of the diagonal are not read but may be written. Returns false, with undefined
/// content, when the matrix is not positive definite or not finite.
/// Eigen / here: 0.8 at k = 144 to 1.8 at k = 1152 (AVX-512), 0.8 to 1.2 (AVX2).
[[nodiscard]] bool factorize(Matrix<double> a);

/// Replaces each row x of `rows` by the solution y of (L L') y = x, where L is lower triangular.
/// Eigen / here: 0.9 at k = 144 to 2.9 at k = 1152 (AVX-512), 0.9 to 2.3 (AVX2).
void solve_factorized(Matrix<const double> l, Matrix<double> rows);

}  // namespace quantsearch::reconstruction
