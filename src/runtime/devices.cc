// Parsing, checking and choosing the devices that sessions run on.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "runtime/ort_support.h"

namespace quantsearch {

namespace {

constexpr const char* kCudaProvider = "CUDAExecutionProvider";
constexpr std::string_view kCuda = "cuda:";

Device& chosen_device() {
  static Device device;
  return device;
}

InvalidInput unknown_device(const std::string& text) {
  return InvalidInput(fmt::format(
      "got the devices '{}', expected cpu or cuda:0,1 (the numbers of the cards)", text));
}

int card_of(const std::string& text, std::string_view number) {
  int card = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), card);
  if (error != std::errc() || end != number.data() + number.size() || card < 0)
    throw unknown_device(text);
  return card;
}

}  // namespace

std::string to_string(const Device& device) {
  return device.card ? fmt::format("{}{}", kCuda, *device.card) : "cpu";
}

std::vector<Device> parse_devices(const std::string& text) {
  if (text == "cpu") return {Device{}};
  if (!text.starts_with(kCuda)) throw unknown_device(text);
  std::vector<Device> devices;
  std::string_view rest = std::string_view(text).substr(kCuda.size());
  while (true) {
    const std::size_t comma = rest.find(',');
    devices.push_back({.card = card_of(text, rest.substr(0, comma))});
    if (comma == std::string_view::npos) return devices;
    rest.remove_prefix(comma + 1);
  }
}

void require_devices(const std::vector<Device>& devices) {
  const std::vector<std::string> providers = Ort::GetAvailableProviders();
  const bool wants_cards =
      std::ranges::any_of(devices, [](const Device& device) { return device.card.has_value(); });
  if (!wants_cards || std::ranges::find(providers, kCudaProvider) != providers.end()) return;
  throw Unsupported(fmt::format("{} has no {}, which 'cuda' devices need; it has {}",
                                runtime_version(), kCudaProvider, fmt::join(providers, ", ")));
}

void use_device(const Device& device) {
  require_devices({device});
  chosen_device() = device;
}

void run_on_chosen_device(Ort::SessionOptions& options) {
  const Device& device = chosen_device();
  if (!device.card) return;
  OrtCUDAProviderOptions cuda;
  cuda.device_id = *device.card;
  options.AppendExecutionProvider_CUDA(cuda);
}

}  // namespace quantsearch
