// The index's own code, run in every order in which the operations of two or three threads can follow one
// another while it grows.

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)

#include "check.h"

TEST(GrowingIndexInAllOrdersRunsInThePlainBuildOnly) {
  fprintf(stderr, "growing_index_model_test: left out, sanitizers cannot follow its coroutines\n");
}

#else

#include <cstring>
#include <new>
#include <vector>

#include "interleaving.h"
#include "tables/growing_index.h"

namespace memprof {
namespace {

using test::Explorer;
using test::ModelAtomic;

// An arena of a few hundred bytes at the same address in every run.
class ModelMemory {
 public:
  void Clear(size_t limit) {
    memset(memory_, 0, sizeof(memory_));
    new (&used_) ModelAtomic<size_t>();
    used_.store(64);
    limit_ = limit;
  }
  Ref Allocate(size_t bytes, size_t alignment, size_t) {
    bytes = (bytes + alignment - 1) & ~(alignment - 1);
    Explorer::Point();
    size_t used = used_.Peek();
    bool fits = bytes <= limit_ - used;
    Explorer::Observe(used);
    if (fits) used_.Put(used + bytes);
    return fits ? static_cast<Ref>(used / Arena::kRefUnit) : 0;
  }
  void GiveBack(Ref ref, size_t bytes) {
    bytes = (bytes + 63) & ~size_t{63};
    for (size_t i = 0; i < bytes; ++i) CHECK(memory_[ref * Arena::kRefUnit + i] == 0);
    size_t end = ref * Arena::kRefUnit + bytes;
    used_.compare_exchange_strong(end, ref * Arena::kRefUnit);
  }
  void* At(Ref ref) { return memory_ + size_t{ref} * Arena::kRefUnit; }

 private:
  static constexpr size_t kBytes = 16 * 1024;
  alignas(64) char memory_[kBytes];
  ModelAtomic<size_t> used_;
  size_t limit_ = 0;
};

using Index = GrowingIndex<ModelAtomic, ModelMemory>;

constexpr uint32_t kKeys = 64;

// Four keys to a home of the smallest index; the lowest bits, which the words hold, are the same for all.
uint64_t HashOf(uint32_t key) { return uint64_t{key % 4} << 62 | uint64_t{key / 4} << 56 | 3; }

// The nodes are numbers beyond the memory: the key, and the thread that made it.
constexpr Ref kFirstNode = 4096;
Ref NodeOf(uint32_t key, uint32_t maker) { return kFirstNode + maker * kKeys + key; }
uint32_t KeyOf(Ref node) { return (node - kFirstNode) % kKeys; }

ModelMemory memory;
alignas(64) char place[sizeof(Index)];
Index* Shared() { return std::launder(reinterpret_cast<Index*>(place)); }
ModelAtomic<Ref> finished[kKeys];  // what the first insertion of a key that was over had returned

Ref Find(uint32_t key) {
  return Shared()->Find(HashOf(key), [&](Ref node) { return KeyOf(node) == key; });
}

Ref Insert(uint32_t key, uint32_t maker, size_t keep_free = 0) {
  auto matches = [&](Ref node) { return KeyOf(node) == key; };
  Index::End end = Shared()->Search(HashOf(key), matches);
  if (end.IsNode()) return end.node();
  return Shared()->Insert(
      end, HashOf(key), keep_free, matches, [&] { return NodeOf(key, maker); },
      [](Ref node) { return HashOf(KeyOf(node)); });
}

// A thread's steps. `false` of an insertion means that there was no room.
bool InsertAndTell(uint32_t key, uint32_t maker) {
  Ref ref = Insert(key, maker);
  if (ref == 0) return false;
  CHECK_EQ(KeyOf(ref), key);
  Ref before = 0;
  if (!finished[key].compare_exchange_strong(before, ref)) CHECK_EQ(before, ref);
  return true;
}

void ReadTwice(uint32_t key) {
  Ref known = finished[key].load();
  Ref first = Find(key);
  CHECK(known == 0 || first == known);
  Ref second = Find(key);
  CHECK(first == 0 || second == first);
}

struct Scenario {
  uint32_t bits;
  uint32_t before;  // keys that are in the index from the start
  size_t limit;     // of the memory
  bool fits;        // whether every insertion must succeed
};

// Returns the number of moments.
size_t Explore(const Scenario& scenario, const std::vector<Explorer::Body>& threads,
               size_t most_interruptions = ~size_t{0}) {
  auto make = [&] {
    memory.Clear(scenario.limit);
    for (auto& each : finished) new (&each) ModelAtomic<Ref>();
    new (place) Index(&memory, scenario.bits);
    for (uint32_t key = 0; key < scenario.before; ++key) {
      CHECK(InsertAndTell(key, 7));
    }
    return threads;
  };
  auto check = [&] {
    for (uint32_t key = 0; key < kKeys; ++key) CHECK_EQ(Find(key), finished[key].Peek());
    // What the threads left behind must also bear all further growth.
    if (!scenario.fits) return;
    for (uint32_t key = 0; key < kKeys; ++key) {
      Ref known = finished[key].Peek();
      Ref ref = Insert(key, 6);
      CHECK(known == 0 ? ref == NodeOf(key, 6) : ref == known);
    }
    for (uint32_t key = 0; key < kKeys; ++key) {
      CHECK_EQ(Find(key), finished[key].Peek() == 0 ? NodeOf(key, 6) : finished[key].Peek());
    }
  };
  return Explorer::Explore(make, check, most_interruptions);
}

constexpr size_t kRoomy = 8 * 1024;

// The key is the one that makes the index grow.
TEST(GrowingIndexInAllOrdersMakesOneNodeAKey) {
  size_t moments = Explore({1, 1, kRoomy, true},
                           {[] { CHECK(InsertAndTell(20, 0)); }, [] { CHECK(InsertAndTell(20, 1)); }});
  CHECK(moments > 10'000);
}

TEST(GrowingIndexInAllOrdersLosesNoKeyOfTwoWriters) {
  size_t moments = Explore({1, 1, kRoomy, true},
                           {[] { CHECK(InsertAndTell(20, 0)); }, [] { CHECK(InsertAndTell(24, 1)); }});
  CHECK(moments > 10'000);
}

// From here on threads are interrupted twice at most, which is where the number of orders ends that a test can
// try. (Three times and more steps took half a minute, two million moments each, and found nothing.)
constexpr size_t kInterruptions = 2;

TEST(GrowingIndexInManyOrdersGrowsTwiceAtOnce) {
  size_t moments = Explore({1, 1, kRoomy, true},
                           {[] {
                              CHECK(InsertAndTell(20, 0));
                              CHECK(InsertAndTell(21, 0));
                              CHECK(InsertAndTell(24, 0));
                            },
                            [] { CHECK(InsertAndTell(24, 1)); }},
                           kInterruptions);
  CHECK(moments > 1000);
}

TEST(GrowingIndexInManyOrdersShowsAReaderWhatIsFinished) {
  size_t moments = Explore(
      {2, 3, kRoomy, true},
      {[] { CHECK(InsertAndTell(20, 0)); }, [] { CHECK(InsertAndTell(24, 1)); }, [] { ReadTwice(20); }},
      kInterruptions);
  CHECK(moments > 1000);
}

TEST(GrowingIndexInManyOrdersWithoutRoomKeepsWhatItTook) {
  // Room for the first index alone, and for one successor.
  for (size_t limit : {size_t{64 + 128}, size_t{64 + 128 + 128}}) {
    size_t moments = Explore({2, 2, limit, false},
                             {[] {
                                InsertAndTell(20, 0);
                                InsertAndTell(24, 0);
                              },
                              [] {
                                InsertAndTell(24, 1);
                                InsertAndTell(28, 1);
                              }},
                             kInterruptions);
    CHECK(moments > 1000);
  }
}

}  // namespace
}  // namespace memprof

#endif
