#include "calibrate/exact_sum.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

namespace {

constexpr int kDigitBits = 32;
constexpr std::int64_t kDigitMask = (std::int64_t{1} << kDigitBits) - 1;
constexpr int kMantissaBits = 53;
constexpr int kDigitsOfOneValue = 3;  // 53 bits, shifted by up to 31

int floor_digit(int exponent) {
  return exponent >= 0 ? exponent / kDigitBits : -((-exponent + kDigitBits - 1) / kDigitBits);
}

}  // namespace

void ExactSums::widen(int first, int end) {
  if (first_ == end_) {
    first_ = first;
    end_ = end;
    digits_.assign(count_ * width(), 0);
    return;
  }
  const int new_first = std::min(first, first_);
  const int new_end = std::max(end, end_);
  if (new_first == first_ && new_end == end_) return;
  const auto new_width = static_cast<std::size_t>(new_end - new_first);
  std::vector<std::int64_t> wider(count_ * new_width, 0);
  for (std::size_t index = 0; index < count_; ++index) {
    std::copy_n(digits_of(index), width(),
                wider.data() + index * new_width + static_cast<std::size_t>(first_ - new_first));
  }
  digits_ = std::move(wider);
  first_ = new_first;
  end_ = new_end;
}

void ExactSums::add(std::size_t index, double value) {
  if (value == 0) return;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(fraction, kMantissaBits));
  exponent -= kMantissaBits;  // value = mantissa * 2^exponent
  const int digit = floor_digit(exponent);
  const int shift = exponent - digit * kDigitBits;
  if (digit < first_ || digit + kDigitsOfOneValue > end_) widen(digit, digit + kDigitsOfOneValue);
  const std::int64_t low = (mantissa & kDigitMask) << shift;
  const std::int64_t high = (mantissa >> kDigitBits) * (std::int64_t{1} << shift);
  std::int64_t* digits = digits_of(index) + (digit - first_);
  digits[0] += low & kDigitMask;
  digits[1] += (low >> kDigitBits) + (high & kDigitMask);
  digits[2] += high >> kDigitBits;
}

void ExactSums::merge(const ExactSums& other) {
  if (other.first_ == other.end_) return;
  widen(other.first_, other.end_);
  const auto offset = static_cast<std::size_t>(other.first_ - first_);
  for (std::size_t index = 0; index < count_; ++index) {
    for (std::size_t digit = 0; digit < other.width(); ++digit) {
      digits_of(index)[offset + digit] += other.digits_[index * other.width() + digit];
    }
  }
}

double ExactSums::value(std::size_t index) const {
  // After carrying, the digits are unique: all but the highest lie in [0, 2^32).
  std::vector<std::int64_t> digits(
      digits_.begin() + static_cast<std::ptrdiff_t>(index * width()),
      digits_.begin() + static_cast<std::ptrdiff_t>((index + 1) * width()));
  for (std::size_t digit = 0; digit + 1 < digits.size(); ++digit) {
    digits[digit + 1] += digits[digit] >> kDigitBits;
    digits[digit] &= kDigitMask;
  }
  double sum = 0;
  for (std::size_t digit = digits.size(); digit-- > 0;) {
    sum += std::ldexp(static_cast<double>(digits[digit]),
                      kDigitBits * (first_ + static_cast<int>(digit)));
  }
  return sum;
}

}  // namespace quantsearch
