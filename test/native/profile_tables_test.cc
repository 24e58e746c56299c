#include "tables/profile_tables.h"

#include <set>
#include <string>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

constexpr size_t kLimit = size_t{4} << 20;

struct Text {
  std::string_view function_name, url;
};

Text TextOf(const ProfileTables& tables, Ref frame) {
  const FrameKey& key = tables.FrameAt(frame)->key;
  return {tables.StringAt(key.function_name), tables.StringAt(key.url)};
}

std::vector<Ref> FramesLeafFirst(const ProfileTables& tables, Ref stack) {
  std::vector<Ref> frames;
  for (; stack != 0; stack = tables.StackAt(stack)->key.parent)
    frames.push_back(tables.StackAt(stack)->key.frame);
  return frames;
}

TEST(FramesOfCallsAreOneForEachPlace) {
  ProfileTables tables(ProfileTables::kMinLimit);
  Ref function = tables.InternFrame("f", "url", 3, 5);
  CHECK_EQ(tables.InternCall(function, 0, 0), function);
  Ref call = tables.InternCall(function, 4, 0);
  CHECK(call != function);
  CHECK_EQ(tables.InternCall(function, 4, 0), call);
  CHECK(tables.InternCall(function, 4, 1) != call);
  CHECK(tables.InternCall(function, 5, 0) != call);
  Ref inlined = tables.InternCall(function, 4, 0, true);
  CHECK(inlined != call);
  CHECK(tables.InternCall(function, 0, 0, true) != function);
  CHECK_EQ(tables.InternFrame("f", "url", 3, 5), function);
  const FrameKey& key = tables.FrameAt(inlined)->key;
  CHECK(key.inlined);
  CHECK_EQ(key.LineShown(), 4);
  CHECK_EQ(key.line, 3);
  CHECK(key.address != tables.FrameAt(call)->key.address);
  CHECK_EQ(key.address % 16, 0);
  CHECK(key.address < uint64_t{1} << 48);
}

TEST(FramesKeepTheirStringsWhateverIsInThem) {
  ProfileTables tables(kLimit);
  REQUIRE(tables.ok());
  using namespace std::string_view_literals;
  std::string longest(4096, 'x');
  for (std::string_view text :
       {""sv, "f"sv, "\0"sv, "a\0b"sv, "a\0c"sv, "ünïcödé"sv, std::string_view(longest)}) {
    Text named = TextOf(tables, tables.InternFrame(text, "url", 1, 2));
    CHECK(named.function_name == text && named.url == "url");
    Text placed = TextOf(tables, tables.InternFrame("name", text, 1, 2));
    CHECK(placed.function_name == "name" && placed.url == text);
  }
}

TEST(FramesOfAViewWithoutDataAreThoseOfAnEmptyString) {
  ProfileTables tables(kLimit);
  CHECK_EQ(tables.InternFrame({}, {}, 1, 2), tables.InternFrame("", "", 1, 2));
}

TEST(FramesCutStringsThatAreTooLong) {
  ProfileTables tables(kLimit);
  std::string text(10'000, 'x');
  CHECK(TextOf(tables, tables.InternFrame(text, "", 1, 2)).function_name == text.substr(0, 4096));
  CHECK(TextOf(tables, tables.InternFrame("", text, 1, 2)).url == text.substr(0, 4096));
}

// A frame is known by what a profile shows of it.
TEST(FramesThatDifferOnlyBehindTheCutAreOne) {
  ProfileTables tables(kLimit);
  std::string a(5000, 'x');
  std::string b = a + "y";
  CHECK_EQ(tables.InternFrame(a, "", 1, 2), tables.InternFrame(b, "", 1, 2));
}

TEST(FramesWithEqualContentsAreOne) {
  ProfileTables tables(kLimit);
  struct {
    std::string_view function_name, url;
    int32_t line, column;
  } different[] = {{"f", "u", 1, 2},   {"g", "u", 1, 2}, {"f", "v", 1, 2},  {"f", "u", 2, 2},
                   {"f", "u", 1, 3},   {"f", "u", 2, 1}, {"u", "f", 1, 2},  {"", "fu", 1, 2},
                   {"fu", "", 1, 2},   {"f", "u", 0, 0}, {"f", "u", -1, 2}, {"f", "u", 1, -1},
                   {"f", "u", -1, -1}, {"", "", 0, 0}};
  std::set<Ref> refs;
  for (auto& frame : different) {
    Ref ref = tables.InternFrame(frame.function_name, frame.url, frame.line, frame.column);
    CHECK(ref != 0 && refs.insert(ref).second);
    CHECK_EQ(tables.InternFrame(frame.function_name, frame.url, frame.line, frame.column), ref);
    CHECK_EQ(tables.FrameAt(ref)->key.line, frame.line);
    CHECK_EQ(tables.FrameAt(ref)->key.column, frame.column);
  }
  CHECK_EQ(tables.FrameCount(),
           std::size(different) + 4);  // and "(overflow)", "(unknown)", "(not attributed)"
}

// Hashes alone must not decide, though they hardly ever agree by chance.
TEST(KeysAreComparedInFull) {
  FrameNode frame;
  frame.Init({1, 2, 3, 4, 5});
  CHECK(frame.Equals({1, 2, 3, 4, 0}));  // the address follows from the rest
  CHECK(
      frame.Equals({1, 2, 3, 4, 5, {.start = 6, .length = 7}}));  // what it says of the text is no part of it
  CHECK(!frame.Equals({9, 2, 3, 4, 5}) && !frame.Equals({1, 9, 3, 4, 5}));
  CHECK(!frame.Equals({1, 2, 9, 4, 5}) && !frame.Equals({1, 2, 3, 9, 5}));
  StackNode stack;
  stack.Init({1, 2});
  CHECK(stack.Equals({1, 2}) && !stack.Equals({9, 2}) && !stack.Equals({1, 9}));
  Bucket bucket;
  bucket.Init({1, 2, 3});
  CHECK(bucket.Equals({1, 2, 3}));
  CHECK(!bucket.Equals({9, 2, 3}) && !bucket.Equals({1, 9, 3}) && !bucket.Equals({1, 2, 9}));
}

uint64_t AddressOf(ProfileTables& tables, std::string_view function_name, std::string_view url, int32_t line,
                   int32_t column) {
  return tables.FrameAt(tables.InternFrame(function_name, url, line, column))->key.address;
}

// A promise to stored profiles: these never change, or profiles of different versions could not be compared.
TEST(AddressesAreTheSameForEver) {
  ProfileTables tables(kLimit);
  CHECK_EQ(AddressOf(tables, "", "", 0, 0), 0x3baae937f310u);
  CHECK_EQ(AddressOf(tables, "handler", "file:///srv/app/server.js", 12, 34), 0x93465000ee10u);
  CHECK_EQ(AddressOf(tables, "(anonymous)", "/srv/app/index.js", 1, 1), 0xe1b16b415df0u);
  CHECK_EQ(AddressOf(tables, "Größe", "node:internal/streams", -1, 2147483647), 0xf3c9df00a590u);
}

TEST(AddressesAreDistinctMultiplesOf16Below2To48) {
  ProfileTables tables(size_t{32} << 20);
  ProfileTables others(size_t{32} << 20);
  others.InternFrame("something", "else", 0, 0);
  std::set<uint64_t> seen;
  for (int i = 0; i < Scaled(100'000); ++i) {
    std::string name = "function" + std::to_string(i % 1000);
    uint64_t address = AddressOf(tables, name, "file:///srv/app/server.js", i / 10, i % 10);
    CHECK(address % 16 == 0 && address != 0 && address >> 48 == 0);
    CHECK(seen.insert(address).second);
    CHECK_EQ(AddressOf(others, name, "file:///srv/app/server.js", i / 10, i % 10), address);
  }
}

TEST(StacksAreAPrefixTree) {
  ProfileTables tables(kLimit);
  Ref a = tables.InternFrame("a", "", 0, 0);
  Ref b = tables.InternFrame("b", "", 0, 0);
  Ref in_a = tables.InternStack(0, a);
  Ref in_ab = tables.InternStack(in_a, b);
  Ref in_aba = tables.InternStack(in_ab, a);
  size_t count = tables.StackCount();
  CHECK_EQ(tables.InternStack(0, a), in_a);
  CHECK_EQ(tables.InternStack(in_a, b), in_ab);
  CHECK_EQ(tables.InternStack(in_ab, a), in_aba);
  CHECK_EQ(tables.StackCount(), count);
  CHECK(tables.InternStack(0, b) != in_ab);
  CHECK(FramesLeafFirst(tables, in_aba) == std::vector<Ref>{a, b, a});
  CHECK_EQ(tables.InternStack(in_a, 0), 0);
}

TEST(StacksOneUponTheOtherAreThoseOfEachFrame) {
  ProfileTables tables(kLimit);
  Random random(7);
  std::vector<Ref> frames;
  for (int i = 0; i < 4; ++i) frames.push_back(tables.InternFrame("f" + std::to_string(i), "", i, 0));
  for (int round = 0; round < 2000; ++round) {
    std::vector<Ref> path;
    for (uint64_t i = random.Below(40); i != 0; --i) path.push_back(frames[random.Below(frames.size())]);
    std::vector<Ref> one_by_one;
    bool first = random.Below(2) == 0;
    auto each = [&] {
      Ref stack = 0;
      for (Ref frame : path) one_by_one.push_back(stack = tables.InternStack(stack, frame));
    };
    if (first) each();
    std::vector<Ref> stacks(path.size());
    REQUIRE(tables.InternStacks(0, path, stacks.data()) == path.size());
    if (!first) each();
    CHECK(stacks == one_by_one);
  }
}

TEST(TablesNameTheirOwnStacks) {
  ProfileTables tables(kLimit);
  CHECK(TextOf(tables, tables.StackAt(tables.overflow_stack())->key.frame).function_name == "(overflow)");
  CHECK(TextOf(tables, tables.StackAt(tables.unknown_stack())->key.frame).function_name == "(unknown)");
  CHECK(ProfileTables::Process() != nullptr);
  CHECK(ProfileTables::Process() == ProfileTables::Process());
  CHECK_EQ(ProfileTables::Process()->LimitBytes(), ProfileTables::kDefaultLimit);
}

TEST(TablesAreOkOnceTheyHaveRoomForThemselves) {
  bool ok = false;
  for (size_t limit = 0; limit <= ProfileTables::kMinLimit; limit += 500) {
    ProfileTables tables(limit);
    CHECK(tables.ok() >= ok);
    ok = tables.ok();
    CHECK(!ok || tables.BucketFor(tables.overflow_stack(), 1) != 0);
  }
  CHECK(!ProfileTables(0).ok() && ok);
}

TEST(BucketsAreOneAStackSizeClassAndThread) {
  ProfileTables tables(kLimit);
  Ref stack = tables.InternStack(0, tables.InternFrame("f", "", 0, 0));
  Ref other = tables.InternStack(stack, tables.InternFrame("f", "", 0, 0));
  Ref bucket = tables.BucketFor(stack, 1000);
  CHECK_EQ(reinterpret_cast<uintptr_t>(tables.BucketAt(bucket)) % 64, 0);
  CHECK_EQ(tables.BucketAt(bucket)->key.stack, stack);
  CHECK_EQ(tables.BucketFor(stack, SizeClassLimit(SizeClassOf(1000))), bucket);
  CHECK(tables.BucketFor(stack, SizeClassLimit(SizeClassOf(1000)) + 1) != bucket);
  CHECK(tables.BucketFor(other, 1000) != bucket);
  CHECK_EQ(tables.BucketFor(stack, 1000, 0), bucket);
  CHECK(tables.BucketFor(stack, 1000, 1) != bucket);
  CHECK_EQ(tables.BucketFor(stack, 1000, 1), tables.BucketFor(stack, 1000, 1));
  CHECK(tables.BucketFor(stack, 1000, 0, 7) != bucket);
  CHECK(tables.BucketFor(stack, 1000, 0, 7) != tables.BucketFor(stack, 1000, 0, 8));
  CHECK_EQ(tables.BucketAt(tables.BucketFor(stack, 1000, 1, 7))->key.labels, 7);
}

TEST(BucketsAreWalkedNewestFirstWithoutThoseThatNeverCounted) {
  ProfileTables tables(kLimit);
  Ref stack = tables.InternStack(0, tables.InternFrame("f", "", 0, 0));
  for (uint64_t size : {8, 100, 3000}) {
    Ref counted = tables.BucketFor(stack, size);
    tables.BucketFor(tables.unknown_stack(), size);
    tables.BucketAt(counted)->AddAlloc(2, 2 * size);
    tables.BucketAt(counted)->AddFree(2, 2 * size);  // all freed, and still there
  }
  std::vector<uint64_t> sizes;
  tables.ForEachBucket([&](const Bucket& bucket, const Figures& figures) {
    CHECK_EQ(bucket.key.stack, stack);
    CHECK(figures.alloc_objects == 2 && figures.free_objects == 2);
    CHECK_EQ(figures.alloc_bytes, figures.free_bytes);
    sizes.push_back(figures.alloc_bytes / 2);
  });
  CHECK(sizes == std::vector<uint64_t>{3000, 100, 8});
}

TEST(ResetZeroesCountsAndKeepsRefs) {
  ProfileTables tables(kLimit);
  Ref frame = tables.InternFrame("f", "u", 1, 2);
  Ref stack = tables.InternStack(0, frame);
  Ref bucket = tables.BucketFor(stack, 10);
  CHECK(tables.Empty());
  CHECK_EQ(tables.Generation(), 0);
  tables.BucketAt(bucket)->AddAlloc(3, 30);
  tables.BucketAt(bucket)->AddFree(1, 10);
  tables.BucketAt(tables.BucketFor(tables.overflow_stack(), 10))->AddAlloc(1, 10);
  tables.InternCutStack(std::vector<Ref>{frame});
  tables.BucketFor(stack, 2000);  // a newer one that counted nothing
  CHECK(!tables.Empty());
  CHECK_EQ(tables.OverflowAllocs(), 1);

  tables.Reset();
  CHECK(tables.Empty());
  CHECK_EQ(tables.Generation(), 1);
  CHECK_EQ(tables.CutStacks(), 0);
  CHECK_EQ(tables.OverflowAllocs(), 0);
  tables.ForEachBucket([](const Bucket&, const Figures&) { CHECK(false); });
  CHECK_EQ(tables.InternFrame("f", "u", 1, 2), frame);
  CHECK_EQ(tables.InternStack(0, frame), stack);
  CHECK_EQ(tables.BucketFor(stack, 10), bucket);
  Figures zero = tables.BucketAt(bucket)->Read();
  CHECK(zero.alloc_objects == 0 && zero.alloc_bytes == 0 && zero.free_objects == 0 && zero.free_bytes == 0);
  tables.BucketAt(bucket)->AddAlloc(1, 10);
  CHECK(!tables.Empty());
  tables.Reset();
  CHECK_EQ(tables.Generation(), 2);
}

// Every thread interns the same things at the same time, while one walks what is there and reads all of it.
TEST(TablesGiveAllThreadsTheSameRefs) {
  constexpr int kWriters = 3;
  constexpr int kStacks = 300;
  for (int round = 0; round < Scaled(100); ++round) {
    ProfileTables tables(kLimit);
    std::vector<Ref> got[kWriters];
    std::atomic<int> writing{kWriters};
    InParallel(kWriters + 1, [&](int thread) {
      if (thread < kWriters) {
        for (int i = 0; i < kStacks; ++i) {
          std::string name = "function" + std::to_string(i);
          Ref outer = tables.InternStack(0, tables.InternFrame("main", "url", i % 7, 0));
          Ref stack = tables.InternStack(outer, tables.InternFrame(name, name, i, i));
          Ref bucket = tables.BucketFor(stack, i);
          tables.BucketAt(bucket)->AddAlloc(1, i);
          got[thread].insert(got[thread].end(), {outer, stack, bucket});
        }
        --writing;
        return;
      }
      while (writing > 0) {
        tables.ForEachBucket([&](const Bucket& bucket, const Figures& figures) {
          std::vector<Ref> frames = FramesLeafFirst(tables, bucket.key.stack);
          CHECK_EQ(frames.size(), 2);
          int line = tables.FrameAt(frames[0])->key.line;
          Text text = TextOf(tables, frames[0]);
          CHECK(text.function_name == "function" + std::to_string(line) && text.url == text.function_name);
          CHECK(TextOf(tables, frames[1]).function_name == "main");
          CHECK(figures.alloc_objects <= kWriters && figures.alloc_bytes <= figures.alloc_objects * line);
        });
      }
    });
    for (int writer = 1; writer < kWriters; ++writer) CHECK(got[writer] == got[0]);
    uint64_t objects = 0;
    tables.ForEachBucket([&](const Bucket&, const Figures& figures) { objects += figures.alloc_objects; });
    CHECK_EQ(objects, kWriters * kStacks);
  }
}

}  // namespace
}  // namespace memprof
