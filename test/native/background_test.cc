#include "base/background.h"

#include <atomic>
#include <thread>
#include <vector>

#include "check.h"

namespace memprof {

namespace {

void WaitUntil(const std::atomic<int>& done, int wanted) {
  while (done.load() != wanted) std::this_thread::yield();
}

}  // namespace

TEST(BackgroundWorkIsDoneInOrderOnAnotherThread) {
  REQUIRE(StartBackground());
  REQUIRE(StartBackground());
  std::atomic<int> done{0};
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    RunInBackground([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
      ++done;
    });
  }
  WaitUntil(done, 100);
  REQUIRE(order.size() == 100);
  for (int i = 0; i < 100; ++i) {
    CHECK_EQ(order[i], i);
    CHECK(threads[i] == threads[0]);
  }
  CHECK(threads[0] != std::this_thread::get_id());
}

TEST(BackgroundWorkOfManyThreadsIsDoneOnce) {
  REQUIRE(StartBackground());
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) RunInBackground([&] { ++done; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  WaitUntil(done, kThreads * kEach);
}

}  // namespace memprof
