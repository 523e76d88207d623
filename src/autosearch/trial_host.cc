#include <deque>
#include <mutex>

#include "autosearch/fixed_input.h"
#include "autosearch/setup.h"
#include "quantsearch/internal/trials/worker_main.h"

namespace quantsearch {

namespace {

/// Keeps the models of the latest successes, because the search asks for the model of a trial that
/// has become the best one shortly after its end. Building it again would wait for a free job.
class RecentModels final : public TrialExecutor {
 public:
  RecentModels(std::unique_ptr<TrialExecutor> runner, ByteBudget budget)
      : runner_(std::move(runner)), budget_(std::move(budget)) {}

  [[nodiscard]] int jobs() const override { return runner_->jobs(); }

  [[nodiscard]] TrialOutcome run(const TrialRequest& request) override {
    TrialOutcome outcome = runner_->run(request);
    if (const auto* const success = std::get_if<TrialSuccess>(&outcome)) keep(request, *success);
    return outcome;
  }

  [[nodiscard]] BuiltModel rebuild(const Trial& trial) override {
    if (const auto product = find(trial)) return product->load();
    return runner_->rebuild(trial);
  }

 private:
  struct Kept {
    std::int64_t number = 0;
    Point point;
    std::shared_ptr<const BuiltProduct> product;
    ByteBudget::Reservation memory;
  };

  void keep(const TrialRequest& request, const TrialSuccess& success) {
    constexpr std::size_t kPerJob = 2;
    auto product = std::static_pointer_cast<const BuiltProduct>(success.product);
    const std::lock_guard lock(mutex_);
    while (kept_.size() >= kPerJob * static_cast<std::size_t>(jobs())) kept_.pop_front();
    ByteBudget::Reservation memory = budget_.try_reserve(product->bytes());
    if (!memory) return;
    kept_.push_back({request.number, request.point, std::move(product), std::move(memory)});
  }

  [[nodiscard]] std::shared_ptr<const BuiltProduct> find(const Trial& trial) {
    const std::lock_guard lock(mutex_);
    for (const Kept& kept : kept_) {
      if (kept.number == trial.number && kept.point == trial.point) return kept.product;
    }
    return nullptr;
  }

  std::unique_ptr<TrialExecutor> runner_;
  ByteBudget budget_;
  std::mutex mutex_;
  std::deque<Kept> kept_;  // oldest first
};

class PreparedHost final : public TrialHost {
 public:
  PreparedHost(const AutoSearchConfig& config, SearchInput input, SearchEnvironment environment,
               const Value& greeting)
      : input_(with_fixed_inputs(std::move(input), config.fixed_inputs)),
        environment_(std::move(environment)),
        setup_(prepare(config, input_, environment_)),
        baseline_(measure_baseline(setup_, greeting_of(greeting).float_scores)),
        runner_(make_trial_runner(trial_context(setup_, baseline_)), environment_.budget) {}
  PreparedHost(const PreparedHost&) = delete;
  PreparedHost& operator=(const PreparedHost&) = delete;

  [[nodiscard]] Value fingerprint() const override { return fingerprint_of(setup_); }
  [[nodiscard]] int jobs() const override { return runner_.jobs(); }
  [[nodiscard]] Value answer(const Value& request, const CancellationToken& token) override {
    return answer_request(runner_, request, token);
  }

 private:
  const SearchInput input_;
  const SearchEnvironment environment_;
  Setup setup_;
  Baseline baseline_;
  RecentModels runner_;
};

}  // namespace

std::unique_ptr<TrialHost> open_trial_host(const AutoSearchConfig& config, const SearchInput& input,
                                           const SearchEnvironment& environment,
                                           const Value& greeting) {
  return std::make_unique<PreparedHost>(config, input, environment, greeting);
}

}  // namespace quantsearch
