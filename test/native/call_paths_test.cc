#include "heap/call_paths.h"

#include <cstdlib>
#include <map>
#include <vector>

#include "check.h"

namespace memprof {

namespace {

std::vector<uint32_t> PathOf(const CallPaths& paths, uint32_t path) {
  std::vector<uint32_t> functions = paths.FunctionsOf(path);
  return {functions.rbegin(), functions.rend()};
}

}  // namespace

TEST(CallPathsGiveEachPathOneNumber) {
  CallPaths paths;
  std::map<std::vector<uint32_t>, uint32_t> known;
  std::srand(1);
  for (int round = 0; round < 20000; ++round) {
    // Paths that share beginnings, with changes near the leaf most of the time.
    std::vector<uint32_t> functions;
    size_t length = 1 + static_cast<size_t>(std::rand()) % 40;
    for (size_t i = 0; i < length; ++i) {
      functions.insert(functions.begin(),
                       i < 20 ? static_cast<uint32_t>(i + 1) : static_cast<uint32_t>(std::rand()) % 3 + 1);
    }
    uint32_t path = paths.Intern(functions);
    REQUIRE(path != 0);
    auto [it, is_new] = known.emplace(functions, path);
    CHECK_EQ(it->second, path);
  }
  CHECK_EQ(paths.size(), known.size());
  for (const auto& [functions, path] : known) CHECK(PathOf(paths, path) == functions);
}

TEST(CallPathsKeepOnlyWhatAPathAdds) {
  CallPaths paths;
  std::vector<uint32_t> first = {4, 3, 2, 1};
  std::vector<uint32_t> second = {6, 5, 2, 1};
  std::vector<uint32_t> beginning = {2, 1};
  uint32_t before = paths.Intern(first);
  const CallPaths::Path& path = paths.At(paths.Intern(second));
  CHECK_EQ(path.base, before);
  CHECK_EQ(path.shared, 2u);
  CHECK_EQ(paths.AddedBy(path).size(), 2u);
  CHECK_EQ(paths.AddedBy(path)[0], 5u);
  // A path always adds at least its leaf.
  CHECK_EQ(paths.At(paths.Intern(beginning)).shared, 1u);
  CHECK_EQ(paths.Intern(first), before);
  CHECK_EQ(paths.size(), 3u);
}

TEST(CallPathsTellTheSumsOfTheirBeginnings) {
  CallPaths paths;
  std::vector<uint32_t> functions = {9, 7, 9, 5, 5, 1};  // leaf first
  uint64_t sum = paths.At(paths.Intern(functions)).sum;
  while (functions.size() > 1) {
    sum -= CallPaths::TermOf(functions.size() - 1, functions[0]);
    functions.erase(functions.begin());
    CHECK_EQ(paths.At(paths.Intern(functions)).sum, sum);
  }
}

TEST(CallPathsHaveFewBases) {
  CallPaths paths;
  std::vector<uint32_t> functions(400, 1);
  for (uint32_t i = 0; i < 1000; ++i) {
    functions[0] = i + 2;
    uint32_t path = paths.Intern(functions);
    uint32_t bases = 0;
    for (uint32_t each = path; paths.At(each).base != 0; each = paths.At(each).base) ++bases;
    CHECK(bases <= CallPaths::kMostBases);
    CHECK(PathOf(paths, path) == functions);
  }
  CHECK(paths.bytes() < 400'000);
}

// A list of all functions that call each other at random may be endless, so there is a limit.
TEST(CallPathsSayWhenThereIsNoRoom) {
  CallPaths paths;
  std::vector<uint32_t> functions(CallPaths::kLongest);
  uint32_t count = 0;
  for (;;) {
    functions.back() = ++count;
    if (paths.Intern(functions) == 0) break;
    REQUIRE(count < 10000);
  }
  CHECK(count > 1000);
  CHECK_EQ(paths.size(), count - 1);
  std::vector<uint32_t> known = functions;
  known.back() = 1;
  CHECK_EQ(paths.Intern(known), 1u);
  CHECK_EQ(paths.Intern(functions), 0u);
}

}  // namespace memprof
