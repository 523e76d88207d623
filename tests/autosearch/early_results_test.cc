#include "autosearch/early_results.h"

#include <gtest/gtest.h>

#include <future>

namespace quantsearch {
namespace {

Trial numbered(std::int64_t number) {
  Trial trial;
  trial.number = number;
  return trial;
}

TEST(EarlyResults, ContainTheTrialsFinishedBeforeTheCancellation) {
  const CancellationToken token;
  std::promise<std::vector<Trial>> written;
  EarlyResults early(token, KeptTrials(Goal::minimize, {}),
                     [&written](std::vector<Trial> trials, std::optional<std::int64_t>) {
                       written.set_value(std::move(trials));
                     });
  early.add(numbered(0));
  early.begin();
  early.add(numbered(1));
  token.cancel();
  EXPECT_EQ(written.get_future().get(), (std::vector<Trial>{numbered(0), numbered(1)}));
}

TEST(EarlyResults, OfASearchThatEndsByItselfAreNotWritten) {
  bool was_written = false;
  {
    EarlyResults early(CancellationToken(), KeptTrials(Goal::minimize, {}),
                       [&was_written](const std::vector<Trial>&, std::optional<std::int64_t>) {
                         was_written = true;
                       });
  }
  EXPECT_FALSE(was_written);
}

TEST(EarlyResults, AreNotWrittenBeforeTheEarlierTrialsAreKnown) {
  const CancellationToken token;
  bool was_written = false;
  {
    EarlyResults early(token, KeptTrials(Goal::minimize, {}),
                       [&was_written](const std::vector<Trial>&, std::optional<std::int64_t>) {
                         was_written = true;
                       });
    early.add(numbered(0));
    token.cancel();
  }
  EXPECT_FALSE(was_written);
}

}  // namespace
}  // namespace quantsearch
