// A random heap, harvested at random, against what the rules say the tables must hold.

#include <map>
#include <vector>

#include "check.h"
#include "heap/harvest.h"
#include "tables/profile_tables.h"

namespace memprof {
namespace {

using test::Random;
using test::Scaled;

constexpr uint32_t kNodes = 12;

struct Totals {
  uint64_t alloc_objects = 0, alloc_bytes = 0, free_objects = 0, free_bytes = 0;
  bool operator==(const Totals&) const = default;
};

// V8's sampler as a harvest meets it: ids rise by one, and only GCs make samples vanish.
class Heap {
 public:
  struct Sample {
    uint64_t id;
    uint32_t node;
    uint64_t size;
    uint64_t born;         // GCs completed when it was taken
    Ref told = 0;          // the stack harvests were told of, 0: none yet
    bool alive = true;     // else gone in a GC
    bool seen = false;     // by a harvest
    bool counted = false;  // its stack is settled, since it was published
  };

  Heap(uint64_t seed, bool harvest_at_every_gc)
      : random_(seed), every_gc_(harvest_at_every_gc), tables_(ProfileTables::kMinLimit), harvest_(&tables_) {
    for (uint32_t node = 0; node < kNodes; ++node) {
      stacks_[node] = tables_.InternStack(0, tables_.InternFrame("f", "", node, 0));
    }
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      for (uint64_t n = random_.Below(12); n > 0; --n) TakeSample();
      if (random_.OneIn(4)) LookAndCheck();  // a reader asks
      if (random_.OneIn(3)) CollectGarbage();
      if (random_.OneIn(200)) Restart();
    }
    Restart();
  }

 private:
  void TakeSample() {
    uint64_t size = 1 + random_.Below(uint64_t{1} << (3 + random_.Below(10)));
    samples_.push_back({++last_id_, static_cast<uint32_t>(random_.Below(kNodes)), size, completed_});
  }

  void CollectGarbage() {
    if (every_gc_ || random_.OneIn(3)) LookAndCheck();  // in the prologue
    uint64_t survivors = random_.Below(4);              // out of four; young ones fare worse
    for (Sample& sample : samples_) {
      if (random_.Below(4) >= survivors + (sample.born < completed_)) sample.alive = false;
    }
    ++completed_;
  }

  void LookAndCheck() {
    harvest_.Begin();
    for (Sample& sample : samples_) {
      if (!sample.alive) continue;
      Ref shown = random_.OneIn(10) ? 0 : stacks_[sample.node];
      harvest_.See(sample.id, sample.node, sample.size, [&] { return shown; });
      sample.seen = true;
      if (sample.told == 0 && !sample.counted) sample.told = shown;
    }
    CHECK(harvest_.End(completed_));
    if (every_gc_) {
      CheckAsOfLastGc();
    } else {
      CheckPlausible();
    }
    DropWhatIsOver();
  }

  // With a harvest at every GC, exactly: what was taken before the last completed GC is allocated, and what
  // of it is gone is freed; nothing younger is in the profile.
  void CheckAsOfLastGc() {
    std::map<Ref, Totals> expected = over_;
    for (Sample& sample : samples_) {
      if (sample.born == completed_) continue;
      sample.counted = true;
      Add(sample, &expected);
    }
    CHECK(Read() == expected);
    CHECK_EQ(harvest_.counts().seen, seen_before_ + last_id_);
    CHECK_EQ(harvest_.counts().lost, 0);
  }

  // With GCs that were not harvested: in use is nothing but what outlived a GC, gone is what was seen or
  // imputed, and every id is either seen or lost.
  void CheckPlausible() {
    uint64_t outlived = 0, gone = 0, seen = 0, highest = 0;
    for (const Sample& sample : samples_) {
      if (!sample.seen) continue;
      ++seen;
      highest = sample.id;
      outlived += sample.alive && sample.born < completed_;
      gone += !sample.alive;
    }
    Totals all;
    for (const auto& [stack, totals] : Read()) {
      all.alloc_objects += totals.alloc_objects;
      all.free_objects += totals.free_objects;
    }
    CHECK(all.alloc_objects - all.free_objects <= outlived);
    HarvestCounts counts = harvest_.counts();
    CHECK_EQ(all.free_objects, over_count_ + gone + counts.imputed);
    CHECK_EQ(all.alloc_objects, counts.published + counts.imputed);
    CHECK(counts.imputed <= counts.lost);
    CHECK_EQ(harvest_.counts().seen, seen_before_ + over_seen_ + seen);
    if (seen > 0) {
      highest_seen_ = std::max(highest_seen_, highest);
    }
    CHECK_EQ(harvest_.counts().seen - seen_before_ + harvest_.counts().lost - lost_before_, highest_seen_);
  }

  // Keeps the model small: what is gone and was counted changes no more.
  void DropWhatIsOver() {
    std::erase_if(samples_, [&](const Sample& sample) {
      if (sample.alive) return false;
      Add(sample, &over_);
      over_count_ += sample.seen;
      over_seen_ += sample.seen;
      return true;
    });
  }

  // Our own stop and start: V8 forgets all samples and ids begin anew.
  void Restart() {
    LookAndCheck();
    harvest_.Forget();
    for (Sample& sample : samples_) sample.alive = false;
    DropWhatIsOver();
    if (every_gc_) CHECK(Read() == over_);
    for (const auto& [stack, totals] : Read()) {
      CHECK_EQ(totals.alloc_objects, totals.free_objects);
      CHECK_EQ(totals.alloc_bytes, totals.free_bytes);
    }
    CHECK_EQ(harvest_.counts().published, harvest_.counts().seen);
    CHECK_EQ(harvest_.counts().imputed, harvest_.counts().lost);
    CHECK_EQ(harvest_.live(), 0);
    seen_before_ = harvest_.counts().seen;
    lost_before_ = harvest_.counts().lost;
    last_id_ = highest_seen_ = over_seen_ = 0;
  }

  void Add(const Sample& sample, std::map<Ref, Totals>* to) const {
    if (!sample.seen) return;
    Totals& totals = (*to)[sample.told == 0 ? tables_.unknown_stack() : sample.told];
    totals.alloc_objects += 1;
    totals.alloc_bytes += sample.size;
    totals.free_objects += !sample.alive;
    totals.free_bytes += sample.alive ? 0 : sample.size;
  }

  std::map<Ref, Totals> Read() const {
    std::map<Ref, Totals> read;
    tables_.ForEachBucket([&](const Bucket& bucket, const Figures& figures) {
      Totals& totals = read[bucket.key.stack];
      totals.alloc_objects += figures.alloc_objects;
      totals.alloc_bytes += figures.alloc_bytes;
      totals.free_objects += figures.free_objects;
      totals.free_bytes += figures.free_bytes;
    });
    return read;
  }

  Random random_;
  const bool every_gc_;
  ProfileTables tables_;
  Harvest harvest_;
  Ref stacks_[kNodes];
  std::vector<Sample> samples_;
  uint64_t last_id_ = 0;
  uint64_t completed_ = 0;
  std::map<Ref, Totals> over_;  // of samples no longer in `samples_`
  uint64_t over_count_ = 0;     // how many of them harvests saw
  uint64_t over_seen_ = 0;      // the same, since the last restart
  uint64_t highest_seen_ = 0;
  uint64_t seen_before_ = 0, lost_before_ = 0;  // the last restart
};

TEST(HarvestAtEveryGcShowsTheHeapAsOfTheLastCompletedOne) {
  for (int seed = 1; seed <= Scaled(60); ++seed) Heap(seed, true).Run(1000);
}

TEST(HarvestAtSomeGcsShowsNoGarbageAndCountsWhatItLost) {
  for (int seed = 1; seed <= Scaled(60); ++seed) Heap(seed, false).Run(1000);
}

}  // namespace
}  // namespace memprof
