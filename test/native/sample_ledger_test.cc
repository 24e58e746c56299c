#include "heap/sample_ledger.h"

#include <functional>
#include <utility>
#include <vector>

#include "check.h"

namespace memprof {

namespace {

struct FakeHandle {
  int* resets = nullptr;
  std::function<void()> on_reset;
  void Reset() {
    if (resets != nullptr) ++*resets;
    resets = nullptr;
    if (auto call = std::exchange(on_reset, nullptr)) call();
  }
};

using Ledger = SampleLedger<FakeHandle>;

struct Books {
  ProfileTables tables{ProfileTables::kMinLimit};
  Ledger ledger{&tables};
  int resets = 0;

  Ref Stack() { return tables.InternStack(0, tables.InternFrame("f", "file.js", 1, 1)); }
  Ledger::Record* Born(uint64_t size, uint64_t v8_id = 0) {
    Ledger::Record* record = ledger.Born(size);
    record->stack = Stack();
    record->v8_id = v8_id;
    record->handle = {&resets, nullptr};
    return record;
  }
  Figures Sum() {
    Figures sum;
    tables.ForEachBucket([&](const Bucket&, const Figures& figures) {
      sum.alloc_objects += figures.alloc_objects;
      sum.alloc_bytes += figures.alloc_bytes;
      sum.free_objects += figures.free_objects;
      sum.free_bytes += figures.free_bytes;
    });
    return sum;
  }
};

}  // namespace

TEST(SampleLedgerPublishesAtTheEndOfACollection) {
  Books books;
  Ledger::Record* first = books.Born(100);
  books.Born(50);
  CHECK_EQ(books.Sum().alloc_objects, 0u);
  books.ledger.Died(first);  // before its birth was published
  books.ledger.Publish();
  CHECK_EQ(books.Sum().alloc_objects, 2u);
  CHECK_EQ(books.Sum().alloc_bytes, 150u);
  CHECK_EQ(books.Sum().free_objects, 1u);
  CHECK_EQ(books.Sum().free_bytes, 100u);
  CHECK_EQ(books.ledger.live(), 1u);
  CHECK_EQ(books.ledger.taken(), 2u);
  CHECK_EQ(books.ledger.published(), 2u);
}

TEST(SampleLedgerCountsDeathsOfWhatIsOld) {
  Books books;
  Ledger::Record* record = books.Born(100);
  books.ledger.Publish();
  books.ledger.Died(record);
  CHECK_EQ(books.Sum().free_objects, 0u);  // the GC is not over yet
  books.ledger.Publish();
  CHECK_EQ(books.Sum().free_objects, 1u);
  books.ledger.Publish();
  CHECK_EQ(books.Sum().free_objects, 1u);
  CHECK_EQ(books.ledger.live(), 0u);
}

TEST(SampleLedgerKnowsWhatOutlivedAMajorCollection) {
  constexpr uint64_t kSecond = uint64_t{1} << 30;
  Books books;
  auto collect = [&](bool major, std::vector<Ledger::Record*> dead, uint64_t at) {
    for (Ledger::Record* record : dead) books.ledger.Died(record);
    books.ledger.set_now(at);
    books.ledger.Publish();
    if (major) books.ledger.EndMajorCollection();
  };
  auto promoted = [&] {
    uint64_t objects = 0;
    uint64_t bytes = 0;
    uint64_t age_ms = 0;
    books.tables.ForEachBucket([&](const Bucket& bucket, const Figures&) {
      const PromotedDeaths* deaths = books.tables.PromotedDeathsOf(bucket);
      if (deaths == nullptr) return;
      objects += deaths->objects;
      bytes += deaths->bytes;
      age_ms += deaths->age_ms;
    });
    return std::vector<uint64_t>{objects, bytes, age_ms};
  };
  books.ledger.set_now(7 * kSecond);
  Ledger::Record* dies_in_minor = books.Born(100);
  Ledger::Record* dies_in_major = books.Born(100);
  Ledger::Record* dies_later = books.Born(100);
  Ledger::Record* unknown = books.Born(100);
  unknown->stack = 0;
  books.Born(100);
  collect(false, {dies_in_minor}, 8 * kSecond);
  collect(true, {dies_in_major}, 9 * kSecond);
  CHECK(promoted() == std::vector<uint64_t>({0, 0, 0}));
  Ledger::Record* younger = books.Born(50);
  collect(false, {dies_later, unknown, younger}, 17 * kSecond);
  uint64_t age_ms = 10 * kSecond / 1'000'000;
  CHECK(promoted() == std::vector<uint64_t>({1, 100, age_ms}));
  unknown->stack = books.Stack();  // dead since the collection before, which it did not outlive
  collect(true, {}, 17 * kSecond);
  CHECK(promoted() == std::vector<uint64_t>({2, 200, 2 * age_ms}));
  books.ledger.Forget();
  CHECK(promoted() == std::vector<uint64_t>({3, 300, 3 * age_ms}));
  books.tables.Reset();
  CHECK(promoted() == std::vector<uint64_t>({0, 0, 0}));
}

TEST(SampleLedgerKeepsWhatHasNoStackYet) {
  Books books;
  Ledger::Record* record = books.Born(100);
  record->stack = 0;
  books.ledger.Died(record);
  books.ledger.Publish();
  CHECK_EQ(books.Sum().alloc_objects, 0u);
  CHECK_EQ(books.ledger.pending(), 1u);
  books.ledger.ForEachPending([&](Ledger::Record* each) { each->stack = books.Stack(); });
  books.ledger.Publish();
  CHECK_EQ(books.Sum().alloc_objects, 1u);
  CHECK_EQ(books.Sum().free_objects, 1u);
}

TEST(SampleLedgerKeepsWhatV8DidNotConfirm) {
  Books books;
  books.Born(1, 5);
  books.Born(2, 6);
  books.Born(4);
  books.ledger.Publish(5);
  CHECK_EQ(books.Sum().alloc_bytes, 5u);
  books.ledger.Publish(6);
  CHECK_EQ(books.Sum().alloc_bytes, 7u);
}

TEST(SampleLedgerLeavesToV8WhatV8Has) {
  Books books;
  books.Born(1, 1);
  books.ledger.Publish(1);
  Ledger::Record* dead = books.Born(2, 2);
  books.Born(4, 3);
  books.ledger.Died(dead);
  books.ledger.LeaveToV8(1);
  CHECK_EQ(books.resets, 2);
  books.ledger.Publish();
  CHECK_EQ(books.Sum().alloc_bytes, 1u);
  CHECK_EQ(books.Sum().free_bytes, 0u);
  CHECK_EQ(books.ledger.live(), 1u);
  CHECK_EQ(books.ledger.taken(), 1u);
  books.Born(8);
  books.ledger.Publish();
  CHECK_EQ(books.Sum().alloc_bytes, 9u);
}

TEST(SampleLedgerFreesAllWhenItForgets) {
  Books books;
  Ledger::Record* dead = books.Born(1);
  books.Born(2);
  books.ledger.Publish();
  books.ledger.Died(dead);
  books.Born(4)->stack = 0;
  books.ledger.Died(books.Born(8));
  books.ledger.Forget();
  CHECK_EQ(books.Sum().alloc_bytes, 15u);
  CHECK_EQ(books.Sum().free_bytes, 15u);
  CHECK_EQ(books.Sum().free_objects, 4u);
  CHECK_EQ(books.resets, 4);
  books.ledger.Publish();
  books.ledger.Forget();
  CHECK_EQ(books.Sum().free_objects, 4u);
}

TEST(SampleLedgerDropsWhatWasReset) {
  Books books;
  Ledger::Record* dead = books.Born(1);
  books.Born(2);
  books.ledger.Publish();
  books.ledger.Died(dead);
  books.tables.Reset();
  books.ledger.Forget();
  CHECK_EQ(books.Sum().free_objects, 0u);
  books.Born(4);
  books.ledger.Publish();
  CHECK_EQ(books.Sum().alloc_bytes, 4u);
  CHECK_EQ(books.Sum().free_bytes, 0u);
}

TEST(SampleLedgerTellsWhoeverComesInTheMiddleOfItsWork) {
  Books books;
  int refused = 0;
  // As when V8's heap is full: publishes what is pending, unless the ledger is at work.
  auto comes = [&] {
    if (books.ledger.at_work()) {
      ++refused;
    } else {
      books.ledger.Publish();
    }
  };
  Ledger::Record* dying = books.Born(100);
  dying->handle.on_reset = comes;
  books.ledger.Died(dying);
  books.Born(50);
  books.ledger.Publish();
  CHECK_EQ(refused, 1);
  CHECK_EQ(books.Sum().alloc_objects, 2u);
  CHECK_EQ(books.Sum().free_objects, 1u);
  CHECK_EQ(books.ledger.live(), 1u);

  books.Born(10);
  books.ledger.ForEachPending([&](Ledger::Record*) { comes(); });
  books.ledger.ForEach([&](Ledger::Record*) { comes(); });
  {
    Ledger::Work work(&books.ledger);
    comes();
    Ledger::Work within(&books.ledger);
    comes();
  }
  CHECK_EQ(refused, 1 + 1 + 2 + 2);
  CHECK_EQ(books.ledger.pending(), 1u);
  CHECK_EQ(books.Sum().alloc_objects, 2u);
  comes();
  CHECK_EQ(books.ledger.pending(), 0u);
  CHECK_EQ(books.Sum().alloc_objects, 3u);

  books.ledger.ForEach([&](Ledger::Record* record) { record->handle.on_reset = comes; });
  books.ledger.Forget();
  CHECK_EQ(refused, 6 + 2);
  CHECK_EQ(books.Sum().free_objects, 3u);
}

TEST(SampleLedgerIsAModelOfTheHeap) {
  test::Random random(3);
  Books books;
  std::vector<Ledger::Record*> alive;
  uint64_t born = 0;
  uint64_t died = 0;
  for (int collection = 0; collection < test::Scaled(300); ++collection) {
    for (uint64_t i = random.Below(40); i != 0; --i) {
      alive.push_back(books.Born(16));
      ++born;
    }
    for (size_t i = 0; i < alive.size();) {
      if (random.OneIn(3)) {
        books.ledger.Died(alive[i]);
        alive[i] = alive.back();
        alive.pop_back();
        ++died;
      } else {
        ++i;
      }
    }
    books.ledger.Publish();
    Figures sum = books.Sum();
    CHECK_EQ(sum.alloc_objects, born);
    CHECK_EQ(sum.free_objects, died);
    CHECK_EQ(books.ledger.live(), alive.size());
  }
  CHECK_EQ(books.resets, static_cast<int>(died));
}

}  // namespace memprof
