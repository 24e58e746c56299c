#include "base/seq_lock.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

// A value that shows whether it is whole: every word follows from the first.
template <size_t kWords>
struct Checksummed {
  uint64_t words[kWords] = {};

  static Checksummed Of(uint64_t number) {
    Checksummed made;
    for (size_t i = 0; i < kWords; ++i) made.words[i] = number * (2 * i + 1);
    return made;
  }
  uint64_t number() const { return words[0]; }
  bool Whole() const {
    for (size_t i = 0; i < kWords; ++i) {
      if (words[i] != words[0] * (2 * i + 1)) return false;
    }
    return true;
  }
};

TEST(SeqLockHoldsZerosAtFirstAndThenWhatWasStored) {
  SeqLock<Checksummed<5>> lock;
  CHECK(lock.Load().number() == 0 && lock.Load().Whole());
  for (uint64_t number = 1; number < 100; ++number) {
    lock.Store(Checksummed<5>::Of(number));
    CHECK_EQ(lock.Load().number(), number);
    CHECK(lock.Load().Whole());
  }
}

void Spin(size_t turns) {
  for (; turns > 0; --turns) asm volatile("");
}

// More threads than there are likely to be cores, and for long enough that the writer is interrupted in the
// middle of many stores.
template <size_t kWords>
void StoreWhileOthersLoad(uint64_t stores) {
  SeqLock<Checksummed<kWords>> lock;
  std::atomic<uint64_t> stored{0};
  InParallel(4, [&](int thread) {
    if (thread == 0) {
      Random random(kWords);
      for (uint64_t number = 1; number <= stores; ++number) {
        lock.Store(Checksummed<kWords>::Of(number));
        stored.store(number, std::memory_order_release);
        // Now and then leave readers the time of a few loads, else they retry for ever.
        if (random.OneIn(8)) Spin(kWords * 20);
      }
      return;
    }
    uint64_t last = 0;
    while (last < stores) {
      uint64_t at_least = std::max(last, stored.load(std::memory_order_acquire));
      Checksummed<kWords> value = lock.Load();
      CHECK(value.Whole());
      CHECK(value.number() >= at_least);
      last = value.number();
    }
  });
}

TEST(SeqLockIsNeverTornWhenSmall) { StoreWhileOthersLoad<2>(Scaled(3'000'000)); }
TEST(SeqLockIsNeverTornWhenMiddling) { StoreWhileOthersLoad<12>(Scaled(1'000'000)); }
TEST(SeqLockIsNeverTornWhenLarge) { StoreWhileOthersLoad<530>(Scaled(20'000)); }

// A load synchronises with the store it read from: what the writer did before it may be read without atomics.
// That is what ThreadSanitizer can judge here, fences or not.
TEST(SeqLockHandsOverWhatWasWrittenBefore) {
  constexpr uint64_t kEntries = Scaled(200'000);
  SeqLock<Checksummed<2>> lock;
  std::vector<uint64_t> entries(kEntries + 1);
  InParallel(3, [&](int thread) {
    if (thread == 0) {
      for (uint64_t i = 1; i <= kEntries; ++i) {
        entries[i] = i * i;
        lock.Store(Checksummed<2>::Of(i));
      }
      return;
    }
    for (uint64_t number = 0; number < kEntries;) {
      number = lock.Load().number();
      CHECK_EQ(entries[number], number * number);
    }
  });
}

}  // namespace
}  // namespace memprof
