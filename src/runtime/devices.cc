// Devices: how they are written, which the runtime has, and how a session gets one.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "runtime/ort_library.h"
#include "runtime/ort_message.h"
#include "runtime/ort_support.h"

namespace quantsearch {

namespace {

bool is_decimal(char letter) { return letter >= '0' && letter <= '9'; }

/// A number that fits an int.
bool is_card(std::string_view name) {
  return !name.empty() && name.size() < 10 && std::ranges::all_of(name, is_decimal);
}

/// A device of OpenVINO, such as CPU or GPU.1. The provider itself takes any name, and runs
/// everything on the CPU's kernels of ONNX Runtime when there is no such device (1.24.1).
/// OpenVINO's combinations of devices (AUTO:GPU,CPU) are left out: which of them has run, and so
/// what a score means, would not be known.
bool is_openvino_device(std::string_view name) {
  constexpr std::string_view kKinds[] = {"CPU", "GPU", "NPU"};
  const std::size_t dot = name.find('.');
  const bool is_known = std::ranges::find(kKinds, name.substr(0, dot)) != std::end(kKinds);
  return is_known && (dot == std::string_view::npos || is_card(name.substr(dot + 1)));
}

struct Provider {
  std::string_view name;      // as users write it
  std::string_view ort_name;  // as ONNX Runtime names it
  std::string_view example;
  bool (*accepts)(std::string_view name);  // null: there is only one device
};

constexpr Provider kProviders[] = {
    {"cpu", "CPUExecutionProvider", "cpu", nullptr},
    {"cuda", "CUDAExecutionProvider", "cuda:0", is_card},
    {"openvino", "OpenVINOExecutionProvider", "openvino:CPU", is_openvino_device},
};

std::vector<std::string> available_providers() {
  (void)ort_library();
  return Ort::GetAvailableProviders();
}

const Provider* find_provider(std::string_view name) {
  const auto* const found = std::ranges::find(kProviders, name, &Provider::name);
  return found == std::end(kProviders) ? nullptr : found;
}

InvalidInput unknown_device(const std::string& text) {
  return InvalidInput(
      fmt::format("got the devices '{}', expected cpu, cuda:0,1 (the numbers of the cards) or "
                  "openvino:CPU (or GPU, NPU, GPU.1)",
                  text));
}

/// Devices of different kinds compute differently, so that their scores cannot be compared.
void require_one_kind(const std::vector<Device>& devices) {
  for (const Device& device : devices) {
    if (device_kind(device) == device_kind(devices.front())) continue;
    throw InvalidInput(
        fmt::format("got the devices '{}' and '{}', expected devices of one kind, because trials "
                    "that ran on different ones cannot be compared",
                    to_string(devices.front()), to_string(device)));
  }
}

/// Throws InvalidInput for a device that parse_devices() would not return.
const Provider& provider_of(const Device& device) {
  const Provider* const provider = find_provider(device.provider);
  const bool is_known =
      provider != nullptr &&
      (provider->accepts == nullptr ? device.name.empty() : provider->accepts(device.name));
  if (!is_known) throw unknown_device(to_string(device));
  return *provider;
}

void append_provider(const Device& device, int threads, Ort::SessionOptions& options) {
  if (device.provider == "cuda") {
    OrtCUDAProviderOptions cuda;
    cuda.device_id = std::stoi(device.name);
    options.AppendExecutionProvider_CUDA(cuda);
  } else if (device.provider == "openvino") {
    options.AppendExecutionProvider_OpenVINO_V2(
        {{"device_type", device.name}, {"num_of_threads", std::to_string(threads)}});
  }
}

}  // namespace

std::string to_string(const Device& device) {
  return device.name.empty() ? device.provider : fmt::format("{}:{}", device.provider, device.name);
}

std::string device_kind(const Device& device) {
  if (device.provider != "openvino") return device.provider;
  return fmt::format("{}:{}", device.provider, device.name.substr(0, device.name.find('.')));
}

std::vector<Device> parse_devices(const std::string& text) {
  const std::size_t colon = text.find(':');
  const Provider* const provider = find_provider(text.substr(0, colon));
  if (provider == nullptr || (provider->accepts == nullptr) != (colon == std::string::npos))
    throw unknown_device(text);
  if (provider->accepts == nullptr) return {Device{}};
  std::vector<Device> devices;
  std::string_view rest = std::string_view(text).substr(colon + 1);
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    if (!provider->accepts(name)) throw unknown_device(text);
    devices.push_back({.provider = std::string(provider->name), .name = std::string(name)});
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  require_one_kind(devices);
  return devices;
}

RuntimeLibrary runtime_library() {
  const OrtLibrary& library = ort_library();
  RuntimeLibrary result{.file = library.file, .version = library.version, .providers = {}};
  for (const std::string& name : available_providers()) {
    const auto* const provider = std::ranges::find(kProviders, name, &Provider::ort_name);
    const bool is_known = provider != std::end(kProviders);
    result.providers.push_back(
        {.name = name, .device = is_known ? std::string(provider->example) : std::string()});
  }
  return result;
}

void require_devices(const std::vector<Device>& devices) {
  for (const Device& device : devices) {
    if (device == Device{}) continue;
    const Provider& provider = provider_of(device);
    const std::vector<std::string> present = available_providers();
    if (std::ranges::find(present, provider.ort_name) == present.end()) {
      throw Unsupported(fmt::format(
          "{} has no {}, which the device '{}' needs; it has {}; let ONNXRUNTIME_ROOT "
          "name a library that has it ('quantsearch inspect --providers' lists those "
          "of a library)",
          runtime_version(), provider.ort_name, to_string(device), fmt::join(present, ", ")));
    }
    // The provider's own libraries may be missing although the runtime names it.
    (void)ort_environment();
    Ort::SessionOptions options;
    run_on(device, 1, options);
  }
}

void run_on(const Device& device, int threads, Ort::SessionOptions& options) {
  (void)provider_of(device);
  try {
    append_provider(device, threads, options);
  } catch (const Ort::Exception& failure) {
    throw Unsupported(fmt::format("{} cannot use the device '{}': {}", runtime_version(),
                                  to_string(device), one_line(failure.what())));
  }
}

}  // namespace quantsearch
