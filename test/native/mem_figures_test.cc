#include "gc/mem_figures.h"

#include <algorithm>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

using test::Random;

struct Pause {
  uint64_t end;
  uint64_t ns;
  bool operator==(const Pause&) const = default;
};

// As GcClock::OnEpilogue counts one.
void AddPause(MemFigures* figures, Pause pause) {
  ++figures->minor.count;
  size_t slot = (figures->gc_count() + kPauseRing - 1) % kPauseRing;
  figures->pause_ns[slot] = pause.ns;
  figures->pause_end[slot] = pause.end;
  figures->last_gc_ns = pause.end;
}

// Newest first, up to the first slot that was never written.
std::vector<Pause> PausesOf(const MemFigures& figures) {
  std::vector<Pause> pauses;
  for (size_t i = 0; i < kPauseRing; ++i) {
    size_t slot = (figures.gc_count() + kPauseRing - 1 - i) % kPauseRing;
    if (figures.pause_end[slot] == 0) break;
    pauses.push_back({figures.pause_end[slot], figures.pause_ns[slot]});
  }
  return pauses;
}

TEST(MemFiguresOfManyIsolatesHaveTheNewestPausesOfAll) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    size_t isolates = 1 + random.Below(6);
    std::vector<MemFigures> each(isolates);
    std::vector<Pause> all;
    size_t count = random.Below(3 * kPauseRing);
    for (size_t i = 0; i < count; ++i) {
      Pause pause{1000 + i, random.Below(1000)};
      AddPause(&each[random.Below(isolates)], pause);
      all.push_back(pause);
    }
    // A ring has only the newest of its own: what a ring lost cannot be among the newest of all.
    std::reverse(all.begin(), all.end());
    all.resize(std::min(all.size(), kPauseRing));
    MemFigures total;
    for (const MemFigures& figures : each) total.Add(figures);
    CHECK_EQ(total.gc_count(), count);
    CHECK(PausesOf(total) == all);
  }
}

TEST(MemFiguresKeepEveryPauseWhenTheClockWasSetBack) {
  MemFigures one;
  MemFigures other;
  for (uint64_t end : {5000, 5001, 3000, 3001}) AddPause(&one, {end, end});
  for (uint64_t end : {4000, 4001}) AddPause(&other, {end, end});
  one.Add(other);
  std::vector<Pause> pauses = PausesOf(one);
  std::sort(pauses.begin(), pauses.end(), [](const Pause& a, const Pause& b) { return a.end < b.end; });
  CHECK(pauses == std::vector<Pause>(
                      {{3000, 3000}, {3001, 3001}, {4000, 4000}, {4001, 4001}, {5000, 5000}, {5001, 5001}}));
}

}  // namespace
}  // namespace memprof
