// What the tables do when their memory is used up.

#include <algorithm>
#include <string>
#include <vector>

#include "check.h"
#include "tables/profile_tables.h"

namespace memprof {
namespace {

using test::InParallel;
using test::Random;
using test::Scaled;

constexpr size_t kLimit = ProfileTables::kMinLimit;

class Filler {
 public:
  explicit Filler(ProfileTables* tables, uint64_t seed) : tables_(tables), random_(seed) {
    for (int i = 0; i < 50; ++i) frames_.push_back(tables->InternFrame("f" + std::to_string(i), "", i, 0));
  }

  // Counts an allocation at a random stack of eight frames, as a harvest does.
  void Allocate() {
    std::vector<Ref> path;  // outermost first
    for (int i = 0; i < 8; ++i) path.push_back(frames_[random_.Below(frames_.size())]);
    Ref stack = 0;
    for (Ref frame : path) {
      stack = tables_->InternStack(stack, frame);
      if (stack == 0) break;
    }
    if (stack == 0) {
      ++cut_;
      stack = tables_->InternCutStack(path);
      CheckCut(stack, path);
    }
    uint64_t bytes = 1 + random_.Below(200);
    Ref bucket = tables_->BucketFor(stack, bytes);
    tables_->BucketAt(bucket)->AddAlloc(1, bytes);
    if (tables_->BucketAt(bucket)->key.stack == tables_->overflow_stack()) ++overflowed_;
    ++objects_;
    bytes_ += bytes;
    CHECK(tables_->UsedBytes() <= tables_->LimitBytes());
  }

  uint64_t cut() const { return cut_; }
  uint64_t kept_cut() const { return kept_cut_; }
  uint64_t overflowed() const { return overflowed_; }
  uint64_t objects() const { return objects_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void CheckCut(Ref stack, const std::vector<Ref>& path) {
    if (stack == tables_->overflow_stack()) return;
    ++kept_cut_;
    auto leaf_most = path.rbegin();
    size_t frames = 0;
    for (; frames < ProfileTables::kCutFrames; stack = tables_->StackAt(stack)->key.parent, ++frames) {
      CHECK_EQ(tables_->StackAt(stack)->key.frame, *leaf_most++);
    }
    CHECK_EQ(stack, tables_->truncated_stack());
  }

  ProfileTables* const tables_;
  Random random_;
  std::vector<Ref> frames_;
  uint64_t cut_ = 0, kept_cut_ = 0, overflowed_ = 0, objects_ = 0, bytes_ = 0;
};

Figures Sum(const ProfileTables& tables) {
  Figures sum;
  tables.ForEachBucket([&](const Bucket&, const Figures& figures) {
    sum.alloc_objects += figures.alloc_objects;
    sum.alloc_bytes += figures.alloc_bytes;
  });
  return sum;
}

// Interns ever deeper stacks until there is room for cut ones only.
void FillUpToTheKeptTenth(ProfileTables* tables, Ref frame) {
  for (Ref stack = 0, next; (next = tables->InternStack(stack, frame)) != 0;) stack = next;
}

TEST(StacksLeaveTheLastTenthOfTheLimitToCutOnes) {
  ProfileTables tables(kLimit);
  Ref frame = tables.InternFrame("f", "", 0, 0);
  FillUpToTheKeptTenth(&tables, frame);
  CHECK(tables.UsedBytes() <= kLimit - kLimit / 10);
  CHECK(tables.UsedBytes() > kLimit - kLimit / 10 - 100);
  CHECK(tables.InternCutStack(std::vector<Ref>{frame, frame}) != tables.overflow_stack());
  CHECK_EQ(tables.CutStacks(), 1);
}

TEST(StacksOneUponTheOtherEndWhereThereIsNoRoom) {
  ProfileTables tables(kLimit);
  std::vector<Ref> path(1 << 10, tables.InternFrame("f", "", 1, 1));
  std::vector<Ref> stacks(path.size());
  Ref top = 0;
  size_t found;
  while ((found = tables.InternStacks(top, path, stacks.data())) == path.size()) top = stacks.back();
  REQUIRE(found < path.size());
  top = found == 0 ? top : stacks[found - 1];
  CHECK_EQ(tables.InternStack(top, path[0]), 0u);
  CHECK(tables.StackAt(top)->key.frame == path[0]);
  std::vector<Ref> none = {0};
  CHECK_EQ(tables.InternStacks(0, none, stacks.data()), 0u);
}

TEST(PromotedDeathsOverflowWhenThereIsNoRoom) {
  ProfileTables tables(kLimit);
  Ref frame = tables.InternFrame("f", "", 0, 0);
  Ref early = tables.BucketFor(tables.InternStack(0, frame), 100);
  tables.AddPromotedDeath(early, 100, 7);
  Ref late = tables.BucketFor(tables.InternStack(0, frame), 10'000);
  FillUpToTheKeptTenth(&tables, frame);
  auto objects = [&](Ref bucket) {
    const PromotedDeaths* deaths = tables.PromotedDeathsOf(*tables.BucketAt(bucket));
    return deaths == nullptr ? 0 : deaths->objects.load();
  };
  tables.SetLimit(tables.UsedBytes() + kLimit / 100);
  tables.AddPromotedDeath(late, 10'000, 7);
  tables.AddPromotedDeath(early, 100, 7);
  Ref overflow = tables.BucketFor(tables.overflow_stack(), 1);
  CHECK_EQ(objects(early), 2u);
  CHECK_EQ(objects(late), 0u);
  CHECK_EQ(objects(overflow), 1u);
  tables.SetLimit(tables.UsedBytes());
  tables.AddPromotedDeath(late, 10'000, 7);
  CHECK_EQ(objects(overflow), 2u);
}

TEST(StacksWithAFrameThatFoundNoRoomOverflow) {
  ProfileTables tables(kLimit);
  Ref frame = tables.InternFrame("f", "", 0, 0);
  CHECK_EQ(tables.InternStack(tables.InternStack(0, frame), 0), 0);
  CHECK_EQ(tables.InternCutStack(std::vector<Ref>{frame, 0, frame}), tables.overflow_stack());
  CHECK_EQ(tables.InternCutStack({}), tables.overflow_stack());
  Ref cut =
      tables.InternCutStack(std::vector<Ref>{0, frame, frame, frame, frame});  // not among the last four
  CHECK(cut != 0 && cut != tables.overflow_stack());
  CHECK_EQ(tables.CutStacks(), 3);
}

TEST(OverflowingAllocationsAllCountIntoOneBucket) {
  ProfileTables tables(kLimit);
  for (uint64_t size = 1; size < 1'000'000; size *= 3) {
    tables.BucketAt(tables.BucketFor(tables.overflow_stack(), size))->AddAlloc(1, size);
  }
  CHECK_EQ(tables.OverflowAllocs(), 13);
  int buckets = 0;
  tables.ForEachBucket([&](const Bucket&, const Figures&) { ++buckets; });
  CHECK_EQ(buckets, 1);
}

TEST(BucketsOfWholeStacksLeaveTheLastTenthToThoseOfCutOnes) {
  ProfileTables tables(kLimit);
  std::vector<Ref> frames;
  std::vector<Ref> stacks;  // of one frame, of two, ...
  for (int i = 0; i < 6; ++i) {
    frames.push_back(tables.InternFrame("f", "", i, 0));
    stacks.push_back(tables.InternStack(i == 0 ? 0 : stacks.back(), frames.back()));
  }
  Ref known = tables.BucketFor(stacks[5], 10);
  FillUpToTheKeptTenth(&tables, frames[0]);

  CHECK_EQ(tables.BucketFor(stacks[5], 10), known);
  const Bucket& cut = *tables.BucketAt(tables.BucketFor(stacks[5], 5000));
  CHECK_EQ(cut.key.size_class, SizeClassOf(5000));
  Ref stack = cut.key.stack;
  for (int i = 5; i >= 2; --i, stack = tables.StackAt(stack)->key.parent) {
    REQUIRE(stack != 0);
    CHECK_EQ(tables.StackAt(stack)->key.frame, frames[i]);
  }
  CHECK_EQ(stack, tables.truncated_stack());
  CHECK_EQ(tables.BucketAt(tables.BucketFor(stacks[1], 5000))->key.stack, stacks[1]);  // short enough
  CHECK_EQ(tables.CutStacks(), 0);  // none was: only buckets moved

  Ref overflow = tables.BucketFor(tables.overflow_stack(), 1);
  uint32_t thread = 0;
  while (tables.BucketFor(stacks[5], 5000, thread) != overflow) ++thread;
  CHECK(thread > 1000 && tables.UsedBytes() <= kLimit && tables.UsedBytes() > kLimit - 200);
}

TEST(FullTablesCutStacksThenOverflowAndCountEverything) {
  ProfileTables tables(kLimit);
  Filler filler(&tables, 1);
  while (filler.cut() == 0) filler.Allocate();
  CHECK_EQ(filler.overflowed(), 0);
  while (filler.overflowed() == 0) filler.Allocate();
  CHECK(filler.kept_cut() > 100);
  for (int i = 0; i < 5000; ++i) filler.Allocate();
  CHECK(filler.overflowed() > 4000);

  CHECK_EQ(tables.CutStacks(), filler.cut());
  CHECK_EQ(tables.OverflowAllocs(), filler.overflowed());
  CHECK_EQ(Sum(tables).alloc_objects, filler.objects());
  CHECK_EQ(Sum(tables).alloc_bytes, filler.bytes());
}

TEST(FullTablesStillKnowWhatTheyKnewAndTakeMoreWhenAllowed) {
  ProfileTables tables(kLimit);
  Ref known = tables.InternFrame("known", "url", 1, 2);
  Ref stack = tables.InternStack(0, known);
  Ref bucket = tables.BucketFor(stack, 10);
  Filler filler(&tables, 2);
  while (filler.overflowed() < 1000) filler.Allocate();
  CHECK_EQ(tables.InternFrame("known", "url", 1, 2), known);
  CHECK_EQ(tables.InternStack(0, known), stack);
  CHECK_EQ(tables.BucketFor(stack, 10), bucket);
  std::string long_name(4096, 'x');
  CHECK_EQ(tables.InternFrame(long_name, "", 0, 0), 0);

  tables.SetLimit(2 * kLimit);
  Ref frame = tables.InternFrame(long_name, "", 0, 0);
  CHECK(frame != 0);
  CHECK(tables.InternStack(stack, frame) != 0);
}

TEST(FullTablesCountEverythingUnderThreads) {
  constexpr int kThreads = 3;
  for (int round = 0; round < Scaled(20); ++round) {
    ProfileTables tables(kLimit);
    std::atomic<uint64_t> cut{0}, overflowed{0}, objects{0}, bytes{0};
    InParallel(kThreads, [&](int thread) {
      Filler filler(&tables, round * kThreads + thread);
      while (filler.overflowed() < 1000) filler.Allocate();
      cut += filler.cut();
      overflowed += filler.overflowed();
      objects += filler.objects();
      bytes += filler.bytes();
    });
    CHECK_EQ(tables.CutStacks(), cut.load());
    CHECK_EQ(tables.OverflowAllocs(), overflowed.load());
    CHECK_EQ(Sum(tables).alloc_objects, objects.load());
    CHECK_EQ(Sum(tables).alloc_bytes, bytes.load());
  }
}

TEST(TablesFindAllTheyKnewWhileTheyGrowToALimitThatWasRaised) {
  constexpr size_t kRaised = size_t{256} << 20;
  ProfileTables tables(ProfileTables::kMinLimit);
  // Known before: frames, stacks and buckets, each of which must be found again, once.
  struct Known {
    Ref frame, stack, bucket;
  };
  std::vector<Known> known;
  auto intern = [&](int i) {
    Known each;
    each.frame = tables.InternFrame("f" + std::to_string(i % 500), "a.js", i, i % 7);
    each.stack = tables.InternStack(i % 3 == 0 || known.empty() ? 0 : known[i / 2].stack, each.frame);
    each.bucket = tables.BucketFor(each.stack, 8 + i % 900, i % 2);
    return each;
  };
  auto check = [&](int upto) {
    for (int i = 0; i < upto; ++i) {
      Known again = intern(i);
      CHECK(again.frame == known[i].frame && again.stack == known[i].stack &&
            again.bucket == known[i].bucket);
    }
  };
  for (int i = 0; i < 3'000; ++i) known.push_back(intern(i));
  CHECK_EQ(tables.CutStacks(), 0);
  check(3'000);

  tables.SetLimit(kRaised);
  for (int i = 3'000; i < 20'000; ++i) known.push_back(intern(i));
  size_t buckets = tables.BucketCount();
  check(20'000);
  CHECK_EQ(tables.BucketCount(), buckets);

  size_t used = tables.UsedBytes();
  tables.SetLimit(ProfileTables::kMinLimit);  // nothing is to be had below what is used, and nothing is lost
  check(20'000);
  CHECK(tables.BucketFor(known[0].stack, 77'777, 77) != 0);
  CHECK_EQ(tables.UsedBytes(), used);
}

TEST(TablesThatGrowWhileTheyAreWalkedMissNothing) {
  ProfileTables tables(ProfileTables::kMinLimit);
  Filler filler(&tables, 3);
  for (int i = 0; i < 2000; ++i) filler.Allocate();
  Figures before = Sum(tables);
  std::atomic<bool> done{false};
  InParallel(2, [&](int thread) {
    if (thread == 0) {
      for (uint64_t least = before.alloc_objects; !done;) {
        uint64_t now = Sum(tables).alloc_objects;
        CHECK(now >= least);
        least = now;
      }
    } else {
      for (size_t limit = 2 * kLimit; limit <= 8 * kLimit; limit *= 2) {
        tables.SetLimit(limit);
        for (int i = 0; i < Scaled(8000); ++i) filler.Allocate();
      }
      done = true;
    }
  });
  CHECK_EQ(Sum(tables).alloc_bytes, filler.bytes());
  CHECK_EQ(Sum(tables).alloc_objects, filler.objects());
}

}  // namespace
}  // namespace memprof
