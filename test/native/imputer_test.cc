// Who gets the samples that were lost.

#include "heap/imputer.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/clocks.h"
#include "check.h"

namespace memprof {
namespace {

using Donors = std::vector<Imputer::Donor>;

struct Fixture {
  ProfileTables tables{4 << 20};
  Imputer imputer{&tables, 42};

  // A bucket with something in use, so that a change of it would show.
  Ref NewBucket(const std::string& name, uint64_t size) {
    Ref bucket = tables.BucketFor(tables.InternStack(0, tables.InternFrame(name, "", 1, 1)), size);
    tables.BucketAt(bucket)->AddAlloc(3, 3 * size);
    tables.BucketAt(bucket)->AddFree(1, size);
    return bucket;
  }
  Figures Read(Ref bucket) const { return tables.BucketAt(bucket)->Read(); }
  // What was imputed to a bucket of `NewBucket`.
  uint64_t Given(Ref bucket) const { return Read(bucket).alloc_objects - 3; }
  Figures NotAttributed() const {
    Figures found;
    tables.ForEachBucket([&](const Bucket& bucket, const Figures& figures) {
      if (bucket.key.stack == tables.not_attributed_stack()) found = figures;
    });
    return found;
  }
};

Donors Of(Ref bucket, uint64_t size, size_t count) { return Donors(count, {bucket, size}); }

void CheckNear(uint64_t actual, double expected, double total) {
  double share = expected / total;
  double sigma = std::sqrt(total * share * (1 - share));
  CHECK(std::abs(static_cast<double>(actual) - expected) <= 4 * sigma + 1);
}

TEST(ImputerAccountsForEverySample) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Fixture f;
    test::Random random(seed);
    std::vector<Ref> buckets;
    for (int i = 0; i < 10; ++i) buckets.push_back(f.NewBucket("f" + std::to_string(i), 16 << i));
    uint64_t lost_in_all = 0;
    for (int i = 0; i < test::Scaled(2000); ++i) {
      uint64_t lost = random.OneIn(3) ? 0 : random.Below(50);
      Donors gone;
      for (uint64_t n = random.OneIn(4) ? 0 : random.Below(40); n > 0; --n) {
        uint64_t at = random.Below(buckets.size());
        gone.push_back({buckets[at], uint64_t{16} << at});
      }
      lost_in_all += lost;
      f.imputer.NextStretch(lost, gone);
      CHECK_EQ(f.imputer.imputed() + f.imputer.waiting(), lost_in_all);
    }
    f.imputer.Flush();
    CHECK_EQ(f.imputer.waiting(), 0);
    CHECK_EQ(f.imputer.imputed(), lost_in_all);
    uint64_t given = f.NotAttributed().alloc_objects;
    for (size_t i = 0; i < buckets.size(); ++i) {
      given += f.Given(buckets[i]);
      Figures figures = f.Read(buckets[i]);
      CHECK_EQ(figures.alloc_objects - figures.free_objects, 2);
      CHECK_EQ(figures.alloc_bytes - figures.free_bytes, uint64_t{32} << i);
      CHECK_EQ(figures.alloc_bytes, figures.alloc_objects * (uint64_t{16} << i));
    }
    CHECK_EQ(given, lost_in_all);
  }
}

TEST(ImputerGivesHalfToEitherSide) {
  Fixture f;
  Ref before = f.NewBucket("before", 32);
  Ref after = f.NewBucket("after", 64);
  f.imputer.NextStretch(0, Of(before, 32, 20));
  f.imputer.NextStretch(1000, {});              // lost between two harvests, of which the second ...
  f.imputer.NextStretch(0, Of(after, 64, 20));  // ... shows its dead one harvest later
  CHECK_EQ(f.imputer.waiting(), 0);
  CHECK_EQ(f.Given(before), 500);
  CHECK_EQ(f.Given(after), 500);
}

TEST(ImputerWaitsForTheDonorsOfTheHarvestAfter) {
  Fixture f;
  Ref before = f.NewBucket("before", 32);
  Ref after = f.NewBucket("after", 64);
  f.imputer.NextStretch(100, Of(before, 32, 20));
  CHECK_EQ(f.imputer.waiting(), 100);
  CHECK_EQ(f.Given(before), 0);
  f.imputer.NextStretch(0, Of(after, 64, 20));
  CHECK_EQ(f.Given(before), 50);
  CHECK_EQ(f.Given(after), 50);
}

TEST(ImputerSplitsOddNumbersFairly) {
  Fixture f;
  Ref before = f.NewBucket("before", 32);
  Ref after = f.NewBucket("after", 64);
  int rounds = 2000;
  for (int i = 0; i < rounds; ++i) {
    f.imputer.NextStretch(1, Of(before, 32, 20));
    f.imputer.NextStretch(0, Of(after, 64, 20));
  }
  CHECK_EQ(f.Given(before) + f.Given(after), rounds);
  CheckNear(f.Given(before), rounds / 2.0, rounds);
}

TEST(ImputerGivesDonorsTheirShares) {
  Fixture f;
  Ref a = f.NewBucket("a", 32);
  Ref b = f.NewBucket("b", 64);
  Ref c = f.NewBucket("c", 128);
  test::Random random(7);
  // In a pool of 20: 12, 6 and 2.
  Donors pool = Of(a, 32, 12);
  for (const auto& donor : Of(b, 64, 6)) pool.push_back(donor);
  for (const auto& donor : Of(c, 128, 2)) pool.push_back(donor);
  double lost = 0;
  for (int i = 0; i < 3000; ++i) {
    uint64_t now = 1 + random.Below(9);  // less than a turn of the pool: where it begins decides
    lost += static_cast<double>(now);
    f.imputer.NextStretch(now, pool);
  }
  f.imputer.Flush();
  // Neighbours in the pool are given to together, so that draws are not independent: up to nine at once.
  CHECK_EQ(f.Given(a) + f.Given(b) + f.Given(c), static_cast<uint64_t>(lost));
  double together = 9;
  auto check = [&](Ref bucket, double share) {
    double sigma = std::sqrt(lost * share * (1 - share) * together);
    CHECK(std::abs(static_cast<double>(f.Given(bucket)) - lost * share) <= 4 * sigma);
  };
  check(a, 0.6);
  check(b, 0.3);
  check(c, 0.1);
}

TEST(ImputerGivesWholeTurnsExactly) {
  Fixture f;
  Ref a = f.NewBucket("a", 32);
  Ref b = f.NewBucket("b", 64);
  Donors pool = Of(a, 32, 12);
  for (const auto& donor : Of(b, 64, 8)) pool.push_back(donor);
  f.imputer.NextStretch(2000, pool);
  f.imputer.Flush();
  CHECK_EQ(f.Given(a), 1200);
  CHECK_EQ(f.Given(b), 800);
}

TEST(ImputerPoolsOlderDonorsOnlyWhereNewOnesAreFew) {
  Fixture f;
  Ref old = f.NewBucket("old", 32);
  Ref fresh = f.NewBucket("fresh", 64);
  f.imputer.NextStretch(0, Of(old, 32, 100));
  f.imputer.NextStretch(0, Of(fresh, 64, 4));
  f.imputer.NextStretch(1600, {});
  f.imputer.Flush();
  // To a pool of sixteen, the old ones lent twelve.
  CHECK_EQ(f.Given(fresh), 1600 / Imputer::kPool * 4);
  CHECK_EQ(f.Given(old), 1600 - f.Given(fresh));

  f.imputer.NextStretch(0, Of(fresh, 64, Imputer::kPool));
  f.imputer.NextStretch(1600, {});
  uint64_t old_before = f.Given(old);
  f.imputer.Flush();
  CHECK_EQ(f.Given(old), old_before);
}

// What a harvest gives away after a long pause of the profiler must not be a pause itself: a million lost
// ones took 20 ms when they were given one by one.
TEST(ImputerGivesAnyNumberInTheTimeOfItsDonors) {
  constexpr uint64_t kLost = 20'000'000'000;
  Fixture f;
  Ref a = f.NewBucket("a", 32);
  Ref b = f.NewBucket("b", 64);
  Donors pool = Of(a, 32, 12);
  for (const auto& donor : Of(b, 64, 8)) pool.push_back(donor);
  uint64_t begin = ThreadCpuNs();
  f.imputer.NextStretch(kLost + 7, pool);
  f.imputer.Flush();
  CHECK(ThreadCpuNs() - begin < 1'000'000'000);
  CHECK_EQ(f.Given(a) + f.Given(b), kLost + 7);
  CHECK(f.Given(a) >= kLost / 20 * 12 && f.Given(a) <= kLost / 20 * 12 + 7);
  CHECK_EQ(f.Read(a).alloc_bytes, f.Read(a).alloc_objects * 32);
  CHECK_EQ(f.imputer.imputed(), kLost + 7);
}

TEST(ImputerKeepsSomeOfVeryManyDonorsWithTheirShares) {
  Fixture f;
  Ref a = f.NewBucket("a", 32);
  Ref b = f.NewBucket("b", 64);
  test::Random random(11);
  Donors many;
  double of_a = 0;
  for (int i = 0; i < 100'000; ++i) {
    bool is_a = random.Below(10) < 3;
    of_a += is_a;
    many.push_back({is_a ? a : b, is_a ? uint64_t{32} : uint64_t{64}});
  }
  f.imputer.NextStretch(0, many);
  CHECK(f.imputer.bytes() <= 2 * Imputer::kMostKept * sizeof(Imputer::Donor));
  uint64_t lost = 100 * Imputer::kMostKept;
  f.imputer.NextStretch(lost, {});
  f.imputer.Flush();
  CHECK_EQ(f.Given(a) + f.Given(b), lost);
  double share = of_a / 100'000;
  double sigma = std::sqrt(share * (1 - share) / Imputer::kMostKept);
  CHECK(std::abs(static_cast<double>(f.Given(a)) / static_cast<double>(lost) - share) <= 4 * sigma);
}

TEST(ImputerWithoutDonorsSaysSo) {
  Fixture f;
  f.imputer.NextStretch(70, {});
  f.imputer.NextStretch(7, {});
  CHECK_EQ(f.imputer.waiting(), 77);
  CHECK_EQ(f.NotAttributed().alloc_objects, 0);
  f.imputer.Flush();
  CHECK_EQ(f.imputer.imputed(), 77);
  Figures figures = f.NotAttributed();
  CHECK_EQ(figures.alloc_objects, 77);
  CHECK_EQ(figures.free_objects, 77);
  CHECK_EQ(figures.alloc_bytes, figures.free_bytes);
  CHECK(figures.alloc_bytes > 0);
}

TEST(ImputerCarriesTheCountUntilThereAreDonors) {
  Fixture f;
  Ref after = f.NewBucket("after", 64);
  f.imputer.NextStretch(70, {});
  f.imputer.NextStretch(7, {});
  f.imputer.NextStretch(0, Of(after, 64, 1));
  CHECK_EQ(f.Given(after), 77);
  f.imputer.Flush();
  CHECK_EQ(f.NotAttributed().alloc_objects, 0);
}

TEST(ImputerForgetsWhatAResetForgot) {
  Fixture f;
  Ref before = f.NewBucket("before", 32);
  f.imputer.NextStretch(10, Of(before, 32, 20));
  f.imputer.Clear();
  CHECK_EQ(f.imputer.waiting(), 0);
  f.imputer.Flush();
  f.imputer.NextStretch(5, {});
  f.imputer.Flush();
  CHECK_EQ(f.Given(before), 0);
  CHECK_EQ(f.NotAttributed().alloc_objects, 5);
}

}  // namespace
}  // namespace memprof
