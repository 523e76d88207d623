#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "quantsearch/base/error.h"
#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

namespace {

using Binary = double (*)(double, double);

Tensor combine(const Tensor& left, const Tensor& right, DataType type, Binary operation) {
  const Tensor a = wide(left);
  const Tensor b = wide(right);
  Tensor result(DataType::float64, broadcast_shape(left.shape(), right.shape()));
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    const auto from_a = static_cast<std::size_t>(broadcast_offset(index, a.shape()));
    const auto from_b = static_cast<std::size_t>(broadcast_offset(index, b.shape()));
    out[at++] = operation(a.values<double>()[from_a], b.values<double>()[from_b]);
  });
  return convert(result, type);
}

template <auto operation>
std::vector<Tensor> binary(const KernelCall& call) {
  return {combine(call.input(0), call.input(1), call.input(0).type(), operation)};
}

double add(double a, double b) { return a + b; }
double subtract(double a, double b) { return a - b; }
double multiply(double a, double b) { return a * b; }
// The result is NaN when either argument is NaN.
double smaller(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
}
double larger(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
}
double power(double a, double b) { return std::pow(a, b); }

std::vector<Tensor> divide(const KernelCall& call) {
  const Tensor& dividend = call.input(0);
  if (!is_integer(dividend.type())) {
    return {combine(dividend, call.input(1), dividend.type(),
                    [](double a, double b) { return a / b; })};
  }
  // Integer division truncates towards zero.
  return {combine(dividend, call.input(1), dividend.type(), [](double a, double b) {
    if (b == 0) throw InvalidInput("reference session: Div of an integer by zero");
    return std::trunc(a / b);
  })};
}

/// Min and Max take any number of inputs.
template <auto operation>
std::vector<Tensor> fold(const KernelCall& call) {
  Tensor result = call.input(0);
  for (std::size_t index = 1; index < call.inputs.size(); ++index) {
    result = combine(result, call.input(index), result.type(), operation);
  }
  return {result};
}

std::vector<Tensor> cast(const KernelCall& call) {
  const auto type = static_cast<DataType>(call.node.int_attribute("to", 0));
  const Tensor& source = call.input(0);
  if (bits_of(type) < 8) call.refuse(to_string(type));  // values out of range wrap in these types
  if (!is_floating(source.type()) || !is_integer(type)) return {convert(source, type)};
  // Casting floating point to an integer truncates. ONNX leaves values out of range undefined; here
  // they saturate.
  Tensor truncated = wide(source);
  for (double& value : truncated.mutable_values<double>()) value = std::trunc(value);
  return {convert(truncated, type)};
}

}  // namespace

void add_elementwise_kernels(KernelTable& table) {
  table["Add"] = binary<add>;
  table["Sub"] = binary<subtract>;
  table["Mul"] = binary<multiply>;
  table["Div"] = divide;
  table["Pow"] = binary<power>;
  table["Min"] = fold<smaller>;
  table["Max"] = fold<larger>;
  table["Cast"] = cast;
}

}  // namespace quantsearch::reference
