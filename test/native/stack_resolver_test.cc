#include "heap/stack_resolver.h"

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "heap/stack_lookup.h"

namespace memprof {

namespace {

constexpr uint32_t kFirstId = 64;
constexpr uint32_t kFunctions = 300;

const char* NameOf(uint32_t) { return "(special)"; }

struct World {
  explicit World(size_t limit = ProfileTables::kDefaultLimit) : tables(limit) {}

  ProfileTables tables;
  Shared<FunctionFrames> frames = Shared<FunctionFrames>::Make(&tables, kFirstId, NameOf);

  void Describe(uint32_t id) {
    frames->Set(id, tables.InternFrame("f" + std::to_string(id), "file.js", static_cast<int>(id), 1));
  }
  void DescribeAll() {
    for (uint32_t id = kFirstId; id < kFirstId + kFunctions; ++id) Describe(id);
  }
  // `functions` is leaf first.
  Ref Expected(const std::vector<uint32_t>& functions) {
    Ref stack = 0;
    for (size_t i = functions.size(); i != 0; --i) {
      stack = tables.InternStack(stack, frames->At(functions[i - 1]));
    }
    return stack;
  }
};

// Paths that share beginnings with the one before. Leaf first.
std::vector<uint32_t> RandomPath(uint32_t* seed) {
  auto random = [&](uint32_t below) {
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % below;
  };
  std::vector<uint32_t> functions;
  uint32_t length = 1 + random(40);
  for (uint32_t i = 0; i < length; ++i) {
    uint32_t id = i < 15 ? kFirstId + i : kFirstId + random(kFunctions);
    functions.insert(functions.begin(), random(30) == 0 ? 1 + random(10) : id);
  }
  return functions;
}

}  // namespace

TEST(StackResolverFindsTheStacksOfPaths) {
  for (bool remembers : {false, true}) {
    World world;
    world.DescribeAll();
    CallPaths paths;
    StackResolver resolver(&world.tables, &paths, &*world.frames);
    if (remembers) resolver.Remember();
    CHECK_EQ(resolver.bytes() != 0, remembers);
    CHECK_EQ(resolver.StackOf(0), 0u);
    uint32_t seed = 1;
    for (int i = 0; i < 3000; ++i) {
      std::vector<uint32_t> functions = RandomPath(&seed);
      uint32_t path = paths.Intern(functions);
      Ref stack = resolver.StackOf(path);
      CHECK_EQ(stack, world.Expected(functions));
      CHECK_EQ(paths.StackOf(path), stack);
    }
  }
}

TEST(StackResolverWaitsUntilAllFunctionsAreDescribed) {
  World world;
  CallPaths paths;
  StackResolver resolver(&world.tables, &paths, &*world.frames);
  std::vector<uint32_t> functions = {kFirstId + 2000, kFirstId + 1, 3};
  uint32_t path = paths.Intern(functions);
  CHECK_EQ(resolver.StackOf(path), 0u);
  world.Describe(kFirstId + 1);
  CHECK_EQ(resolver.StackOf(path), 0u);
  CHECK(!world.frames->IsSet(kFirstId + 2000));
  world.Describe(kFirstId + 2000);
  CHECK(resolver.StackOf(path) != 0);
  CHECK_EQ(resolver.StackOf(path), world.Expected(functions));
}

TEST(StackResolverCutsStacksWhereThereIsNoRoom) {
  World world(ProfileTables::kMinLimit);
  world.DescribeAll();
  // No room for this function's own frame.
  world.frames->Set(kFirstId + kFunctions, 0);
  CHECK(world.frames->IsSet(kFirstId + kFunctions));
  CallPaths paths;
  StackResolver resolver(&world.tables, &paths, &*world.frames);
  uint32_t seed = 1;
  uint32_t path = 0;
  for (int i = 0; i < 100'000 && (path == 0 || !paths.At(path).cut); ++i) {
    path = paths.Intern(RandomPath(&seed));
    REQUIRE(resolver.StackOf(path) != 0);
  }
  REQUIRE(paths.At(path).cut);
  CHECK(world.tables.CutStacks() != 0);
  // A path that has the cut one as its base.
  std::vector<uint32_t> functions = paths.FunctionsOf(path);
  std::vector<uint32_t> longer(functions.rbegin(), functions.rend());
  longer.insert(longer.begin(), kFirstId + 7);
  uint32_t next = paths.Intern(longer);
  REQUIRE(paths.At(next).base == path);
  CHECK(resolver.StackOf(next) != 0);
  std::vector<uint32_t> without_room = {kFirstId + kFunctions, kFirstId + 1};
  CHECK(resolver.StackOf(paths.Intern(without_room)) != 0);
}

// As in a process: one thread adds paths, describes functions, and asks for some paths itself, while the background
// thread looks up others.
TEST(StackLookupFindsInTheBackgroundWhatIsFoundHere) {
  REQUIRE(StartBackground());
  World world;
  auto lookup = Shared<StackLookup>::Make(&world.tables, world.frames, true);
  uint32_t seed = 1;
  uint32_t described = 0;
  std::vector<uint32_t> numbers;
  std::vector<std::vector<uint32_t>> all;
  std::vector<uint32_t> wanted;
  int begun = 0;
  for (int i = 0; i < 8000; ++i) {
    all.push_back(RandomPath(&seed));
    numbers.push_back(lookup->paths.Intern(all.back()));
    wanted.push_back(numbers.back());
    if (i % 20 == 0 && described < kFunctions) world.Describe(kFirstId + described++);
    if (i % 30 == 0) lookup->StackOf(numbers[static_cast<size_t>(i) / 2]);
    if (i % 10 == 0 && StackLookup::Begin(lookup, &wanted)) {
      wanted.clear();
      ++begun;
    }
  }
  CHECK(begun != 0);
  while (described < kFunctions) world.Describe(kFirstId + described++);
  while (lookup->at_work()) std::this_thread::yield();
  wanted = numbers;
  REQUIRE(StackLookup::Begin(lookup, &wanted));
  while (lookup->at_work()) std::this_thread::yield();
  for (size_t i = 0; i < all.size(); ++i) {
    CHECK_EQ(lookup->paths.StackOf(numbers[i]), world.Expected(all[i]));
    CHECK_EQ(lookup->StackOf(numbers[i]), lookup->paths.StackOf(numbers[i]));
  }
}

// The sampler that wanted it may end first.
TEST(StackLookupOutlivesItsSampler) {
  REQUIRE(StartBackground());
  World world;
  world.DescribeAll();
  {
    auto lookup = Shared<StackLookup>::Make(&world.tables, world.frames, true);
    uint32_t seed = 1;
    std::vector<uint32_t> wanted;
    for (int i = 0; i < 2000; ++i) wanted.push_back(lookup->paths.Intern(RandomPath(&seed)));
    REQUIRE(StackLookup::Begin(lookup, &wanted));
  }
  std::atomic<bool> done{false};
  RunInBackground([&] { done = true; });
  while (!done) std::this_thread::yield();
  CHECK(world.tables.StackCount() > 1000);
}

}  // namespace memprof
