#include <new>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/trials/worker_main.h"
#include "trials/messages.h"

namespace quantsearch {

namespace {

Value failed(const std::string& reason) {
  return message_of(TrialFailure{.reason = reason, .details = {}});
}

Value save(const BuiltModel& built, const Value& file) {
  save_model(*built.model, file.as_string());
  return value_of(built.settings);
}

TrialRequest request_of(const Value& message, const CancellationToken& token) {
  TrialRequest request{.point = point_of(*message.find("point")),
                       .number = message.find("run")->as_int(),
                       .token = token};
  if (const Value* const incumbent = message.find("incumbent"))
    request.incumbent = std::make_shared<const Trial>(trial_of(*incumbent));
  return request;
}

Value run(TrialExecutor& executor, const Value& request, const CancellationToken& token) {
  const Value* const file = request.find("file");
  if (const Value* const trial = request.find("make"))
    return Value::Map{{"made", save(executor.rebuild(trial_of(*trial)), *file)}};
  const TrialOutcome outcome = executor.run(request_of(request, token));
  Value message = message_of(outcome);
  const auto* const success = std::get_if<TrialSuccess>(&outcome);
  if (success != nullptr && file != nullptr) {
    const auto product = std::static_pointer_cast<const BuiltProduct>(success->product);
    message.set("made", save(product->load(), *file));
  }
  return message;
}

}  // namespace

Value answer_request(TrialExecutor& executor, const Value& request,
                     const CancellationToken& token) {
  try {
    return run(executor, request, token);
  } catch (const Cancelled&) {
    return Value::Map{{"cancelled", true}};
  } catch (const std::bad_alloc&) {
    return failed("out of memory");
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}

}  // namespace quantsearch
