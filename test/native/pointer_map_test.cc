#include "base/pointer_map.h"

#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

struct Value {
  uint64_t bytes;
  uint64_t check;
};

const void* Address(uint64_t number) { return reinterpret_cast<const void*>(number * 16); }

TEST(PointerMapGivesBackWhatWasInsertedOnce) {
  PointerMap<Value> map;
  REQUIRE(map.ok());
  Value value{};
  CHECK(!map.Remove(Address(1), &value));
  CHECK(map.Insert(Address(1), {10, 11}));
  CHECK(map.Insert(Address(2), {20, 21}));
  CHECK_EQ(map.size(), 2);
  CHECK(map.Remove(Address(1), &value) && value.bytes == 10 && value.check == 11);
  CHECK(!map.Remove(Address(1), &value));
  CHECK(map.Remove(Address(2), &value) && value.bytes == 20);
  CHECK_EQ(map.size(), 0);
}

// Addresses as allocators give them out: neighbours, whole pages, whole megabytes with a header.
TEST(PointerMapDoesWhatAMapDoes) {
  for (uint64_t stride : {uint64_t{16}, uint64_t{4096}, uint64_t{1 << 20} + 4096}) {
    PointerMap<Value> map({8, 64, 512});
    std::map<uint64_t, uint64_t> model;
    Random random(stride);
    uint64_t refused = 0;
    for (int step = 0; step < Scaled(400'000); ++step) {
      uint64_t address = 0x7f0000000000 + random.Below(4000) * stride;
      Value value{};
      auto known = model.find(address);
      CHECK_EQ(map.Remove(reinterpret_cast<void*>(address), &value), known != model.end());
      if (known != model.end()) {
        CHECK_EQ(value.bytes, known->second);
        model.erase(known);
      } else if (map.Insert(reinterpret_cast<void*>(address), {random.Next() >> 8, 0})) {
        // What was stored is found by taking it out and putting it back.
        REQUIRE(map.Remove(reinterpret_cast<void*>(address), &value));
        REQUIRE(map.Insert(reinterpret_cast<void*>(address), value));
        model[address] = value.bytes;
      } else {
        ++refused;
      }
      CHECK_EQ(map.size(), model.size());
    }
    CHECK_EQ(refused, 0);  // half full at most
    for (const auto& [address, bytes] : model) {
      Value value{};
      CHECK(map.Remove(reinterpret_cast<void*>(address), &value) && value.bytes == bytes);
    }
    CHECK_EQ(map.size(), 0);
  }
}

TEST(PointerMapRefusesWhatItHasNoRoomForAndRecovers) {
  PointerMap<Value> map({2, 4, 8});
  constexpr size_t kSlots = 7 * (2 + 4 + 8);
  for (int round = 0; round < 3; ++round) {
    std::vector<uint64_t> there;
    for (uint64_t number = 1; number <= 1000; ++number) {
      if (map.Insert(Address(number * 257), {number, 0})) there.push_back(number);
    }
    CHECK(there.size() > kSlots / 2 && there.size() <= kSlots);
    Value value{};
    for (uint64_t number = 1001; number <= 1100; ++number) CHECK(!map.Remove(Address(number * 257), &value));
    for (uint64_t number : there) {
      CHECK(map.Remove(Address(number * 257), &value) && value.bytes == number);
    }
    CHECK_EQ(map.size(), 0);
    // Nothing is left of those that were refused either: an absent address is found absent at its first line.
    CHECK(!map.Remove(Address(257), &value));
  }
}

// Allocated on one thread and freed on another, which synchronise only by handing the address over; addresses
// come back at once, as an allocator's do. Lines are so few that all threads meet in them.
TEST(PointerMapIsUsedByManyThreadsAtOnce) {
  PointerMap<Value> map({2, 8, 256});
  constexpr int kThreads = 4;
  constexpr size_t kMailboxes = 64;
  std::atomic<char*> mailboxes[kMailboxes] = {};
  std::atomic<uint64_t> inserted{0};
  std::atomic<uint64_t> removed{0};
  auto value_of = [](const char* memory) {
    return Value{reinterpret_cast<uint64_t>(memory) * 3, reinterpret_cast<uint64_t>(memory) * 7};
  };
  auto release = [&](char* memory) {
    Value value{};
    if (*memory == 1) {
      Value expected = value_of(memory);
      CHECK(map.Remove(memory, &value));
      CHECK(value.bytes == expected.bytes && value.check == expected.check);
      removed.fetch_add(1);
    } else {
      CHECK(!map.Remove(memory, &value));
    }
    free(memory);  // after the entry: from here on the address is anybody's
  };
  InParallel(kThreads, [&](int thread) {
    Random random(thread);
    for (int step = 0; step < Scaled(400'000); ++step) {
      char* memory = static_cast<char*>(malloc(32));
      *memory = random.OneIn(4) ? 0 : 1;
      if (*memory == 1) {
        if (map.Insert(memory, value_of(memory))) {
          inserted.fetch_add(1);
        } else {
          *memory = 0;
        }
      }
      char* other = mailboxes[random.Below(kMailboxes)].exchange(memory);
      if (other != nullptr) release(other);
    }
  });
  for (std::atomic<char*>& mailbox : mailboxes) {
    if (char* memory = mailbox.exchange(nullptr)) release(memory);
  }
  CHECK_EQ(inserted.load(), removed.load());
  CHECK(inserted.load() > 1000);
  CHECK_EQ(map.size(), 0);
}

}  // namespace
}  // namespace memprof
