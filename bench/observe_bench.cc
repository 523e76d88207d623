// Compares observation with the same inference without observers, and the inner loop of an observer
// with a plain read of memory.
//   observe_bench [--benchmark_filter=...]     QUANTSEARCH_DEPS_DIR holds the PP-OCR models

#include <benchmark/benchmark.h>

#include <atomic>
#include <cmath>
#include <filesystem>

#include "quantsearch/base/random.h"
#include "quantsearch/calibrate.h"
#include "quantsearch/quantize.h"
#include "quantsearch/runtime.h"
#include "quantsearch/transform.h"

namespace quantsearch {
namespace {

constexpr int kThreads = 2;

/// Returns the model as the pipeline observes it.
Model detection_model() {
  const auto file = std::filesystem::path(QUANTSEARCH_DEPS_DIR) / "ocr/ch_PP-OCRv4_det_infer.onnx";
  return simplify(load_model(file)).model;
}

std::shared_ptr<const DataSource> random_images(std::int64_t count) {
  return callback_data(count, [](std::int64_t sample) {
    RandomStream random(static_cast<std::uint64_t>(sample) + 1);
    Tensor image(DataType::float32, {1, 3, 320, 320});
    for (float& value : image.mutable_values<float>())
      value = static_cast<float>(random.uniform() * 4 - 2);
    return Batch{{"x", image}};
  });
}

void tapped_inference(benchmark::State& state) {
  const Model model = detection_model();
  const auto data = random_images(state.range(0));
  ThreadPool pool(kThreads);
  for (auto _ : state) {
    const auto session =
        open_session(model, {.threads = 1, .optimize = true, .taps = tensors_to_observe(model)});
    std::atomic<std::int64_t> values = 0;
    run_samples(*session, *data, pool, {},
                [&](std::int64_t, std::int64_t, const Batch& outputs, int) {
                  for (const auto& [name, tensor] : outputs) values += tensor.size();
                  return true;
                });
    state.counters["values_per_image"] =
        static_cast<double>(values) / static_cast<double>(state.range(0));
  }
}

void observation(benchmark::State& state) {
  const Model model = detection_model();
  const auto data = random_images(state.range(0));
  ThreadPool pool(kThreads);
  for (auto _ : state) {
    benchmark::DoNotOptimize(observe(model, *data, pool, {.tensors = tensors_to_observe(model)}));
  }
}

/// `zero_percent`: share of zeros in percent; 0 imitates the output of a Conv, 50 that of a Relu.
Tensor activations(std::int64_t channels, std::int64_t inner, std::int64_t zero_percent) {
  RandomStream random(7);
  Tensor tensor(DataType::float32, {1, channels, inner});
  for (float& value : tensor.mutable_values<float>()) {
    value = static_cast<float>(random.normal());
    if (zero_percent > 0)
      value = random.uniform() * 100 < static_cast<double>(zero_percent) ? 0 : std::abs(value);
  }
  return tensor;
}

void observer_loop(benchmark::State& state) {
  const Tensor tensor = activations(16, state.range(0) / 16, state.range(1));
  TensorObserver observer;
  for (auto _ : state) observer.add(0, tensor);
  state.SetItemsProcessed(state.iterations() * tensor.size());
}

void plain_read(benchmark::State& state) {
  const Tensor tensor = activations(16, state.range(0) / 16, 0);
  const auto values = tensor.values<float>();
  for (auto _ : state) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value);
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * tensor.size());
}

void choose(benchmark::State& state) {
  TensorObserver observer;
  observer.add(0, activations(16, 8192, 0));
  const TensorStatistics statistics = observer.statistics();
  const auto method = static_cast<RangeMethod>(state.range(0));
  const RangeOptions options{
      .method = method, .type = DataType::uint8, .symmetric_quantization = false};
  for (auto _ : state) benchmark::DoNotOptimize(choose_range(statistics, options));
  state.SetLabel(to_string(method));
}

BENCHMARK(tapped_inference)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(observation)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(observer_loop)->ArgsProduct({{16384, 1 << 20, 1 << 24}, {0, 50}});
BENCHMARK(plain_read)->Arg(1 << 24);
BENCHMARK(choose)->DenseRange(0, 6);

}  // namespace
}  // namespace quantsearch

BENCHMARK_MAIN();
