#include "tables/intern_table.h"

#include <functional>
#include <memory>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

struct CountNode : InternNode {
  static constexpr size_t kAlignment = 8;
  bool Equals(uint32_t other) const { return key == other; }
  void Init(uint32_t from) {
    key = from;
    // Lets a test act in the middle of an insert as another thread might.
    if (rival) std::exchange(rival, nullptr)();
  }

  uint32_t key;
  std::atomic<uint64_t> count;

  static inline std::function<void()> rival;
};
using Table = InternTable<CountNode, uint32_t>;

// Keys clash in every way: four homes, eight hashes in all.
uint64_t ClashingHash(uint32_t key) { return (uint64_t{key % 4} << 62) | (key % 8); }

struct Fixture {
  explicit Fixture(size_t limit = 1 << 20) : arena(limit), table(&arena, 2) {}
  Ref Insert(uint32_t key) { return table.FindOrInsert(key, ClashingHash(key), 0); }
  Ref Find(uint32_t key) const { return table.Find(key, ClashingHash(key)); }
  std::vector<uint32_t> KeysNewestFirst() const {
    std::vector<uint32_t> keys;
    table.ForEach([&](Ref ref, CountNode& node) {
      CHECK(table.At(ref) == &node);
      keys.push_back(node.key);
    });
    return keys;
  }

  Arena arena;
  Table table;
};

TEST(InternTableKeepsOneNodeAKey) {
  Fixture f;
  REQUIRE(f.table.ok());
  constexpr uint32_t kKeys = 500;
  std::vector<Ref> refs;
  for (uint32_t key = 0; key < kKeys; ++key) {
    CHECK_EQ(f.Find(key), 0);
    refs.push_back(f.Insert(key));
    REQUIRE(refs[key] != 0);
    CHECK_EQ(f.table.At(refs[key])->key, key);
    CHECK_EQ(f.table.At(refs[key])->count.load(), 0);
  }
  for (uint32_t key = 0; key < kKeys; ++key) {
    CHECK_EQ(f.Insert(key), refs[key]);
    CHECK_EQ(f.Find(key), refs[key]);
  }
  CHECK_EQ(f.table.Count(), kKeys);
  std::vector<uint32_t> walked = f.KeysNewestFirst();
  CHECK_EQ(walked.size(), kKeys);
  for (uint32_t i = 0; i < walked.size(); ++i) CHECK_EQ(walked[i], kKeys - 1 - i);
}

struct HashedNode : InternNode {
  static constexpr size_t kAlignment = 8;
  bool Equals(uint32_t) const { return true; }
  void Init(uint32_t from) { key = from; }

  uint32_t key;
  std::atomic<uint64_t> count;
};

// Nodes may leave it to the hash to tell keys apart (docs/table.md says at what risk). Then forged hashes that are equal
// make one node of two keys: it stays the first one's, and no count is lost.
TEST(InternTableOfNodesThatAreKnownByHashMergesThoseOfForgedHashes) {
  Arena arena(1 << 20);
  InternTable<HashedNode, uint32_t> table(&arena, 2);
  constexpr uint32_t kKeys = 500;
  auto forged = [](uint32_t key) { return (uint64_t{key / 2} << 40) | 3; };  // of two keys each
  for (uint32_t key = 0; key < kKeys; ++key) {
    Ref ref = table.FindOrInsert(key, forged(key), 0);
    REQUIRE(ref != 0);
    table.At(ref)->count.fetch_add(key + 1);
  }
  CHECK_EQ(table.Count(), kKeys / 2);
  uint64_t sum = 0;
  table.ForEach([&](Ref ref, HashedNode& node) {
    CHECK_EQ(node.key % 2, 0);
    CHECK_EQ(node.count.load(), 2 * node.key + 3);
    CHECK_EQ(table.Find(node.key + 1, forged(node.key + 1)), ref);
    sum += node.count;
  });
  CHECK_EQ(sum, uint64_t{kKeys} * (kKeys + 1) / 2);
  CHECK_EQ(table.Find(kKeys, forged(kKeys)), 0);
}

TEST(InternTableStopsAWalkWhenAsked) {
  Fixture f;
  CHECK(f.table.NoneOf([](Ref, CountNode&) { return true; }));
  for (uint32_t key = 0; key < 10; ++key) f.Insert(key);
  int met = 0;
  CHECK(!f.table.NoneOf([&](Ref, CountNode& node) { return ++met, node.key == 7; }));
  CHECK_EQ(met, 3);
  CHECK(f.table.NoneOf([](Ref, CountNode& node) { return node.key == 10; }));
}

TEST(InternTableFindsButNoLongerInsertsWhenTheArenaIsFull) {
  Fixture f(4096);
  uint32_t fitted = 0;
  while (f.table.FindOrInsert(fitted, ClashingHash(fitted), 1000) != 0) ++fitted;
  CHECK(f.arena.Used() <= 3096);
  CHECK(fitted > 50);
  while (f.Insert(fitted) != 0) ++fitted;  // without anything kept free
  CHECK(f.arena.Used() <= 4096);
  for (uint32_t key = 0; key < fitted; ++key) CHECK(f.Insert(key) != 0 && f.Insert(key) == f.Find(key));
  CHECK_EQ(f.Find(fitted), 0);
  CHECK_EQ(f.table.Count(), fitted);
  CHECK_EQ(f.KeysNewestFirst().size(), fitted);
}

TEST(InternTableSaysWhenItGotNoIndex) {
  Fixture f(70);
  CHECK(!f.table.ok());
}

TEST(InternTableGivesALoserTheWinnersNode) {
  Fixture f;
  Ref winner = 0;
  CountNode::rival = [&] {
    winner = f.Insert(8);
    f.table.At(winner)->count = 5;
  };
  CHECK_EQ(f.Insert(8), winner);
  CHECK(winner != 0);
  CHECK_EQ(f.Find(8), winner);
  CHECK_EQ(f.table.Count(), 2);
  CHECK(f.KeysNewestFirst() == std::vector<uint32_t>{8, 8});
  uint64_t sum = 0;
  f.table.ForEach([&](Ref ref, CountNode& node) {
    if (ref != winner) CHECK_EQ(node.count.load(), 0);
    sum += node.count;
  });
  CHECK_EQ(sum, 5);
}

TEST(InternTableFindsAWinnerBelowOtherNewNodes) {
  Fixture f;
  f.Insert(0);
  Ref winner = 0;
  CountNode::rival = [&] {
    f.Insert(4);
    winner = f.Insert(8);
    f.Insert(12);
    f.Insert(16);
  };
  CHECK_EQ(f.Insert(8), winner);
  CHECK_EQ(f.Find(8), winner);
}

TEST(InternTableInsertsBesideARivalWithAnotherKey) {
  Fixture f;
  Ref first = f.Insert(0);
  Ref rivals = 0;
  CountNode::rival = [&] { rivals = f.Insert(4); };  // of the same home
  Ref ours = f.Insert(8);
  CHECK(ours != 0 && rivals != 0 && ours != rivals);
  CHECK_EQ(f.Find(8), ours);
  CHECK_EQ(f.Find(4), rivals);
  CHECK_EQ(f.Find(0), first);
  CHECK_EQ(f.table.Count(), 3);
}

// As leveldb's skip list test: what a writer says is finished, a reader that begins after must see.
class Concurrent {
 public:
  static constexpr int kWriters = 3;
  static constexpr uint32_t kKeys = 256;
  static constexpr int kAdds = 3 * kKeys;

  explicit Concurrent(int round) : round_(round) {}

  void Run() {
    InParallel(kWriters + 1, [&](int thread) { thread == kWriters ? Read() : Write(thread); });
    CheckTotals();
  }

 private:
  // All writers insert the keys in one order, to collide on the same key, or in one that differs a little, to
  // collide on other keys of the same home. Then they add to random ones.
  void Write(int writer) {
    Random random(round_ * kWriters + writer);
    uint32_t apart = round_ % 2 == 0 ? 0 : 4 * writer;
    for (int i = 0; i < kAdds; ++i) {
      uint32_t key = i < int{kKeys} ? i ^ apart : random.Below(kKeys);
      Ref ref = f_.Insert(key);
      REQUIRE(ref != 0);
      Ref& got = got_[writer][key];
      if (got == 0) {
        got = ref;
        CHECK(!f_.table.NoneOf([&](Ref met, CountNode&) { return met == ref; }));  // is on the list already
      }
      CHECK_EQ(ref, got);
      f_.table.At(ref)->count.fetch_add(1, std::memory_order_relaxed);
      finished_[key].fetch_add(1, std::memory_order_release);
    }
    writing_.fetch_sub(1, std::memory_order_release);
  }

  void Read() {
    Random random(round_);
    bool last;
    do {
      last = writing_.load(std::memory_order_acquire) == 0;
      uint64_t finished[kKeys];
      uint64_t met[kKeys] = {};
      for (uint32_t key = 0; key < kKeys; ++key)
        finished[key] = finished_[key].load(std::memory_order_acquire);
      f_.table.ForEach(
          [&](Ref, CountNode& node) { met[node.key] += node.count.load(std::memory_order_relaxed); });
      for (uint32_t key = 0; key < kKeys; ++key) CHECK(met[key] >= finished[key]);
      uint32_t key = random.Below(kKeys);
      CHECK(finished[key] == 0 || f_.Find(key) != 0);
    } while (!last);
  }

  void CheckTotals() {
    uint64_t sum = 0;
    for (uint32_t key = 0; key < kKeys; ++key) {
      for (int writer = 0; writer < kWriters; ++writer) CHECK_EQ(got_[writer][key], f_.Find(key));
      sum += finished_[key];
    }
    CHECK_EQ(sum, kWriters * kAdds);
    uint32_t returned = 0;
    size_t nodes = 0;
    f_.table.ForEach([&](Ref ref, CountNode& node) {
      bool won = ref == got_[0][node.key];
      CHECK_EQ(node.count.load(), won ? finished_[node.key].load() : 0);
      returned += won;
      ++nodes;
    });
    CHECK_EQ(returned, kKeys);
    CHECK_EQ(nodes, f_.table.Count());
    CHECK(nodes <= kKeys * kWriters);
  }

  const int round_;
  Fixture f_;
  std::atomic<uint64_t> finished_[kKeys] = {};
  std::atomic<int> writing_{kWriters};
  Ref got_[kWriters][kKeys] = {};
};

TEST(InternTableMissesNothingFinishedUnderThreads) {
  for (int round = 0; round < Scaled(800); ++round) std::make_unique<Concurrent>(round)->Run();
}

}  // namespace
}  // namespace memprof
