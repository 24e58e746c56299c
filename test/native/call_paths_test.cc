#include "heap/call_paths.h"

#include <cstdlib>
#include <map>
#include <vector>

#include "check.h"

namespace memprof {

namespace {

std::vector<uint32_t> PathOf(const CallPaths& paths, uint32_t node) {
  std::vector<uint32_t> functions;
  for (; node != 0; node = paths.At(node).parent) functions.push_back(paths.At(node).function);
  return functions;
}

}  // namespace

TEST(CallPathsGiveEachPathOneNode) {
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
    uint32_t node = paths.Intern(functions);
    REQUIRE(node != 0);
    auto [it, is_new] = known.emplace(functions, node);
    CHECK_EQ(it->second, node);
    if (is_new) CHECK(PathOf(paths, node) == functions);
  }
  // All beginnings of paths are nodes, too, and no two nodes are the same path.
  std::map<std::vector<uint32_t>, int> all;
  for (uint32_t node = 1; node <= paths.size(); ++node) ++all[PathOf(paths, node)];
  CHECK_EQ(all.size(), paths.size());
}

TEST(CallPathsFindBeginningsOfThePathBefore) {
  CallPaths paths;
  std::vector<uint32_t> longer = {3, 2, 1};
  std::vector<uint32_t> shorter = {2, 1};
  uint32_t leaf = paths.Intern(longer);
  CHECK_EQ(paths.Intern(shorter), paths.At(leaf).parent);
  CHECK_EQ(paths.Intern(longer), leaf);
  CHECK_EQ(paths.size(), 3u);
}

TEST(CallPathsAreForgotten) {
  CallPaths paths;
  std::vector<uint32_t> path = {2, 1};
  paths.Intern(path);
  paths.Clear();
  CHECK_EQ(paths.size(), 0u);
  CHECK_EQ(paths.bytes(), 0u);
  CHECK_EQ(paths.Intern(path), 2u);
}

}  // namespace memprof
