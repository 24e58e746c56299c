// A bucket's counts, read while others write them.

#include <array>

#include "check.h"
#include "tables/profile_tables.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

void CheckPossible(const Figures& figures) {
  CHECK(figures.free_objects <= figures.alloc_objects);
  CHECK(figures.free_bytes <= figures.alloc_bytes);
  CHECK(figures.free_objects != figures.alloc_objects || figures.free_bytes == figures.alloc_bytes);
}

TEST(BucketCountsWhatItIsTold) {
  ProfileTables tables(ProfileTables::kMinLimit);
  Bucket& bucket = *tables.BucketAt(tables.BucketFor(tables.unknown_stack(), 100));
  bucket.AddAlloc(3, 310);
  bucket.AddAlloc(1, 100);
  bucket.AddFree(2, 205);
  Figures figures = bucket.Read();
  CHECK_EQ(figures.alloc_objects, 4);
  CHECK_EQ(figures.alloc_bytes, 410);
  CHECK_EQ(figures.free_objects, 2);
  CHECK_EQ(figures.free_bytes, 205);
}

// Writers count into shared buckets and take over from one another what is to be freed, through a slot a
// bucket: most of the time hardly anything is in use, so that a wrong order of adds or loads shows.
TEST(BucketsAreNeverReadHalfFreed) {
  constexpr int kWriters = 3;
  constexpr int kBuckets = 2;
  const int rounds = Scaled(1'000'000);
  ProfileTables tables(ProfileTables::kMinLimit);
  std::array<Bucket*, kBuckets> buckets;
  for (int i = 0; i < kBuckets; ++i) {
    buckets[i] = tables.BucketAt(tables.BucketFor(tables.unknown_stack(), 1 << i));
  }
  std::atomic<uint64_t> in_use[kBuckets] = {};  // bytes of the one object not freed yet, or 0
  std::atomic<uint64_t> allocated[kBuckets] = {};
  std::atomic<int> writing{kWriters};
  InParallel(kWriters + 1, [&](int thread) {
    if (thread == kWriters) {
      while (writing > 0) {
        for (Bucket* bucket : buckets) CheckPossible(bucket->Read());
      }
      return;
    }
    Random random(thread + 1);
    uint64_t bytes_of[kBuckets] = {};
    for (int i = 0; i < rounds; ++i) {
      int at = random.Below(kBuckets);
      uint64_t bytes = random.OneIn(3) ? 0 : 1 + random.Below(1000);  // 0: only frees
      if (bytes != 0) buckets[at]->AddAlloc(1, bytes);
      bytes_of[at] += bytes;
      uint64_t old = in_use[at].exchange(bytes, std::memory_order_acq_rel);
      if (old != 0) buckets[at]->AddFree(1, old);
    }
    for (int i = 0; i < kBuckets; ++i) allocated[i] += bytes_of[i];
    --writing;
  });
  for (int i = 0; i < kBuckets; ++i) {
    Figures figures = buckets[i]->Read();
    CHECK_EQ(figures.alloc_bytes, allocated[i].load());
    CHECK_EQ(figures.alloc_bytes - figures.free_bytes, in_use[i].load());
    CHECK_EQ(figures.alloc_objects - figures.free_objects, in_use[i] == 0 ? 0 : 1);
  }
}

}  // namespace
}  // namespace memprof
