#pragma once

// The other side of isolated trials: what a worker process does.

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "autosearch/message_channel.h"
#include "autosearch/trial_runner.h"

namespace quantsearch {

class TrialService {
 public:
  /// `conversation`: an open socket to the search; its owner from now on.
  explicit TrialService(int conversation) : channel_(Descriptor(conversation)) {}

  /// Lines go to the search's log, once trials are served: what is said before, the search says itself.
  [[nodiscard]] LogSink log();

  /// The scores of the float model, as the search measured them: its first message.
  [[nodiscard]] Scores float_scores();
  /// Answers requests until the search closes the conversation.
  void serve(TrialRunner& runner, const Value& fingerprint);
  /// Waits until no other process of the search is at work.
  void wait_until_alone();

 private:
  void reply(const Value& message);
  [[nodiscard]] Value answer(TrialRunner& runner, const Value& request, const CancellationToken& token);

  MessageChannel channel_;
  std::atomic<bool> is_serving_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_alone_ = false;
  bool is_closed_ = false;
};

}  // namespace quantsearch
