// The index of a table: growth, forged hashes, and an arena that is full in the middle of growth.

#include "tables/growing_index.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "check.h"
#include "tables/intern_table.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

struct Node : InternNode {
  static constexpr size_t kAlignment = 8;
  bool Equals(uint64_t other) const { return key == other; }
  void Init(uint64_t from) { key = from; }

  uint64_t key;
  std::atomic<uint64_t> count;
};
using Table = InternTable<Node, uint64_t>;

uint64_t HashOf(uint64_t key) { return key * 0x9e3779b97f4a7c15u; }

TEST(GrowingIndexFindsAllAtEverySize) {
  Arena arena(size_t{64} << 20);
  Table table(&arena);
  std::vector<Ref> refs;
  const uint64_t keys = Scaled(100'000);
  for (uint64_t key = 0; key < keys; ++key) {
    refs.push_back(table.FindOrInsert(key, HashOf(key), 0));
    REQUIRE(refs.back() != 0);
    uint64_t earlier = key * 7919 % (key + 1);
    CHECK_EQ(table.Find(earlier, HashOf(earlier)), refs[earlier]);
    CHECK_EQ(table.Find(key + 1, HashOf(key + 1)), 0);
  }
  for (uint64_t key = 0; key < keys; ++key) CHECK_EQ(table.FindOrInsert(key, HashOf(key), 0), refs[key]);
  CHECK_EQ(table.Count(), keys);
}

TEST(GrowingIndexTakesFewBytesAtEverySizeAlsoWhileItGrows) {
  Arena arena(size_t{64} << 20);
  Table table(&arena);
  for (uint64_t key = 0; key < 200'000; ++key) {
    table.FindOrInsert(key, HashOf(key), 0);
    // The index, the one that it grows to, and those before; one run that is not full.
    if (key >= 1000) CHECK(arena.Used() - (key + 1) * sizeof(Node) < (key + 1) * 22 + 5000);
    CHECK(key < 1000 || table.IndexSize() <= 2 * 4 * (key + 1) / 3 + 2);
  }
}

// Whoever chooses hashes makes searches long, and nothing else. Two hashes that differ only in the bit that every
// node has set are one.
TEST(GrowingIndexKeepsKeysOfForgedHashesApart) {
  for (uint64_t hash : {uint64_t{0}, ~uint64_t{0}, uint64_t{1}, uint64_t{0x8000000000000001}}) {
    auto forged = [hash](uint64_t key) { return hash ^ (key % 2) << 16; };
    Arena arena(size_t{4} << 20);
    Table table(&arena);
    std::vector<Ref> refs;
    for (uint64_t key = 0; key < 2000; ++key) {
      CHECK_EQ(table.Find(key, forged(key)), 0);
      refs.push_back(table.FindOrInsert(key, forged(key), 0));
      REQUIRE(refs.back() != 0);
    }
    for (uint64_t key = 0; key < 2000; ++key) {
      CHECK_EQ(table.Find(key, forged(key)), refs[key]);
      CHECK_EQ(table.At(refs[key])->key, key);
    }
    CHECK_EQ(table.Count(), 2000);
  }
}

// One home, in the last word: paths go around the end of the index.
TEST(GrowingIndexGoesOnAtItsBeginning) {
  Arena arena(size_t{4} << 20);
  Table table(&arena, 2);
  for (uint64_t key = 0; key < 500; ++key) {
    uint64_t hash = ~uint64_t{0} << 32 | key;
    Ref ref = table.FindOrInsert(key, hash, 0);
    REQUIRE(ref != 0);
    for (uint64_t earlier = 0; earlier <= key; earlier += 1 + key / 10) {
      CHECK(table.Find(earlier, ~uint64_t{0} << 32 | earlier) != 0);
    }
  }
}

// At each limit, the arena is full at another moment: before growth, in it, after it.
TEST(GrowingIndexOutOfMemoryTakesWhatItCanAndLosesNothing) {
  for (size_t limit = 2000; limit < 40'000; limit += 200) {
    for (size_t keep_free : {size_t{0}, limit / 10}) {
      Arena arena(limit);
      Table table(&arena, 3);
      std::vector<Ref> refs;
      while (Ref ref = table.FindOrInsert(refs.size(), HashOf(refs.size()), keep_free)) refs.push_back(ref);
      CHECK(arena.Used() <= limit - keep_free);
      size_t used = arena.Used();
      size_t count = table.Count();
      for (int i = 0; i < 100; ++i)
        CHECK_EQ(table.FindOrInsert(~uint64_t(i), HashOf(~uint64_t(i)), keep_free), 0);
      CHECK_EQ(arena.Used(), used);
      CHECK_EQ(table.Count(), count);
      for (uint64_t key = 0; key < refs.size(); ++key) {
        CHECK_EQ(table.FindOrInsert(key, HashOf(key), keep_free), refs[key]);
      }
      // Nobody who keeps something free has filled the index so far that those who do not find no room.
      if (keep_free != 0) CHECK(table.FindOrInsert(~uint64_t{0}, HashOf(~uint64_t{0}), 0) != 0);

      arena.SetLimit(limit + 100'000);
      for (uint64_t key = 0; key < 1000; ++key) {
        Ref ref = table.FindOrInsert(key, HashOf(key), 0);
        CHECK(ref != 0 && (key >= refs.size() || ref == refs[key]));
      }
    }
  }
}

// Two writers and a reader, through all sizes. What a writer says is finished, the reader must find and meet.
class Racing {
 public:
  static constexpr int kWriters = 2;
  static constexpr uint64_t kKeys = 3000;

  // With `limit` the arena is full before all keys are in.
  Racing(int round, size_t limit) : round_(round), arena_(limit), table_(&arena_, 1 + round % 3) {}

  void Run() {
    InParallel(kWriters + 1, [&](int thread) { thread == kWriters ? Read() : Write(thread); });
    uint64_t sum = 0;
    size_t nodes = 0;
    table_.ForEach([&](Ref ref, Node& node) {
      CHECK_EQ(node.count.load(), ref == found_[node.key] ? counted_[node.key].load() : 0);
      sum += node.count;
      ++nodes;
    });
    CHECK_EQ(nodes, table_.Count());
    uint64_t counted = 0;
    for (uint64_t key = 0; key < kKeys; ++key) {
      counted += counted_[key];
      CHECK_EQ(table_.Find(key, Hash(key)), found_[key].load());
    }
    CHECK_EQ(sum, counted);
    CHECK(arena_.Used() <= arena_.limit());
  }

  bool WasFull() const { return full_; }

 private:
  // Some rounds have hashes that clash.
  uint64_t Hash(uint64_t key) const { return round_ % 4 == 0 ? HashOf(key % 64) : HashOf(key); }

  void Write(int writer) {
    Random random(round_ * kWriters + writer);
    uint64_t apart = round_ % 2 == 0 ? 0 : 8 * writer;
    for (uint64_t i = 0; i < kKeys; ++i) {
      uint64_t key = (i ^ apart) % kKeys;
      if (random.OneIn(4)) key = random.Below(i + 1);
      size_t keep_free = random.OneIn(2) ? arena_.limit() / 10 : 0;
      Ref ref = table_.FindOrInsert(key, Hash(key), keep_free);
      CHECK(arena_.Used() <= arena_.limit());
      if (ref == 0) {
        full_ = true;
        // The other writer may have put it a moment ago, and not have said so yet.
        Ref known = found_[key].load();
        Ref found = table_.Find(key, Hash(key));
        CHECK(known == 0 || found == known);
        continue;
      }
      Ref known = 0;
      if (!found_[key].compare_exchange_strong(known, ref)) CHECK_EQ(known, ref);
      table_.At(ref)->count.fetch_add(1, std::memory_order_relaxed);
      counted_[key].fetch_add(1, std::memory_order_release);
    }
    writing_.fetch_sub(1, std::memory_order_release);
  }

  void Read() {
    Random random(round_);
    std::vector<uint64_t> counted(kKeys), met(kKeys);
    for (bool last = false; !last;) {
      last = writing_.load(std::memory_order_acquire) == 0;
      for (uint64_t key = 0; key < kKeys; ++key) counted[key] = counted_[key].load(std::memory_order_acquire);
      std::fill(met.begin(), met.end(), 0);
      table_.ForEach([&](Ref, Node& node) { met[node.key] += node.count.load(std::memory_order_relaxed); });
      for (uint64_t key = 0; key < kKeys; ++key) CHECK(met[key] >= counted[key]);
      for (int i = 0; i < 200; ++i) {
        uint64_t key = random.Below(kKeys);
        Ref known = found_[key].load(std::memory_order_acquire);
        Ref found = table_.Find(key, Hash(key));
        CHECK(known == 0 || found == known);
      }
    }
  }

  const int round_;
  Arena arena_;
  Table table_;
  std::atomic<Ref> found_[kKeys] = {};
  std::atomic<uint64_t> counted_[kKeys] = {};
  std::atomic<int> writing_{kWriters};
  std::atomic<bool> full_{false};
};

TEST(GrowingIndexUnderThreadsFindsWhatWasFinished) {
  for (int round = 0; round < Scaled(60); ++round) {
    auto racing = std::make_unique<Racing>(round, size_t{4} << 20);
    racing->Run();
    CHECK(!racing->WasFull());
  }
}

TEST(GrowingIndexUnderThreadsWithoutRoomLosesNothing) {
  for (int round = 0; round < Scaled(60); ++round) {
    auto racing = std::make_unique<Racing>(round, 20'000 + 400 * round);
    racing->Run();
    CHECK(racing->WasFull());
  }
}

}  // namespace
}  // namespace memprof
