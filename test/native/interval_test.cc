// Intervals between samples: how they are chosen, and figures of samples of different intervals.

#include <cmath>
#include <random>

#include "check.h"
#include "heap/interval_steering.h"
#include "tables/profile_tables.h"

namespace memprof {

namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr IntervalRange kRange{8192, 524288};
constexpr double kLimit = 0.005;

// A program that allocates at a constant rate, second by second.
struct Simulation {
  IntervalSteering steering;
  uint64_t now = 1000 * kMs;
  uint64_t spent = 0;
  size_t live = 0;

  Simulation() { steering.Start(kLimit, kRange.coarsest, now); }
  uint32_t interval() const { return steering.interval(kRange); }
  void Run(uint64_t seconds, double bytes_a_second, uint64_t ns_a_sample) {
    for (uint64_t end = now + seconds * 1000 * kMs; now < end;) {
      double between = interval() / bytes_a_second * 1e9;
      now += std::max<uint64_t>(1, static_cast<uint64_t>(between));
      spent += ns_a_sample;
      steering.Pay(now, ns_a_sample, live, kRange);
    }
  }
};

}  // namespace

TEST(IntervalBecomesFinerWhereThatIsCheap) {
  Simulation simulation;
  simulation.Run(30, 1e6, 5000);  // at 8192 bytes 122 samples a second: 0.06 %
  CHECK_EQ(simulation.interval(), kRange.finest);
}

TEST(IntervalKeepsTheCostBelowTheLimit) {
  for (double rate : {1e7, 1e8, 1e9}) {
    Simulation simulation;
    simulation.Run(60, rate, 5000);
    double at_coarsest = 60 * rate / kRange.coarsest * 5000 / 60e9;
    double share = static_cast<double>(simulation.spent) / 60e9;
    CHECK(share <= std::max(kLimit, at_coarsest * 1.01));
    // It makes use of what it may spend, unless even the coarsest interval costs more.
    CHECK(simulation.interval() < kRange.coarsest || at_coarsest * 2 > kLimit * 0.4);
  }
}

TEST(IntervalCoarsensAtOnceInABurst) {
  Simulation simulation;
  simulation.Run(600, 1e5, 5000);
  CHECK_EQ(simulation.interval(), kRange.finest);
  simulation.spent = 0;
  simulation.Run(2, 1e9, 5000);  // at 8192 bytes 61 % of the time
  CHECK(simulation.interval() >= 262144u);
  // The bucket, and what is spent until it has been coarsened often enough.
  CHECK(simulation.spent < 400 * kMs);
}

TEST(IntervalMindsHowManyObjectsAreAlive) {
  Simulation simulation;
  simulation.live = IntervalSteering::kManyLive;
  simulation.Run(30, 1e6, 5000);
  CHECK_EQ(simulation.interval(), kRange.coarsest);
  simulation.live = 0;
  simulation.Run(30, 1e6, 5000);
  CHECK_EQ(simulation.interval(), kRange.finest);
  simulation.live = IntervalSteering::kTooManyLive + 1;
  simulation.Run(30, 1e6, 5000);
  CHECK_EQ(simulation.interval(), kRange.coarsest);
}

TEST(IntervalStaysWithinTheRangeWhenClocksJump) {
  Simulation simulation;
  for (uint64_t now : {uint64_t{5}, ~uint64_t{0}, uint64_t{7}, uint64_t{1} << 62}) {
    simulation.steering.Pay(now, ~uint64_t{0}, 0, kRange);
    CHECK(simulation.interval() >= kRange.finest && simulation.interval() <= kRange.coarsest);
  }
  CHECK_EQ(simulation.steering.interval({4096, 4096}), 4096u);
}

TEST(TablesConvertSamplesToTheFinestInterval) {
  ProfileTables tables(ProfileTables::kMinLimit);
  Ref stack = tables.InternStack(0, tables.InternFrame("f", "", 1, 1));
  uint16_t coarse = tables.IntervalCode(65536);
  uint16_t fine = tables.IntervalCode(1024);
  CHECK_EQ(tables.IntervalCode(65536), coarse);
  auto sum = [&] {
    Figures sum;
    tables.ForEachBucket([&](const Bucket&, const Figures& figures) {
      sum.alloc_objects += figures.alloc_objects;
      sum.alloc_bytes += figures.alloc_bytes;
      sum.free_objects += figures.free_objects;
      sum.free_bytes += figures.free_bytes;
    });
    return sum;
  };
  for (int i = 0; i < 100; ++i) {
    tables.BucketAt(tables.BucketFor(stack, 100, 0, 0, coarse))->AddAlloc(1, 100);
    if (i % 2 == 0) tables.BucketAt(tables.BucketFor(stack, 100, 0, 0, coarse))->AddFree(1, 100);
  }
  CHECK_EQ(tables.FinestInterval(), 65536u);
  CHECK_EQ(sum().alloc_objects, 100u);
  tables.BucketAt(tables.BucketFor(stack, 100, 0, 0, fine))->AddAlloc(1, 100);
  CHECK_EQ(tables.FinestInterval(), 1024u);
  double factor = std::expm1(-100.0 / 1024) / std::expm1(-100.0 / 65536);
  CHECK(std::abs(static_cast<double>(sum().alloc_objects) - (100 * factor + 1)) <= 1);
  CHECK(std::abs(static_cast<double>(sum().free_objects) - 50 * factor) <= 1);
  CHECK_EQ(sum().alloc_bytes, sum().alloc_objects * 100);
  tables.Reset();
  CHECK_EQ(tables.FinestInterval(), 0u);
}

TEST(ConvertedFiguresKeepTheRulesOfFigures) {
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    Figures figures;
    figures.free_objects = random() % 5;
    figures.alloc_objects = figures.free_objects + random() % 5;
    if (figures.alloc_objects == 0) continue;
    uint64_t size = 8 + random() % 100000;
    figures.free_bytes = figures.free_objects * size;
    figures.alloc_bytes = figures.alloc_objects * size;
    double dither = (random() % 1000) / 1000.0;
    double from = 1 + random() % 1000000;
    Figures converted = ConvertFigures(figures, from, 1 + random() % static_cast<unsigned>(from), dither);
    CHECK(converted.alloc_objects >= converted.free_objects);
    CHECK(converted.alloc_bytes >= converted.free_bytes);
    CHECK((converted.alloc_objects == converted.free_objects) ==
          (converted.alloc_bytes == converted.free_bytes));
    CHECK((figures.alloc_objects == figures.free_objects) <=
          (converted.alloc_objects == converted.free_objects));
  }
}

TEST(ConversionIsUnbiasedOverManyBuckets) {
  // 4 sigma of a sum of 100,000 independent roundings, each with a variance of at most 1/4.
  std::mt19937 random(2);
  double sum = 0;
  double expected = 0;
  constexpr int kBuckets = 100000;
  for (int i = 0; i < kBuckets; ++i) {
    Figures figures{1, 300, 0, 0};
    sum +=
        static_cast<double>(ConvertFigures(figures, 600, 400, (random() % 100000) / 100000.0).alloc_objects);
    expected += std::expm1(-300.0 / 400) / std::expm1(-300.0 / 600);
  }
  CHECK(std::abs(sum - expected) < 4 * std::sqrt(kBuckets) / 2);
}

}  // namespace memprof
