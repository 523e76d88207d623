#include "scale/simulation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quantsearch {
namespace {

TEST(EventQueue, OrdersByTimeAndThenByAddition) {
  EventQueue<std::string> events;
  events.add(2, "c");
  events.add(1, "a");
  events.add(2, "d");
  events.add(1, "b");
  std::string order;
  while (!events.is_empty()) order += events.next();
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(events.now(), 2);
}

TEST(Simulation, RunsCallbacksThatAddCallbacksUntilItIsStopped) {
  Simulation simulation;
  std::vector<double> times;
  const std::function<void()> tick = [&] {
    times.push_back(simulation.now());
    if (times.size() == 3) return simulation.stop();
    simulation.after(2, tick);
  };
  simulation.after(1, tick);
  simulation.run();
  EXPECT_EQ(times, (std::vector<double>{1, 3, 5}));
}

TEST(Server, QueuesWhatItsCoresCannotTake) {
  Simulation simulation;
  Server server(simulation, 2);
  std::vector<double> ends;
  for (const double seconds : {4.0, 1.0, 2.0, 1.0})
    server.serve(seconds, [&] { ends.push_back(simulation.now()); });
  simulation.run();
  // 4 and 1 at once, 2 from 1 on, 1 from 3 on; the first request ends before the last at 4.
  EXPECT_EQ(ends, (std::vector<double>{1, 3, 4, 4}));
  EXPECT_EQ(server.totals().requests, 4);
  EXPECT_EQ(server.totals().busy_seconds, 8);
  EXPECT_EQ(server.totals().waiting_seconds, 1 + 3);
  EXPECT_EQ(server.totals().longest_wait, 3);
}

TEST(Lock, IsGivenInTheOrderOfArrival) {
  Simulation simulation;
  Lock lock(simulation);
  std::vector<std::string> events;
  const auto hold = [&](const std::string& name, double seconds) {
    lock.acquire([&, name, seconds] {
      events.push_back(name + std::to_string(static_cast<int>(simulation.now())));
      simulation.after(seconds, [&] { lock.release(); });
    });
  };
  hold("a", 2);
  hold("b", 3);
  simulation.after(1, [&] { hold("c", 1); });
  simulation.run();
  EXPECT_EQ(events, (std::vector<std::string>{"a0", "b2", "c5"}));
  EXPECT_EQ(lock.totals().busy_seconds, 6);
  EXPECT_EQ(lock.totals().waiting_seconds, 2 + 4);
}

}  // namespace
}  // namespace quantsearch
