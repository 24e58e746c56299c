#include "heap/heap_moments.h"

#include <algorithm>

#include "base/clocks.h"
#include "buffers/buffer_profile.h"
#include "check.h"

namespace memprof {

namespace {

constexpr uint64_t kMinute = HeapMoments::kMinuteNs;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kBegin = 1'000'000 * kMinute;

struct World {
  explicit World(size_t most_bytes = HeapMoments::kMostBytes) : moments(&tables, most_bytes) {}

  ProfileTables tables{ProfileTables::kDefaultLimit};
  HeapMoments moments;

  void Allocate(int site, uint64_t bytes) {
    Ref stack = tables.InternStack(0, tables.InternFrame("f", "file.js", site, 1));
    tables.BucketAt(tables.BucketFor(stack, bytes))->AddAlloc(1, bytes);
  }
  HeapMoment At(uint64_t at_ns, uint64_t heap_used = 0) {
    HeapMoment moment;
    moment.at_ns = at_ns;
    moment.heap_used = heap_used;
    return moment;
  }
};

TEST(APeakIsReplacedByOneThatIsThreePercentHigher) {
  World world;
  world.Allocate(1, 100);
  CHECK(world.moments.TryTakePeak(world.At(1, 1000)));
  CHECK_EQ(world.moments.Peak().buckets.size(), 1u);
  world.Allocate(2, 100);
  CHECK(!world.moments.IsPeak(1020));
  CHECK(world.moments.TryTakePeak(world.At(2, 1020)));
  CHECK_EQ(world.moments.Peak().at_ns, 1u);
  CHECK(world.moments.TryTakePeak(world.At(3, 1040)));
  CHECK_EQ(world.moments.Peak().at_ns, 3u);
  CHECK_EQ(world.moments.Peak().buckets.size(), 2u);
  world.tables.Reset();
  CHECK_EQ(world.moments.Peak().at_ns, 0u);
}

TEST(TheHistoryIsThinnedOutAsItAges) {
  World world;
  world.Allocate(1, 100);
  uint64_t now = kBegin;
  for (int minute = 0; minute < 8 * 24 * 60; ++minute) {
    now = kBegin + static_cast<uint64_t>(minute) * kMinute;
    CHECK(world.moments.IsHistoryDue(now));
    CHECK(world.moments.TryAddToHistory(world.At(now)));
    CHECK(!world.moments.IsHistoryDue(now + kMinute / 2));
  }
  size_t last_hour = 0, last_day = 0, older = 0;
  uint64_t before = 0;
  for (size_t i = 0; i < world.moments.HistorySize(); ++i) {
    uint64_t at = world.moments.HistoryAt(i).at_ns;
    CHECK(at > before);
    before = at;
    uint64_t age = now - at;
    if (age <= kHour) {
      ++last_hour;
    } else if (age <= 24 * kHour) {
      ++last_day;
    } else {
      ++older;
    }
  }
  CHECK_EQ(last_hour, 61u);
  CHECK(last_day >= 91 && last_day <= 93);
  CHECK(older >= 71 && older <= 73);
  CHECK_EQ(before, now);
}

void TestBoundWithAHundredThousandBuckets(size_t most_bytes) {
  World world(most_bytes);
  world.tables.SetLimit(size_t{64} << 20);
  for (int site = 0; site < 100'000; ++site) world.Allocate(site, site == 7 ? 1'000'000 : 100);
  CHECK(world.tables.BucketCount() >= 100'000u);
  for (uint64_t minute = 0; minute < 30; ++minute) {
    CHECK(world.moments.TryAddToHistory(world.At(kBegin + minute * kMinute)));
    CHECK(world.moments.HistoryBytes() <= most_bytes);
  }
  for (size_t i = 0; i < world.moments.HistorySize(); ++i) {
    HeapMoment moment = world.moments.HistoryAt(i);
    uint64_t sum = moment.left_out_bytes, largest = 0;
    for (const InUse& each : moment.buckets) {
      sum += each.bytes;
      largest = std::max(largest, each.bytes);
    }
    CHECK_EQ(sum, 99'999u * 100 + 1'000'000);
    CHECK_EQ(largest, 1'000'000u);
  }
}

TEST(TheHistoryStaysWithinItsBoundWithAHundredThousandBuckets) {
  CHECK(HeapMoments::kMostBytes + BufferProfile::kMostMomentBytes <= size_t{4} << 20);
  TestBoundWithAHundredThousandBuckets(HeapMoments::kMostBytes);
  TestBoundWithAHundredThousandBuckets(BufferProfile::kMostMomentBytes);
}

TEST(AMomentOfAHundredThousandBucketsTakesLessThanHalfAPerCentOfItsMinute) {
  World world;
  world.tables.SetLimit(size_t{64} << 20);
  for (int site = 0; site < 100'000; ++site) world.Allocate(site, 100);
  constexpr uint64_t kMoments = 10;
  uint64_t begin = ThreadCpuNs();
  for (uint64_t minute = 0; minute < kMoments; ++minute) {
    CHECK(world.moments.TryAddToHistory(world.At(kBegin + minute * kMinute)));
  }
  // About 5 ms of 300, so the machine may be busy and a sanitizer slow.
  CHECK(ThreadCpuNs() - begin < kMoments * kMinute / 200);
}

// Of moments that take as long as the allowance of ten minutes, one in ten minutes is remembered.
TEST(RememberingTakesTheShareOfTheTimeThatIsAllowed) {
  constexpr double kShare = 0.005;
  constexpr uint64_t kCost = 10 * kMinute / 200;
  constexpr uint64_t kMinutes = 7 * 24 * 60;
  MomentBudget budget;
  uint64_t spent = 0, longest_gap = 0, last = 0;
  for (uint64_t minute = 0; minute < kMinutes; ++minute) {
    if (!budget.HasTime(kShare, minute * kMinute)) continue;
    budget.Spend(kCost);
    spent += kCost;
    longest_gap = std::max(longest_gap, minute - last);
    last = minute;
    // Debt is allowed, once.
    double allowed = MomentBudget::kFreeNs + kShare * static_cast<double>(minute * kMinute);
    CHECK(static_cast<double>(spent) <= allowed + kCost);
  }
  CHECK(longest_gap >= 9 && longest_gap <= 11);
  CHECK(static_cast<double>(spent) > 0.99 * kShare * static_cast<double>(kMinutes * kMinute));
}

}  // namespace

}  // namespace memprof
