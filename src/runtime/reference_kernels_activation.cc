#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

namespace {

template <typename Function>
std::vector<Tensor> map(const Tensor& input, const Function& function) {
  Tensor result = wide(input);
  for (double& value : result.mutable_values<double>()) value = function(value);
  return {convert(result, input.type())};
}

template <auto function>
std::vector<Tensor> unary(const KernelCall& call) {
  return map(call.input(0), function);
}

double relu(double x) { return x < 0 ? 0 : x; }  // keeps NaN
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double negate(double x) { return -x; }
double tangent(double x) { return std::tanh(x); }
double exponential(double x) { return std::exp(x); }
double error_function(double x) { return std::erf(x); }
double root(double x) { return std::sqrt(x); }
double magnitude(double x) { return std::fabs(x); }
double clamp(double x, double low, double high) {
  return std::isnan(x) ? x : std::min(std::max(x, low), high);
}

// y = max(0, min(1, alpha x + beta)); HardSwish is x times this value with alpha 1/6 and beta 1/2.
std::vector<Tensor> hard_sigmoid(const KernelCall& call) {
  const double alpha = call.node.float_attribute("alpha", 0.2F);
  const double beta = call.node.float_attribute("beta", 0.5F);
  return map(call.input(0), [=](double x) { return clamp(alpha * x + beta, 0, 1); });
}

double hard_swish(double x) { return x * clamp(x / 6 + 0.5, 0, 1); }

std::vector<Tensor> leaky_relu(const KernelCall& call) {
  const double alpha = call.node.float_attribute("alpha", 0.01F);
  return map(call.input(0), [=](double x) { return x < 0 ? alpha * x : x; });
}

std::vector<Tensor> clip(const KernelCall& call) {
  // The limits are attributes up to opset 10 and inputs since opset 11.
  double low = call.node.float_attribute("min", std::numeric_limits<float>::lowest());
  double high = call.node.float_attribute("max", std::numeric_limits<float>::max());
  if (call.opset >= 11) {
    low = call.has(1) ? wide(call.input(1)).values<double>()[0]
                      : -std::numeric_limits<double>::infinity();
    high = call.has(2) ? wide(call.input(2)).values<double>()[0]
                       : std::numeric_limits<double>::infinity();
  }
  return map(call.input(0), [=](double x) { return clamp(x, low, high); });
}

}  // namespace

void add_activation_kernels(KernelTable& table) {
  table["Abs"] = unary<magnitude>;
  table["Clip"] = clip;
  table["Erf"] = unary<error_function>;
  table["Exp"] = unary<exponential>;
  table["HardSigmoid"] = hard_sigmoid;
  table["HardSwish"] = unary<hard_swish>;
  table["LeakyRelu"] = leaky_relu;
  table["Neg"] = unary<negate>;
  table["Relu"] = unary<relu>;
  table["Sigmoid"] = unary<sigmoid>;
  table["Sqrt"] = unary<root>;
  table["Tanh"] = unary<tangent>;
}

}  // namespace quantsearch::reference
