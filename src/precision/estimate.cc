#include "precision/estimate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

struct Noise {
  double signal = 0;
  double noise = 0;
  [[nodiscard]] double ratio() const {
    if (signal > 0) return noise / signal;
    return noise > 0 ? 1 : 0;
  }
};

/// The noise of values whose channel changes after `run` values; 0: one scale for all.
Noise noise_of(std::span<const float> values, const TensorParams& params, std::size_t run) {
  Noise result;
  const IntegerLimits limits = integer_limits(params.type, false);
  for (std::size_t at = 0; at < values.size(); ++at) {
    const std::size_t channel = run == 0 ? 0 : (at / run) % params.scales.size();
    const double scale = static_cast<double>(params.scales[channel]);
    const auto zero_point = static_cast<double>(params.zero_points[channel]);
    const double value = static_cast<double>(values[at]);
    const double integer =
        std::clamp(std::nearbyint(value / scale) + zero_point, static_cast<double>(limits.low),
                   static_cast<double>(limits.high));
    const double error = value - (integer - zero_point) * scale;
    result.signal += value * value;
    result.noise += error * error;
  }
  return result;
}

double weight_noise(const Tensor& weight, const TensorParams& params) {
  std::size_t run = 0;
  if (params.axis >= 0) {
    run = 1;
    for (std::size_t axis = static_cast<std::size_t>(params.axis) + 1; axis < weight.shape().size();
         ++axis) {
      run *= static_cast<std::size_t>(weight.shape()[axis]);
    }
  }
  return noise_of(weight.values<float>(), params, run).ratio();
}

class Estimator {
 public:
  Estimator(const Model& model, const CalibrationResult& calibration,
            const QuantizeOptions& quantization, const std::vector<Layer>& layers,
            const std::vector<NodeFormat>& formats, const PrecisionContext& context)
      : model_(model), index_(model.graph), layers_(layers), context_(context) {
    for (const NodeFormat& format : formats) {
      if (format.keep_float) {
        parameters_.emplace_back();
        continue;
      }
      QuantizeOptions options = quantization;
      for (const Layer& layer : layers) set_format(options.node_formats, layer, format);
      parameters_.push_back(quantize(model, calibration, options, context.pool).tensors);
    }
  }

  std::vector<std::vector<double>> run(const DataSource& data) {
    observe(data);
    std::vector<std::vector<double>> estimates;
    for (const Layer& layer : layers_) {
      std::vector<double>& of_layer = estimates.emplace_back();
      for (std::size_t format = 0; format < parameters_.size(); ++format) {
        double sum = 0;
        for (const Member& member : layer.members) sum += noise_of_member(member, format);
        of_layer.push_back(sum);
      }
    }
    return estimates;
  }

 private:
  [[nodiscard]] const TensorParams* params_of(const std::string& tensor, std::size_t format) const {
    const auto found = parameters_[format].find(tensor);
    return found == parameters_[format].end() ? nullptr : &found->second;
  }

  [[nodiscard]] double noise_of_member(const Member& member, std::size_t format) const {
    const Node& node = model_.graph.nodes[static_cast<std::size_t>(member.node)];
    double sum = 0;
    for (const std::string& input : node.inputs) {
      const TensorParams* params = params_of(input, format);
      if (params == nullptr) continue;
      const Tensor* constant = index_.initializer(input);
      if (constant == nullptr) {
        sum += noise_.at(input)[format].ratio();
      } else if (constant->type() == DataType::float32 && params->type != DataType::int32) {
        sum += weight_noise(*constant, *params);
      }
    }
    return sum;
  }

  /// The inputs of the layers' nodes that at least one format quantizes.
  [[nodiscard]] std::set<std::string> tensors_to_tap() const {
    std::set<std::string> tensors;
    for (const Layer& layer : layers_) {
      for (const Member& member : layer.members) {
        for (const std::string& input :
             model_.graph.nodes[static_cast<std::size_t>(member.node)].inputs) {
          if (index_.initializer(input) != nullptr) continue;
          for (std::size_t format = 0; format < parameters_.size(); ++format) {
            if (params_of(input, format) != nullptr) tensors.insert(input);
          }
        }
      }
    }
    return tensors;
  }

  void observe(const DataSource& data) {
    const std::set<std::string> wanted = tensors_to_tap();
    std::vector<std::string> taps;
    for (const std::string& tensor : wanted) {
      noise_[tensor].resize(parameters_.size());
      if (!index_.is_graph_input(tensor) && !index_.is_graph_output(tensor)) taps.push_back(tensor);
    }
    const auto session =
        open_session(model_, {.threads = 1, .optimize = false, .taps = std::move(taps)});
    // Samples are processed one after the other and their tensors in parallel, so that the order of
    // the sums is fixed and only the tensors of one sample are held.
    const std::vector<std::string> tensors(wanted.begin(), wanted.end());
    for (std::int64_t sample = 0; sample < data.size(); ++sample) {
      context_.token.throw_if_cancelled();
      Batch values = data.read(sample, 1);
      for (auto& [name, tensor] : session->run(values, context_.token))
        values[name] = std::move(tensor);
      context_.pool.parallel_for(
          static_cast<std::int64_t>(tensors.size()), [&](std::int64_t at, int) {
            const std::string& tensor = tensors[static_cast<std::size_t>(at)];
            add(values.at(tensor), tensor);
          });
    }
  }

  void add(const Tensor& values, const std::string& tensor) {
    std::vector<Noise>& noise = noise_.at(tensor);
    for (std::size_t format = 0; format < noise.size(); ++format) {
      const TensorParams* params = params_of(tensor, format);
      if (params == nullptr) continue;
      const Noise more = noise_of(values.values<float>(), *params, 0);
      noise[format].signal += more.signal;
      noise[format].noise += more.noise;
    }
  }

  const Model& model_;
  GraphIndex index_;
  const std::vector<Layer>& layers_;
  const PrecisionContext& context_;
  std::vector<std::map<std::string, TensorParams>> parameters_;  // by format, then by tensor
  std::map<std::string, std::vector<Noise>> noise_;              // by tensor, then by format
};

}  // namespace

std::vector<std::vector<double>> estimate_noise(
    const Model& model, const CalibrationResult& calibration, const QuantizeOptions& quantization,
    const std::vector<Layer>& layers, const std::vector<NodeFormat>& formats,
    const DataSource& data, const PrecisionContext& context) {
  return Estimator(model, calibration, quantization, layers, formats, context).run(data);
}

}  // namespace quantsearch
