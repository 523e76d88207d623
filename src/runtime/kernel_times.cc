#include "quantsearch/internal/runtime/kernel_times.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

constexpr int kWarmUps = 2;
constexpr double kSecondsPerTick = 1e-6;  // the profile counts microseconds
constexpr std::string_view kKernelTime = "_kernel_time";

struct Event {
  std::string name;
  std::string op_type;
  std::int64_t start = 0;
  std::int64_t duration = 0;
};

std::string text_of(const Value& event, std::string_view key) {
  const Value* const found = event.find(key);
  return found != nullptr && found->is_string() ? found->as_string() : "";
}

std::int64_t number_of(const Value& event, std::string_view key) {
  const Value* const found = event.find(key);
  if (found == nullptr || !found->is_number())
    throw InvalidInput("profile: an event has no number '" + std::string(key) + "'");
  return found->as_int();
}

Event event_of(const Value& value) {
  const Value* const arguments = value.find("args");
  return {.name = text_of(value, "name"),
          .op_type = arguments == nullptr ? "" : text_of(*arguments, "op_name"),
          .start = number_of(value, "ts"),
          .duration = number_of(value, "dur")};
}

/// Removes kernels that run inside another one, that is, in a body.
std::vector<Event> outermost(std::vector<Event> kernels) {
  std::ranges::stable_sort(kernels, {}, &Event::start);
  std::vector<Event> kept;
  std::int64_t end = 0;
  for (Event& kernel : kernels) {
    const std::int64_t own_end = kernel.start + kernel.duration;
    if (!kept.empty() && own_end <= end && kernel.start > kept.back().start) continue;
    end = own_end;
    kept.push_back(std::move(kernel));
  }
  return kept;
}

double median_of(std::vector<std::int64_t> durations) {
  const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
  std::ranges::nth_element(durations, middle);
  return static_cast<double>(*middle) * kSecondsPerTick;
}

struct Events {
  std::vector<Event> kernels;            // in the order in which they began
  std::vector<std::int64_t> run_starts;  // ascending
};

Events events_of(const Value& profile) {
  Events events;
  for (const Value& value : profile.as_list()) {
    if (text_of(value, "cat") == "Session" && text_of(value, "name") == "model_run")
      events.run_starts.push_back(number_of(value, "ts"));
    if (text_of(value, "cat") == "Node" && text_of(value, "name").ends_with(kKernelTime))
      events.kernels.push_back(event_of(value));
  }
  events.kernels = outermost(std::move(events.kernels));
  std::ranges::sort(events.run_starts);
  return events;
}

}  // namespace

std::vector<KernelTime> read_profile(const std::string& profile, int skipped_runs) {
  const Events events = events_of(parse_json(profile, "profile"));
  // A kernel is known by its name, its type and how often both occurred in the run before.
  using Name = std::pair<std::string, std::string>;
  using Identity = std::pair<Name, int>;
  std::vector<Identity> order;
  std::map<Identity, std::vector<std::int64_t>> durations;
  std::map<Name, int> seen;
  std::size_t run = 0;
  for (const Event& kernel : events.kernels) {
    while (run < events.run_starts.size() && kernel.start >= events.run_starts[run]) {
      ++run;
      seen.clear();
    }
    if (std::cmp_less_equal(run, skipped_runs)) continue;
    const Name name(kernel.name, kernel.op_type);
    const Identity identity{name, seen[name]++};
    std::vector<std::int64_t>& of_kernel = durations[identity];
    if (of_kernel.empty()) order.push_back(identity);
    of_kernel.push_back(kernel.duration);
  }
  std::vector<KernelTime> times;
  for (const Identity& identity : order) {
    const auto& [name, op_type] = identity.first;
    times.push_back({.name = name.substr(0, name.size() - kKernelTime.size()),
                     .op_type = op_type,
                     .seconds = median_of(durations[identity])});
  }
  return times;
}

std::vector<KernelTime> kernel_times(const Model& model, const Batch& input,
                                     const KernelTimeOptions& options) {
  const TemporaryFolder folder;
  {
    const auto session =
        open_session(model, {.threads = options.threads, .profile = folder.path() / "profile"});
    for (int run = 0; run < kWarmUps; ++run) (void)session->run(input, options.token);
    const Stopwatch watch;
    for (int run = 0;
         run < options.least_runs || (run < options.most_runs && watch.seconds() < options.seconds);
         ++run) {
      (void)session->run(input, options.token);
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    return read_profile(read_file(entry.path()), kWarmUps);
  throw IoError("profile: the runtime wrote no profile to '" + folder.path().string() + "'");
}

}  // namespace quantsearch
