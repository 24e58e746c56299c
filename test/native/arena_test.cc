#include "base/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

// Called before each mprotect of the arena (the Makefile wraps it); false makes it fail.
std::function<bool()> on_mprotect;

constexpr size_t kFirst = 64;  // bytes never handed out

bool IsFilledWith(const Arena& arena, Ref ref, size_t bytes, unsigned char value) {
  auto* at = static_cast<const unsigned char*>(arena.At(ref));
  return std::all_of(at, at + bytes, [&](unsigned char byte) { return byte == value; });
}

TEST(ArenaMemoryIsZeroedAlignedAndApart) {
  Arena arena(size_t{4} << 20);
  REQUIRE(arena.ok());
  Random random(1);
  const char* last_end = static_cast<char*>(arena.At(0)) + 1;
  for (int i = 0; i < 2000; ++i) {
    size_t bytes = 1 + random.Below(300);
    size_t alignment = size_t{8} << random.Below(random.OneIn(20) ? 10 : 4);
    Ref ref = arena.Allocate(bytes, alignment, 0);
    REQUIRE(ref != 0);
    char* at = static_cast<char*>(arena.At(ref));
    CHECK_EQ(reinterpret_cast<uintptr_t>(at) % alignment, 0);
    CHECK(at >= last_end);
    CHECK(IsFilledWith(arena, ref, bytes, 0));
    CHECK(arena.Contains(ref));
    CHECK(arena.Committed() >= arena.Used());
    memset(at, 0xab, bytes);
    last_end = at + bytes;
  }
}

size_t PagesIn(const Arena& arena, size_t from, size_t to) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> in((to - from) / page);
  CHECK_EQ(mincore(static_cast<char*>(arena.At(0)) + from, to - from, in.data()), 0);
  return static_cast<size_t>(
      std::count_if(in.begin(), in.end(), [](unsigned char each) { return (each & 1) != 0; }));
}

TEST(ArenaHasPagesForOneStepAhead) {
  constexpr size_t kStep = 64 * 1024;
  const size_t pages = kStep / static_cast<size_t>(sysconf(_SC_PAGESIZE));
  Arena arena(size_t{8} << 20);
  CHECK_EQ(PagesIn(arena, 0, 8 * kStep), 0);
  REQUIRE(arena.Allocate(100, 8, 0) != 0);
  size_t ahead = PagesIn(arena, 0, kStep);
  CHECK(ahead == pages || ahead == 0);  // 0: Linux before 5.14
  CHECK_EQ(PagesIn(arena, kStep, 8 * kStep), 0);
  REQUIRE(arena.Allocate(kStep, 8, 0) != 0);
  CHECK_EQ(PagesIn(arena, 0, 8 * kStep), 2 * ahead);
  // Only the end of what is long.
  REQUIRE(arena.Allocate(4 * kStep, 8, 0) != 0);
  CHECK_EQ(PagesIn(arena, 5 * kStep, 6 * kStep), ahead);
  CHECK_EQ(PagesIn(arena, 0, 8 * kStep), 3 * ahead);
}

TEST(ArenaContainsWhatItHandedOut) {
  Arena arena(1 << 20);
  Ref ref = arena.Allocate(8, 8, 0);
  CHECK(arena.Contains(ref));
  CHECK(!arena.Contains(0));
  CHECK(!arena.Contains(ref + 1));
  CHECK(!arena.Contains(~Ref{0}));
}

TEST(ArenaIsUsableUpToWhatIsCommitted) {
  Arena arena(1 << 20);
  while (arena.Allocate(1000, 8, 0) != 0) {
    auto* last = static_cast<volatile char*>(arena.At(0)) + arena.Committed() - 1;
    *last = 0;
  }
}

TEST(ArenaReachesItsGreatestLimit) {
  Arena arena(~size_t{0});
  CHECK_EQ(arena.limit(), Arena::kMaxLimit);
  size_t bytes = Arena::kMaxLimit - kFirst;
  Ref ref = arena.Allocate(bytes, 8, 0);
  REQUIRE(ref != 0);
  auto* at = static_cast<volatile char*>(arena.At(ref));
  CHECK(at[0] == 0 && at[bytes - 1] == 0);
  at[bytes - 1] = 1;
  CHECK_EQ(arena.Used(), Arena::kMaxLimit);
  CHECK_EQ(arena.Allocate(1, 8, 0), 0);
}

TEST(ArenaNeverHandsOutTwiceToManyThreads) {
  struct Range {
    Ref ref;
    uint32_t bytes;
    unsigned char owner;
  };
  constexpr int kThreads = 4;
  constexpr size_t kLimit = 600'000;  // about nine steps of committing
  for (int round = 0; round < Scaled(200); ++round) {
    Arena arena(kLimit);
    std::vector<Range> ranges[kThreads];
    InParallel(kThreads, [&](int thread) {
      Random random(round * kThreads + thread);
      auto owner = static_cast<unsigned char>(1 + thread);
      for (;;) {
        uint32_t bytes = 1 + random.Below(2000);
        Ref ref = arena.Allocate(bytes, size_t{8} << random.Below(4), 0);
        if (ref == 0) break;
        CHECK(arena.Used() <= kLimit);
        CHECK(IsFilledWith(arena, ref, bytes, 0));
        memset(arena.At(ref), owner, bytes);
        ranges[thread].push_back({ref, bytes, owner});
      }
    });
    CHECK(arena.Used() <= kLimit);
    std::vector<Range> all;
    for (auto& some : ranges) all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end(), [](const Range& a, const Range& b) { return a.ref < b.ref; });
    size_t end = kFirst;
    for (const Range& range : all) {
      CHECK(range.ref * size_t{8} >= end);
      CHECK(IsFilledWith(arena, range.ref, range.bytes, range.owner));
      end = range.ref * size_t{8} + range.bytes;
    }
    CHECK(end <= kLimit);
  }
}

TEST(ArenaIsFilledToItsLimitAndNoFurther) {
  for (size_t limit = 200; limit < 264; ++limit) {
    Arena arena(limit);
    size_t fitting = (limit - kFirst) / 8;
    for (size_t i = 0; i < fitting; ++i) CHECK(arena.Allocate(8, 8, 0) != 0);
    CHECK_EQ(arena.Allocate(8, 8, 0), 0);
    CHECK_EQ(arena.Used(), kFirst + fitting * 8);
  }
}

TEST(ArenaOnceExhaustedStaysSo) {
  Arena arena(100'000);
  while (arena.Allocate(56, 8, 0) != 0) continue;
  size_t used = arena.Used();
  size_t committed = arena.Committed();
  CHECK(used > 100'000 - 64);
  InParallel(2, [&](int) {
    for (int i = 0; i < Scaled(100'000); ++i) CHECK_EQ(arena.Allocate(56, 8, 0), 0);
  });
  CHECK_EQ(arena.Used(), used);
  CHECK_EQ(arena.Committed(), committed);
}

TEST(ArenaWithoutRoomForItsFirstBytesIsExhausted) {
  for (size_t limit : {0, 1, 63, 64}) {
    Arena arena(limit);
    CHECK(arena.ok());
    CHECK_EQ(arena.Allocate(1, 8, 0), 0);
  }
}

TEST(ArenaKeepsFreeWhatItIsAskedTo) {
  Arena arena(10'000);
  while (arena.Allocate(8, 8, 1000) != 0) CHECK(arena.Used() <= 9000);
  CHECK_EQ(arena.Used(), 9000);
  CHECK_EQ(arena.Allocate(8, 8, 993), 0);
  CHECK(arena.Allocate(8, 8, 992) != 0);
  while (arena.Allocate(8, 8, 0) != 0) continue;
  CHECK_EQ(arena.Used(), 10'000);
}

TEST(ArenaCanBeGivenMoreAndLess) {
  Arena arena(1000);
  while (arena.Allocate(8, 8, 0) != 0) continue;
  arena.SetLimit(2000);
  CHECK_EQ(arena.limit(), 2000);
  CHECK(arena.Allocate(900, 8, 0) != 0);
  arena.SetLimit(500);  // below what is used
  CHECK_EQ(arena.Allocate(1, 8, 0), 0);
  arena.SetLimit(~size_t{0});
  CHECK_EQ(arena.limit(), Arena::kMaxLimit);
  Ref ref = arena.Allocate(5'000'000, 8, 0);
  REQUIRE(ref != 0);
  CHECK(IsFilledWith(arena, ref, 5'000'000, 0));
}

TEST(ArenaTakesBackWhatItGaveLast) {
  Arena arena(10'000);
  Ref first = arena.Allocate(100, 8, 0);
  Ref second = arena.Allocate(500, 64, 0);
  arena.GiveBack(second, 500);
  CHECK_EQ(arena.Allocate(500, 64, 0), second);
  arena.GiveBack(first, 100);  // not the last
  CHECK(arena.Allocate(8, 8, 0) > second);
  CHECK(arena.HasFree(9000) && !arena.HasFree(9500));
  arena.SetLimit(100);
  CHECK(!arena.HasFree(0));
}

TEST(ArenaTakesBackFromManyThreads) {
  constexpr int kThreads = 3;
  Arena arena(size_t{8} << 20);
  std::atomic<uint64_t> kept{0};
  InParallel(kThreads, [&](int thread) {
    for (int i = 0; i < Scaled(20'000); ++i) {
      Ref ref = arena.Allocate(64, 64, 0);
      REQUIRE(ref != 0);
      CHECK(IsFilledWith(arena, ref, 64, 0));
      memset(arena.At(ref), 1 + thread, 64);
      if (i % 2 == 0) {
        CHECK(IsFilledWith(arena, ref, 64, static_cast<unsigned char>(1 + thread)));
        kept += 64;
      } else {
        memset(arena.At(ref), 0, 64);
        arena.GiveBack(ref, 64);
      }
    }
  });
  CHECK(arena.Used() >= kFirst + kept);
}

TEST(ArenaRefusesHugeRequests) {
  constexpr size_t kAll = ~size_t{0};
  Arena arena(1 << 20);
  for (size_t bytes : {kAll, kAll - 1, kAll - 6, kAll - 7, kAll - 63, kAll - 64, kAll - 71, kAll - 72,
                       kAll / 2, kAll / 2 + 1, Arena::kMaxLimit, size_t{1} << 32, size_t{1} << 20}) {
    if (!CHECK_EQ(arena.Allocate(bytes, 8, 0), 0)) fprintf(stderr, "  bytes: %zx\n", bytes);
    CHECK_EQ(arena.Used(), kFirst);
  }
  CHECK_EQ(arena.Allocate(8, size_t{1} << 63, 0), 0);
  CHECK(arena.Allocate(8, 8, 0) != 0);
}

TEST(ArenaRefusesToKeepFreeMoreThanThereIs) {
  constexpr size_t kAll = ~size_t{0};
  Arena arena(1 << 20);
  for (size_t keep_free : {kAll, kAll - 63, kAll - 71, kAll - 72, kAll / 2 + 1, size_t{1} << 20}) {
    if (!CHECK_EQ(arena.Allocate(8, 8, keep_free), 0)) fprintf(stderr, "  keep_free: %zx\n", keep_free);
  }
  CHECK_EQ(arena.Used(), kFirst);
}

TEST(ArenaSurvivesASystemWithoutMemory) {
  Arena arena(1 << 20);
  Ref before = arena.Allocate(8, 8, 0);
  on_mprotect = [] { return false; };
  CHECK_EQ(arena.Allocate(200'000, 8, 0), 0);
  CHECK_EQ(arena.Allocate(8, 8, 0), 0);  // above it
  on_mprotect = nullptr;
  Ref after = arena.Allocate(200'000, 8, 0);
  REQUIRE(after > before + 200'000 / 8);
  CHECK(IsFilledWith(arena, after, 200'000, 0));
}

TEST(ArenaCommitsWhileARivalCommitsMore) {
  Arena arena(1 << 20);
  Ref rivals = 0;
  on_mprotect = [&] {
    on_mprotect = nullptr;
    rivals = arena.Allocate(300'000, 8, 0);
    return true;
  };
  Ref ours = arena.Allocate(1000, 8, 0);
  CHECK(IsFilledWith(arena, ours, 1000, 0));
  CHECK(rivals > ours);
  CHECK(IsFilledWith(arena, rivals, 300'000, 0));
  CHECK(arena.Committed() >= arena.Used());
}

}  // namespace
}  // namespace memprof

extern "C" int __real_mprotect(void* at, size_t bytes, int protection);
extern "C" int __wrap_mprotect(void* at, size_t bytes, int protection) {
  auto& hook = memprof::on_mprotect;
  return hook != nullptr && !hook() ? -1 : __real_mprotect(at, bytes, protection);
}
