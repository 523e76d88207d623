// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set. Two loops do all the work, both on unpacked operands (after Goto & van de Geijn
// 2008, "Anatomy of High-Performance Matrix Multiplication", without its packing of both operands):
//   product             c += a b : vectors span columns of b and c, and a is broadcast
//   product_transposed  c += a b': vectors span the shared index and are summed at the end

#include "finetune/solvers/linear_algebra.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune/solvers/linear_algebra.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
using Tag = hn::ScalableTag<T>;
template <typename T>
using Vector = hn::Vec<Tag<T>>;

// Accumulators must stay in registers. AVX-512 and NEON have 32 of them, older sets have 16.
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3  // a larger number is an older set
constexpr int kTileRows = 4;
constexpr int kDotRows = 2;
#else
constexpr int kTileRows = 8;
constexpr int kDotRows = 4;
#endif
constexpr int kTileVectors = 3;
constexpr int kDotColumns = 4;
// Length of the shared index in one pass of product, so that the strip of b fits into level 2.
constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kDotDepth = 512;  // the same for product_transposed
constexpr std::int64_t kDotBlock = 48;   // rows of b that are reused while they are in the cache

/// The first `count` < Lanes values followed by zeros.
template <typename T>
HWY_INLINE Vector<T> load_few(const T* values, std::int64_t count) {
  const Tag<T> tag;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2  // older sets read past the end
  return hn::MaskedLoad(hn::FirstN(tag, static_cast<std::size_t>(count)), tag, values);
#else
  HWY_ALIGN T padded[HWY_MAX_BYTES / sizeof(T)] = {};
  std::copy_n(values, count, padded);
  return hn::Load(tag, padded);
#endif
}

/// c[0..kRows)[0..columns) += a b for a strip of b that is kVectors wide and ends with zeros.
template <int kRows, int kVectors, typename T>
void product_tile(Matrix<const T> a, Matrix<const T> strip, Matrix<T> c) {
  const Tag<T> tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  Vector<T> sums[kRows][kVectors];
  for (auto& row : sums) {
    for (auto& sum : row) sum = hn::Zero(tag);
  }
  const T* at = strip.data;
  for (std::int64_t depth = 0; depth < strip.rows; ++depth, at += strip.stride) {
    Vector<T> right[kVectors];
    for (int vector = 0; vector < kVectors; ++vector)
      right[vector] = hn::LoadU(tag, at + vector * lanes);
    for (int row = 0; row < kRows; ++row) {
      const auto left = hn::Set(tag, a.data[row * a.stride + depth]);
      for (int vector = 0; vector < kVectors; ++vector) {
        sums[row][vector] = hn::MulAdd(left, right[vector], sums[row][vector]);
      }
    }
  }
  for (int row = 0; row < kRows; ++row) {
    T* out = c.row(row);
    for (int vector = 0; vector < kVectors; ++vector) {
      const std::int64_t first = vector * lanes;
      if (first + lanes <= c.columns) {
        hn::StoreU(hn::Add(sums[row][vector], hn::LoadU(tag, out + first)), tag, out + first);
      } else {
        HWY_ALIGN T few[HWY_MAX_BYTES / sizeof(T)] = {};
        hn::Store(sums[row][vector], tag, few);
        for (std::int64_t lane = 0; lane < std::min(lanes, c.columns - first); ++lane)
          out[first + lane] += few[lane];
      }
    }
  }
}

template <int kVectors, typename T>
void product_strip(Matrix<const T> a, Matrix<const T> strip, Matrix<T> c) {
  std::int64_t row = 0;
  const auto tile = [&]<int kRows>(std::integral_constant<int, kRows>) {
    for (; row + kRows <= a.rows; row += kRows) {
      product_tile<kRows, kVectors>(a.block(row, 0, kRows, a.columns), strip,
                                    c.block(row, 0, kRows, c.columns));
    }
  };
  tile(std::integral_constant<int, kTileRows>{});
  tile(std::integral_constant<int, 4>{});
  tile(std::integral_constant<int, 2>{});
  tile(std::integral_constant<int, 1>{});
}

/// c[0..kVectors) += a b for one row, with enough sums at once to hide the latency of an addition.
template <int kVectors, typename T>
HWY_INLINE void product_row_tile(const T* a, Matrix<const T> b, T* c) {
  const Tag<T> tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  Vector<T> sums[kVectors];
  for (int vector = 0; vector < kVectors; ++vector)
    sums[vector] = hn::LoadU(tag, c + vector * lanes);
  const T* at = b.data;
  for (std::int64_t depth = 0; depth < b.rows; ++depth, at += b.stride) {
    const auto left = hn::Set(tag, a[depth]);
    for (int vector = 0; vector < kVectors; ++vector) {
      sums[vector] = hn::MulAdd(left, hn::LoadU(tag, at + vector * lanes), sums[vector]);
    }
  }
  for (int vector = 0; vector < kVectors; ++vector)
    hn::StoreU(sums[vector], tag, c + vector * lanes);
}

/// The product for one row of a, as in depthwise layers, where no value of b is used twice.
template <typename T>
void product_row(const T* a, Matrix<const T> b, T* c) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Tag<T>()));
  std::int64_t column = 0;
  const auto tile = [&]<int kVectors>(std::integral_constant<int, kVectors>) {
    for (; column + kVectors * lanes <= b.columns; column += kVectors * lanes) {
      product_row_tile<kVectors>(a, b.block(0, column, b.rows, kVectors * lanes), c + column);
    }
  };
  tile(std::integral_constant<int, 8>{});
  tile(std::integral_constant<int, 3>{});
  tile(std::integral_constant<int, 1>{});
  if (column == b.columns) return;
  const Tag<T> tag;
  auto sum = load_few(c + column, b.columns - column);
  for (std::int64_t depth = 0; depth < b.rows; ++depth) {
    sum = hn::MulAdd(hn::Set(tag, a[depth]), load_few(b.row(depth) + column, b.columns - column),
                     sum);
  }
  HWY_ALIGN T few[HWY_MAX_BYTES / sizeof(T)] = {};
  hn::Store(sum, tag, few);
  std::copy_n(few, b.columns - column, c + column);
}

/// Rows of b that are a multiple of 2 KiB apart share few cache sets. Such a strip is first copied
/// to contiguous memory when more than one tile uses it, and so is a strip with incomplete vectors.
template <typename T>
void product(Matrix<const T> a, Matrix<const T> b, Matrix<T> c) {
  constexpr std::size_t kWidest = std::size_t{kTileVectors} * HWY_MAX_BYTES / sizeof(T);
  if (a.rows <= 2) {
    for (std::int64_t row = 0; row < a.rows; ++row) product_row(a.row(row), b, c.row(row));
    return;
  }
  const bool is_crowded = b.stride * static_cast<std::int64_t>(sizeof(T)) % 2048 == 0;
  HWY_ALIGN T packed[static_cast<std::size_t>(kDepth) * kWidest];
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Tag<T>()));
  for (std::int64_t depth = 0; depth < b.rows; depth += kDepth) {
    const std::int64_t depths = std::min(kDepth, b.rows - depth);
    for (std::int64_t column = 0; column < b.columns; column += kTileVectors * lanes) {
      const std::int64_t columns = std::min(kTileVectors * lanes, b.columns - column);
      const std::int64_t vectors = (columns + lanes - 1) / lanes;
      Matrix<const T> strip = b.block(depth, column, depths, columns);
      if (columns < vectors * lanes || (is_crowded && a.rows > kTileRows)) {
        const std::int64_t width = vectors * lanes;
        for (std::int64_t row = 0; row < depths; ++row) {
          std::copy_n(strip.row(row), columns, packed + row * width);
          std::fill_n(packed + row * width + columns, width - columns, T{0});
        }
        strip = {packed, depths, columns, width};
      }
      const Matrix<const T> left = a.block(0, depth, a.rows, depths);
      const Matrix<T> out = c.block(0, column, c.rows, columns);
      if (vectors == 3) product_strip<3>(left, strip, out);
      if (vectors == 2) product_strip<2>(left, strip, out);
      if (vectors == 1) product_strip<1>(left, strip, out);
    }
  }
}

#if HWY_TARGET != HWY_SCALAR
/// Adds the blocks of four floats that a vector consists of.
template <class Wide>
HWY_INLINE auto sum_blocks(Wide /*wide*/, hn::Vec<Wide> blocks) {
  if constexpr (hn::MaxLanes(Wide()) == 4) {
    return blocks;
  } else {
    const hn::Half<Wide> half;
    return sum_blocks(half, hn::Add(hn::LowerHalf(half, blocks), hn::UpperHalf(half, blocks)));
  }
}
#endif

/// out[i] += factor * sum of lanes of sums[i], i < 4.
HWY_INLINE void add_sums(const Vector<float>* sums, float factor, float* out) {
#if HWY_TARGET == HWY_SCALAR
  for (int index = 0; index < 4; ++index) out[index] += factor * hn::GetLane(sums[index]);
#else
  // Each step adds halves of two vectors and keeps both sums in one vector.
  const Tag<float> tag;
  const auto even = hn::Add(hn::InterleaveLower(tag, sums[0], sums[2]),
                            hn::InterleaveUpper(tag, sums[0], sums[2]));
  const auto odd = hn::Add(hn::InterleaveLower(tag, sums[1], sums[3]),
                           hn::InterleaveUpper(tag, sums[1], sums[3]));
  const auto total = sum_blocks(
      tag, hn::Add(hn::InterleaveLower(tag, even, odd), hn::InterleaveUpper(tag, even, odd)));
  const hn::FixedTag<float, 4> four;
  hn::StoreU(hn::MulAdd(total, hn::Set(four, factor), hn::LoadU(four, out)), four, out);
#endif
}
HWY_INLINE void add_sums(const Vector<double>* sums, double factor, double* out) {
  for (int index = 0; index < 4; ++index)
    out[index] += factor * hn::GetLane(hn::SumOfLanes(Tag<double>(), sums[index]));
}

/// c[0..kRows)[0..kColumns) += factor a b'.
template <int kRows, int kColumns, typename T>
void dot_tile(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, T factor) {
  const Tag<T> tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  Vector<T> sums[kRows][kDotColumns];
  for (auto& row : sums) {
    for (auto& sum : row) sum = hn::Zero(tag);
  }
  const auto step = [&](const auto& load) {
    Vector<T> left[kRows];
    for (int row = 0; row < kRows; ++row) left[row] = load(a.row(row));
    for (int column = 0; column < kColumns; ++column) {
      const Vector<T> right = load(b.row(column));
      for (int row = 0; row < kRows; ++row)
        sums[row][column] = hn::MulAdd(left[row], right, sums[row][column]);
    }
  };
  std::int64_t depth = 0;
  for (; depth + lanes <= a.columns; depth += lanes) {
    step([&](const T* row) HWY_ATTR { return hn::LoadU(tag, row + depth); });
  }
  if (depth < a.columns) {
    step([&](const T* row) HWY_ATTR { return load_few(row + depth, a.columns - depth); });
  }
  for (int row = 0; row < kRows; ++row) {
    if constexpr (kColumns == kDotColumns) {
      add_sums(sums[row], factor, c.row(row));
    } else {
      for (int column = 0; column < kColumns; ++column) {
        c.row(row)[column] += factor * hn::GetLane(hn::SumOfLanes(tag, sums[row][column]));
      }
    }
  }
}

template <int kRows, typename T>
void dot_rows(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, T factor) {
  std::int64_t column = 0;
  for (; column + kDotColumns <= b.rows; column += kDotColumns) {
    dot_tile<kRows, kDotColumns>(a, b.block(column, 0, kDotColumns, b.columns),
                                 c.block(0, column, kRows, kDotColumns), factor);
  }
  for (; column < b.rows; ++column) {
    dot_tile<kRows, 1>(a, b.block(column, 0, 1, b.columns), c.block(0, column, kRows, 1), factor);
  }
}

/// c += factor a b'. With `lower`, a and b are the same, and only tiles that overlap the lower
/// triangle are computed.
template <typename T>
void product_transposed(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, T factor, bool lower) {
  for (std::int64_t depth = 0; depth < a.columns; depth += kDotDepth) {
    const std::int64_t depths = std::min(kDotDepth, a.columns - depth);
    for (std::int64_t first = 0; first < b.rows; first += kDotBlock) {
      const std::int64_t rows = std::min(kDotBlock, b.rows - first);
      std::int64_t row = lower ? first : 0;
      const auto tile = [&]<int kRows>(std::integral_constant<int, kRows>) {
        for (; row + kRows <= a.rows; row += kRows) {
          const std::int64_t columns = lower ? std::min(rows, row + kRows - first) : rows;
          dot_rows<kRows>(a.block(row, depth, kRows, depths),
                          b.block(first, depth, columns, depths),
                          c.block(row, first, kRows, columns), factor);
        }
      };
      tile(std::integral_constant<int, kDotRows>{});
      tile(std::integral_constant<int, 1>{});
    }
  }
}

void product_float(Matrix<const float> a, Matrix<const float> b, Matrix<float> c) {
  product(a, b, c);
}
void product_double(Matrix<const double> a, Matrix<const double> b, Matrix<double> c) {
  product(a, b, c);
}
void transposed_float(Matrix<const float> a, Matrix<const float> b, Matrix<float> c) {
  product_transposed(a, b, c, 1.0F, false);
}
void minus_transposed_double(Matrix<const double> a, Matrix<const double> b, Matrix<double> c) {
  product_transposed(a, b, c, -1.0, false);
}
void gram_float(Matrix<const float> a, Matrix<float> c) { product_transposed(a, a, c, 1.0F, true); }

/// The sums of a run of values, in float.
void run_sums(const float* values, std::int64_t count, double* sum, double* squares) {
  const hn::ScalableTag<float> tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  // Two sums of each kind hide the latency of the additions.
  auto first = hn::Zero(tag), second = first, first_squares = first, second_squares = first;
  std::int64_t at = 0;
  for (; at + 2 * lanes <= count; at += 2 * lanes) {
    const auto one = hn::LoadU(tag, values + at);
    const auto other = hn::LoadU(tag, values + at + lanes);
    first = hn::Add(first, one);
    second = hn::Add(second, other);
    first_squares = hn::MulAdd(one, one, first_squares);
    second_squares = hn::MulAdd(other, other, second_squares);
  }
  double rest = 0;
  double rest_squares = 0;
  for (; at < count; ++at) {
    rest += values[at];
    rest_squares += static_cast<double>(values[at]) * values[at];
  }
  *sum += rest + hn::GetLane(hn::SumOfLanes(tag, hn::Add(first, second)));
  *squares +=
      rest_squares + hn::GetLane(hn::SumOfLanes(tag, hn::Add(first_squares, second_squares)));
}

}  // namespace quantsearch::reconstruction::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch::reconstruction {

HWY_EXPORT(product_float);
HWY_EXPORT(product_double);
HWY_EXPORT(transposed_float);
HWY_EXPORT(minus_transposed_double);
HWY_EXPORT(gram_float);
HWY_EXPORT(run_sums);

void add_product(Matrix<const float> a, Matrix<const float> b, Matrix<float> c) {
  assert(a.columns == b.rows && a.rows == c.rows && b.columns == c.columns);
  HWY_DYNAMIC_DISPATCH(product_float)(a, b, c);
}

void add_product(Matrix<const double> a, Matrix<const double> b, Matrix<double> c) {
  assert(a.columns == b.rows && a.rows == c.rows && b.columns == c.columns);
  HWY_DYNAMIC_DISPATCH(product_double)(a, b, c);
}

void add_product_transposed(Matrix<const float> a, Matrix<const float> b, Matrix<float> c) {
  assert(a.columns == b.columns && a.rows == c.rows && b.rows == c.columns);
  HWY_DYNAMIC_DISPATCH(transposed_float)(a, b, c);
}

void subtract_product_transposed(Matrix<const double> a, Matrix<const double> b, Matrix<double> c) {
  assert(a.columns == b.columns && a.rows == c.rows && b.rows == c.columns);
  HWY_DYNAMIC_DISPATCH(minus_transposed_double)(a, b, c);
}

void add_gram(Matrix<const float> a, Matrix<float> c) {
  assert(a.rows == c.rows && a.rows == c.columns);
  HWY_DYNAMIC_DISPATCH(gram_float)(a, c);
}

ValueSums sum_up(std::span<const float> values) {
  constexpr std::size_t kRun = 512;
  ValueSums sums;
  for (std::size_t at = 0; at < values.size(); at += kRun) {
    const std::span<const float> run = values.subspan(at, std::min(kRun, values.size() - at));
    HWY_DYNAMIC_DISPATCH(run_sums)
    (run.data(), static_cast<std::int64_t>(run.size()), &sums.values, &sums.squares);
  }
  return sums;
}

namespace {

constexpr std::int64_t kPanel = 64;  // columns factorized before the rest of the matrix is updated

/// The unblocked factorization of a matrix that is at most one panel wide.
bool factorize_panel(Matrix<double> a) {
  for (std::int64_t column = 0; column < a.rows; ++column) {
    for (std::int64_t row = column; row < a.rows; ++row) {
      double rest = a.row(row)[column];
      for (std::int64_t inner = 0; inner < column; ++inner)
        rest -= a.row(row)[inner] * a.row(column)[inner];
      if (row == column) {
        if (!(rest > 0) || !std::isfinite(rest)) return false;
        a.row(row)[column] = std::sqrt(rest);
      } else {
        a.row(row)[column] = rest / a.row(column)[column];
      }
    }
  }
  return true;
}

/// Replaces each row x of `rows` by y with L y = x (forward substitution).
void solve_lower(Matrix<const double> l, Matrix<double> rows) {
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    double* const x = rows.row(row);
    for (std::int64_t column = 0; column < l.rows; ++column) {
      double rest = x[column];
      for (std::int64_t inner = 0; inner < column; ++inner) rest -= l.row(column)[inner] * x[inner];
      x[column] = rest / l.row(column)[column];
    }
  }
}

/// Replaces each row x of `rows` by y with L' y = x (backward substitution that reads L by rows).
void solve_lower_transposed(Matrix<const double> l, Matrix<double> rows) {
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    double* const x = rows.row(row);
    for (std::int64_t column = l.rows; column-- > 0;) {
      x[column] /= l.row(column)[column];
      for (std::int64_t inner = 0; inner < column; ++inner)
        x[inner] -= l.row(column)[inner] * x[column];
    }
  }
}

}  // namespace

bool factorize(Matrix<double> a) {
  for (std::int64_t first = 0; first < a.rows; first += kPanel) {
    const std::int64_t width = std::min(kPanel, a.rows - first);
    const std::int64_t behind = first + width;
    const std::int64_t below = a.rows - behind;
    if (!factorize_panel(a.block(first, first, width, width))) return false;
    solve_lower(a.block(first, first, width, width), a.block(behind, first, below, width));
    // The lower triangle of the remaining matrix is updated in strips.
    for (std::int64_t strip = behind; strip < a.rows; strip += kPanel) {
      const std::int64_t columns = std::min(kPanel, a.rows - strip);
      subtract_product_transposed(a.block(strip, first, a.rows - strip, width),
                                  a.block(strip, first, columns, width),
                                  a.block(strip, strip, a.rows - strip, columns));
    }
  }
  return true;
}

void solve_factorized(Matrix<const double> l, Matrix<double> rows) {
  for (std::int64_t first = 0; first < l.rows; first += kPanel) {
    const std::int64_t width = std::min(kPanel, l.rows - first);
    const Matrix<double> here = rows.block(0, first, rows.rows, width);
    subtract_product_transposed(rows.block(0, 0, rows.rows, first), l.block(first, 0, width, first),
                                here);
    solve_lower(l.block(first, first, width, width), here);
  }
  std::vector<double> negated(static_cast<std::size_t>(rows.rows * kPanel));
  const std::int64_t panels = (l.rows + kPanel - 1) / kPanel;
  for (std::int64_t panel = panels; panel-- > 0;) {
    const std::int64_t first = panel * kPanel;
    const std::int64_t width = std::min(kPanel, l.rows - first);
    const Matrix<double> here = rows.block(0, first, rows.rows, width);
    solve_lower_transposed(l.block(first, first, width, width), here);
    const Matrix<double> minus = matrix(negated.data(), rows.rows, width);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      std::transform(here.row(row), here.row(row) + width, minus.row(row),
                     [](double value) { return -value; });
    }
    add_product(Matrix<const double>(minus), l.block(first, 0, width, first),
                rows.block(0, 0, rows.rows, first));
  }
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
