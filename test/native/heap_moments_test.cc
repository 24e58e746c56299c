#include "heap/heap_moments.h"

#include <algorithm>

#include "check.h"

namespace memprof {

namespace {

constexpr uint64_t kMinute = HeapMoments::kMinuteNs;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kBegin = 1'000'000 * kMinute;

struct World {
  ProfileTables tables{ProfileTables::kDefaultLimit};
  HeapMoments moments{&tables};

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

TEST(TheHistoryStaysWithinItsBoundWithAHundredThousandBuckets) {
  World world;
  world.tables.SetLimit(size_t{64} << 20);
  for (int site = 0; site < 100'000; ++site) world.Allocate(site, site == 7 ? 1'000'000 : 100);
  CHECK(world.tables.BucketCount() >= 100'000u);
  for (uint64_t minute = 0; minute < 30; ++minute) {
    CHECK(world.moments.TryAddToHistory(world.At(kBegin + minute * kMinute)));
    CHECK(world.moments.HistoryBytes() <= HeapMoments::kMostBytes);
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

}  // namespace

}  // namespace memprof
