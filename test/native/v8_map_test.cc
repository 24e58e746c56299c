#include "heap/v8_map.h"

#include <vector>

#include "check.h"

namespace memprof {
namespace {

uintptr_t Small(int32_t value) { return static_cast<uintptr_t>(static_cast<uint32_t>(value)) << 32; }
uintptr_t Tagged(const void* object) { return reinterpret_cast<uintptr_t>(object) + 1; }

// A Map as V8 makes it.
struct ForgedMap {
  explicit ForgedMap(const std::vector<std::pair<uintptr_t, uintptr_t>>& entries, int32_t deleted = 0) {
    constexpr int32_t kBuckets = 2;
    table = {1, 0, Small(static_cast<int32_t>(entries.size()) - deleted), Small(deleted), Small(kBuckets)};
    table.insert(table.end(), kBuckets, Small(-1));
    for (auto [key, value] : entries) table.insert(table.end(), {key, value, Small(-1)});
    table[1] = Small(static_cast<int32_t>(table.size()) - 2);
    map = {1, 1, 1, Tagged(table.data())};
  }
  uintptr_t word() const { return Tagged(map.data()); }

  std::vector<uintptr_t> table;
  std::vector<uintptr_t> map;
};

alignas(8) const char kKeys[4][8] = {};
uintptr_t Key(int i) { return Tagged(kKeys[i]); }

template <typename Memory>
int64_t Find(const ForgedMap& map, uintptr_t key) {
  uintptr_t value;
  return ValueIn<Memory>(map.word(), key, &value) ? static_cast<int64_t>(value) : -1;
}

TEST(V8MapFindsTheValueOfAKey) {
  ForgedMap map({{Key(0), Small(7)}, {Key(1), Small(8)}, {Key(2), Key(3)}});
  for (auto find : {Find<Trusting>, Find<Doubting>}) {
    CHECK_EQ(find(map, Key(0)), static_cast<int64_t>(Small(7)));
    CHECK_EQ(find(map, Key(1)), static_cast<int64_t>(Small(8)));
    CHECK_EQ(find(map, Key(2)), static_cast<int64_t>(Key(3)));
    CHECK_EQ(find(map, Key(3)), -1);
  }
  // V8 puts a hole where an entry was, and entries behind it stay.
  ForgedMap holes({{Key(3), Key(3)}, {Key(1), Small(8)}}, 1);
  CHECK_EQ(Find<Trusting>(holes, Key(1)), static_cast<int64_t>(Small(8)));
}

TEST(V8MapDoubtsWhatDoesNotLookLikeAMap) {
  for (size_t word = 1; word <= 4; ++word) {
    for (uintptr_t garbage : {uintptr_t{0x7fff00000000}, Small(-1), Small(1 << 30), Key(0), ~uintptr_t{0}}) {
      ForgedMap map({{Key(0), Small(7)}});
      map.table[word] = garbage;
      CHECK_EQ(Find<Doubting>(map, Key(1)), -1);
    }
  }
  for (uintptr_t garbage : {uintptr_t{0}, uintptr_t{1}, uintptr_t{0x1001}, Small(7), ~uintptr_t{0} - 2}) {
    ForgedMap map({{Key(0), Small(7)}});
    map.map[3] = garbage;
    CHECK_EQ(Find<Doubting>(map, Key(0)), -1);
    uintptr_t value;
    CHECK(!ValueIn<Doubting>(garbage, Key(0), &value));
  }
  // The layout shifted by a word.
  ForgedMap shifted({{Key(0), Small(7)}});
  shifted.table.insert(shifted.table.begin() + 2, Small(0));
  shifted.map[3] = Tagged(shifted.table.data());
  CHECK_EQ(Find<Doubting>(shifted, Key(0)), -1);
}

}  // namespace
}  // namespace memprof
