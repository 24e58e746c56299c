#include "base/sweep_map.h"

#include <map>
#include <unordered_map>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

using test::Random;
using test::Scaled;

constexpr size_t kSmallest = 64;

struct Nothing {
  void operator()(uint64_t, uint64_t&) const {}
};

TEST(SweepMapFindsWhatWasInserted) {
  SweepMap<uint64_t> map;
  CHECK_EQ(map.size(), 0);
  CHECK_EQ(map.capacity(), kSmallest);
  CHECK(map.Find(0) == nullptr);
  *map.Insert(0, 10) += 1;
  map.Insert(7, 70);
  CHECK_EQ(map.size(), 2);
  CHECK_EQ(*map.Find(0), 11);
  CHECK_EQ(*map.Touch(7), 70);
  CHECK(map.Touch(8) == nullptr);
  CHECK(map.bytes() >= map.capacity() * sizeof(uint64_t) * 2);
}

TEST(SweepMapDropsWhatWasNotTouched) {
  SweepMap<uint64_t> map;
  for (uint64_t id = 1; id <= 4; ++id) map.Insert(id, id * 10);
  map.Sweep([](uint64_t, uint64_t&) { CHECK(false); }, Nothing{});  // all are new
  map.Touch(1);
  map.Find(2);  // is no touch
  map.Insert(5, 50);
  std::map<uint64_t, uint64_t> gone, stays;
  map.Sweep([&](uint64_t id, uint64_t& value) { gone[id] = value; },
            [&](uint64_t id, uint64_t& value) { stays[id] = value++; });
  CHECK(gone == std::map<uint64_t, uint64_t>{{2, 20}, {3, 30}, {4, 40}});
  CHECK(stays == std::map<uint64_t, uint64_t>{{1, 10}, {5, 50}});
  CHECK_EQ(*map.Find(1), 11);
  CHECK(map.Find(2) == nullptr);
  map.Sweep(Nothing{}, Nothing{});
  CHECK_EQ(map.size(), 0);
}

TEST(SweepMapClearDropsAllAndTellsNobody) {
  SweepMap<uint64_t> map;
  for (uint64_t id = 0; id < 1000; ++id) map.Insert(id, id);
  map.Clear();
  CHECK_EQ(map.size(), 0);
  CHECK_EQ(map.capacity(), kSmallest);
  CHECK(map.Find(5) == nullptr);
  map.ForEach([](uint64_t, uint64_t&) { CHECK(false); });
  map.Sweep([](uint64_t, uint64_t&) { CHECK(false); }, Nothing{});
}

TEST(SweepMapFollowsTheNumberOfEntriesUpAndDown) {
  SweepMap<uint64_t> map;
  for (uint64_t id = 0; id < 100'000; ++id) {
    map.Insert(id, id);
    CHECK(map.size() * 3 <= map.capacity() * 2);
  }
  CHECK(map.capacity() <= 4 * map.size());
  map.Sweep(Nothing{}, Nothing{});
  for (uint64_t id = 0; id < 100; ++id) map.Touch(id * 1000);
  map.Sweep(Nothing{}, Nothing{});
  CHECK_EQ(map.size(), 100);
  CHECK(map.capacity() <= 1024);
  for (uint64_t id = 0; id < 100; ++id) CHECK_EQ(*map.Touch(id * 1000), id * 1000);
  map.Sweep(Nothing{}, Nothing{});
  map.Sweep(Nothing{}, Nothing{});
  CHECK_EQ(map.capacity(), kSmallest);
}

// Plays random rounds of touches and inserts of `ids`, and compares each sweep with a plain map.
void CompareWithModel(const std::vector<uint64_t>& ids, int rounds, uint64_t seed) {
  SweepMap<uint64_t> map;
  std::unordered_map<uint64_t, uint64_t> model;
  Random random(seed);
  for (int round = 0; round < rounds; ++round) {
    std::unordered_map<uint64_t, uint64_t> seen;
    uint64_t busy = 1 + random.Below(4) * random.Below(ids.size());  // rounds of very different sizes
    for (uint64_t i = 0; i < busy; ++i) {
      uint64_t id = ids[random.Below(ids.size())];
      uint64_t* value = map.Touch(id);
      CHECK_EQ(value != nullptr, model.contains(id));
      if (value == nullptr) {
        value = map.Insert(id, random.Next());
        model[id] = *value;
      } else {
        CHECK_EQ(*value, model[id]);
      }
      model[id] = ++*value;
      seen[id] = *value;
    }
    CHECK_EQ(map.size(), model.size());

    std::unordered_map<uint64_t, uint64_t> gone, stays;
    map.Sweep([&](uint64_t id, uint64_t& value) { CHECK(gone.emplace(id, value).second); },
              [&](uint64_t id, uint64_t& value) { stays[id] = value; });
    CHECK(stays == seen);
    CHECK_EQ(gone.size() + stays.size(), model.size());
    for (auto [id, value] : gone) CHECK(model.contains(id) && model[id] == value && !seen.contains(id));
    model = std::move(seen);

    CHECK_EQ(map.size(), model.size());
    CHECK(map.capacity() <= std::max(kSmallest * 2, model.size() * 8));
    std::unordered_map<uint64_t, uint64_t> walked;
    map.ForEach([&](uint64_t id, uint64_t& value) { CHECK(walked.emplace(id, value).second); });
    CHECK(walked == model);
    for (uint64_t id : ids) CHECK_EQ(map.Find(id) != nullptr, model.contains(id));
  }
}

TEST(SweepMapBehavesAsAModelWithIdsInARow) {
  std::vector<uint64_t> ids;
  for (uint64_t id = 1; id <= 2000; ++id) ids.push_back(id);
  CompareWithModel(ids, Scaled(400), 1);
}

TEST(SweepMapBehavesAsAModelWithRandomIds) {
  Random random(2);
  std::vector<uint64_t> ids;
  for (int i = 0; i < 500; ++i) ids.push_back(random.Next() >> 1);
  CompareWithModel(ids, Scaled(1000), 2);
}

// Ids whose home is slot `home` of a map of 64, and close together in larger ones: the hash is a
// multiplication, which its inverse undoes.
std::vector<uint64_t> IdsAtHome(uint64_t home, int count) {
  constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15u;
  uint64_t inverse = kMultiplier;
  for (int i = 0; i < 5; ++i) inverse *= 2 - kMultiplier * inverse;
  CHECK_EQ(inverse * kMultiplier, 1);
  std::vector<uint64_t> ids;
  for (int i = 0; i < count; ++i) ids.push_back(((home << 58) + i) * inverse);
  return ids;
}

TEST(SweepMapBehavesAsAModelWhenAllShareOneHome) { CompareWithModel(IdsAtHome(20, 40), Scaled(10'000), 3); }

// The last slot: every chain goes round the end.
TEST(SweepMapBehavesAsAModelWhenChainsWrapAround) {
  CompareWithModel(IdsAtHome(63, 40), Scaled(10'000), 4);
  CompareWithModel(IdsAtHome(63, 300), Scaled(500), 5);
}

TEST(SweepMapBehavesAsAModelWithNeighbouringHomes) {
  std::vector<uint64_t> ids;
  for (uint64_t home : {60, 61, 62, 63, 0, 1}) {
    for (uint64_t id : IdsAtHome(home, 7)) ids.push_back(id);
  }
  CompareWithModel(ids, Scaled(10'000), 6);
}

}  // namespace
}  // namespace memprof
