#include <fmt/core.h>
#include <onnxruntime_session_options_config_keys.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/runtime.h"
#include "runtime/ort_message.h"
#include "runtime/ort_support.h"
#include "runtime/signature.h"

namespace quantsearch {

namespace {

bool has_open_first_axis(const Ort::TypeInfo& info) {
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) return false;
  const Shape shape = info.GetTensorTypeAndShapeInfo().GetShape();
  return !shape.empty() && shape[0] < 0;
}

/// A copy of an output that the runtime has computed once and keeps in the session's memory. The
/// output may outlive the session.
Tensor copy_of(const Tensor& constant) {
  if (constant.type() == DataType::string) return constant;
  return Tensor::from_bytes(constant.type(), constant.shape(), constant.bytes());
}

class OrtSession final : public Session {
 public:
  OrtSession(const Model& model, const SessionOptions& options)
      : environment_(ort_environment()), signature_(model, options.taps), session_(nullptr) {
    DetachedModel detached =
        options.taps.empty()
            ? detach_initializers(model, kSharedBytes)
            : detach_initializers(with_outputs(model, signature_.inner_taps()), kSharedBytes);
    weights_ = share_weights(*environment_, std::move(detached.initializers));
    load(detached.proto, options);
    read_outputs(model.graph.outputs.size());
  }

  [[nodiscard]] bool stacks_samples() const override { return stacks_samples_; }

  [[nodiscard]] Batch run(const Batch& given, const CancellationToken& token) const override {
    token.throw_if_cancelled();
    const Batch inputs = signature_.fitted(given);
    std::vector<const char*> input_names;
    std::vector<Ort::Value> input_values;
    for (const auto& [name, tensor] : inputs) {
      input_names.push_back(name.c_str());
      input_values.push_back(to_ort_value(*environment_, tensor, name));
    }
    std::vector<Ort::Value> values = run_graph(input_names, input_values, token);
    Batch outputs;
    for (std::size_t index = 0; index < values.size(); ++index) {
      const std::string& name = output_names_[index];
      Tensor output = from_ort_value(std::move(values[index]), name);
      outputs.insert_or_assign(name,
                               signature_.is_constant(name) ? copy_of(output) : std::move(output));
    }
    signature_.add_outer_values(inputs, outputs);
    return outputs;
  }

 private:
  void load(const std::string& proto, const SessionOptions& options) {
    Ort::SessionOptions ort_options = ort_session_options(options.threads, options.optimize);
    // The mode doubles the time on some processors that do not need it (AVX-512 with VNNI, ONNX
    // Runtime 1.32).
    if (options.exact_products && !multiplies_without_saturation())
      ort_options.AddConfigEntry(kOrtSessionOptionsAvx2PrecisionMode, "1");
    if (!options.profile.empty()) ort_options.EnableProfiling(options.profile.c_str());
    run_on(options.device, options.threads, ort_options);
    try {
      if (!weights_.names.empty()) {
        ort_options.AddExternalInitializers(weights_.names, weights_.values);
        // Without this call the runtime makes a second copy of each weight while it sets up the
        // graph. With optimization the call would be wrong: the optimizer may transpose an
        // initializer and keep its name, and the value given here would silently replace the
        // transposed one. An optimized session therefore holds one copy, in the layout of its
        // kernels, and does not touch our values.
        for (std::size_t index = 0; !options.optimize && index < weights_.names.size(); ++index) {
          ort_options.AddInitializer(weights_.names[index].c_str(), weights_.values[index]);
        }
      }
      session_ = Ort::Session(environment_->env, proto.data(), proto.size(), ort_options);
    } catch (const Ort::Exception& failure) {
      throw InvalidInput(fmt::format("open session: {} cannot load the model: {}",
                                     runtime_version(), one_line(failure.what())));
    }
  }

  void read_outputs(std::size_t graph_outputs) {
    const Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t index = 0; index < session_.GetOutputCount(); ++index) {
      std::string name = session_.GetOutputNameAllocated(index, allocator).get();
      const bool is_tensor = session_.GetOutputTypeInfo(index).GetONNXType() == ONNX_TYPE_TENSOR;
      if (is_tensor && !signature_.is_outer(name)) output_names_.push_back(std::move(name));
    }
    for (const std::string& name : output_names_) output_name_texts_.push_back(name.c_str());
    for (std::size_t index = 0; index < session_.GetInputCount() && stacks_samples_; ++index) {
      stacks_samples_ = has_open_first_axis(session_.GetInputTypeInfo(index));
    }
    for (std::size_t index = 0; index < graph_outputs && stacks_samples_; ++index) {
      stacks_samples_ = has_open_first_axis(session_.GetOutputTypeInfo(index));
    }
  }

  [[nodiscard]] std::vector<Ort::Value> run_graph(const std::vector<const char*>& names,
                                                  const std::vector<Ort::Value>& values,
                                                  const CancellationToken& token) const {
    Ort::RunOptions run_options;
    run_options.SetRunLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
    const auto watch =
        environment_->watcher.watch(token, [&run_options] { run_options.SetTerminate(); });
    if (output_names_.empty()) return {};  // the runtime rejects a run without outputs
    try {
      return session_.Run(run_options, names.data(), values.data(), values.size(),
                          output_name_texts_.data(), output_name_texts_.size());
    } catch (const Ort::Exception& failure) {
      token.throw_if_cancelled();
      const std::string reason =
          fmt::format("run: {} failed: {}", runtime_version(), one_line(failure.what()));
      if (failure.GetOrtErrorCode() == ORT_INVALID_ARGUMENT) throw InvalidInput(reason);
      throw IoError(reason);
    }
  }

  std::shared_ptr<OrtEnvironment> environment_;  // outlives session_
  Signature signature_;
  SharedWeights weights_;
  mutable Ort::Session session_;  // Run is thread-safe but not const
  std::vector<std::string> output_names_;
  std::vector<const char*> output_name_texts_;
  bool stacks_samples_ = true;
};

}  // namespace

std::unique_ptr<Session> open_session(const Model& model, const SessionOptions& options) {
  if (options.threads < 1) {
    throw InvalidInput(
        fmt::format("open session: threads is {}, expected at least 1", options.threads));
  }
  return std::make_unique<OrtSession>(model, options);
}

}  // namespace quantsearch
