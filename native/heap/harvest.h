// Turns what V8's sampler shows of one isolate into allocations and frees in the tables. A harvest is one
// reading of all samples that V8 holds.
//
// Thread safety: none; belongs to one isolate's thread. Only the tables that it writes to are shared.
//
// Rules of publication (Go's, in V8's terms): a profile shows the heap as of the last completed GC.
// (1) A published sample that is gone was freed.
// (2) A new sample is pending until it is known to have outlived a GC. That is known when it was already
//     pending at a harvest before the last completed GC, or when samples taken after it are gone (there is a
//     gap in the ids above it). A sample that goes while it is pending is published together with its free.
// (3) Samples lost between two harvests are imputed to the stacks of similar ones (see imputer.h).
// (4) As long as nothing was published, a reader may ask for all pending samples (`PublishPending`).
//
// Invariants:
// (1) seen == published + pending, and lost == imputed + those that wait for donors.
// (2) Every sample that V8 shows is in `live_` once, with the bucket that its allocation was counted in, or
//     with none while it is pending.
// (3) A sample's free is counted in the bucket of its allocation.

#ifndef MEMPROF_NATIVE_HEAP_HARVEST_H_
#define MEMPROF_NATIVE_HEAP_HARVEST_H_

#include <cstdint>
#include <vector>

#include "base/sweep_map.h"
#include "heap/imputer.h"
#include "tables/profile_tables.h"

namespace memprof {

struct HarvestCounts {
  uint64_t seen = 0;       // samples that were seen, each counted once
  uint64_t lost = 0;       // samples V8 took and dropped between two harvests, by the gaps in the ids
  uint64_t published = 0;  // seen samples whose allocation is in the tables
  uint64_t imputed = 0;    // lost samples whose allocation and free are in the tables
};

// What is known of a harvest besides its samples.
struct HarvestMoment {
  uint64_t completed_gcs;                       // of this isolate, so far
  uint64_t expected_taken = ~uint64_t{0} >> 4;  // samples since the last harvest, by what was allocated
  bool collected = false;                       // there was a full GC while V8 was asked
};

class Harvest {
 public:
  explicit Harvest(ProfileTables* tables, uint64_t seed = 0)
      : tables_(tables), generation_(tables->Generation()), imputer_(tables, seed) {}

  // Sets the thread of the buckets for later allocations; 0 for the buckets that all threads share.
  void set_thread(uint32_t thread) { thread_ = thread; }
  // Sets the tables' code of the interval at which later samples are taken.
  void set_interval(uint16_t interval) { interval_ = interval; }

  // One harvest: Begin, See for every sample in any order, End.
  void Begin() {
    foreign_ = false;
    known_seen_ = 0;
    published_seen_ = 0;
  }
  // `stack_of()` is called only for samples whose stack is not known yet. It is 0 when the sample's node was
  // not in the tree that came with it.
  template <typename F>
  void See(uint64_t id, uint32_t node, uint64_t size, F&& stack_of) {
    if (id <= begins_after_) return;
    if (id > last_id_) {
      fresh_.push_back({id, Sample{size, 0, node, stack_of(), 0}});
      return;
    }
    Sample* known = live_.Touch(id);
    if (known == nullptr || known->node != node || known->size != size) {
      foreign_ = true;
      return;
    }
    ++known_seen_;
    if (known->bucket != 0) ++published_seen_;
    if (known->stack == 0) known->stack = stack_of();
  }
  // False when the ids do not continue those seen before, because somebody stopped and started the sampler
  // meanwhile. Nothing was published or freed then, and the caller must call `Forget`.
  bool End(const HarvestMoment& moment);
  // Whether the restart is certain, because an id contradicts those seen before; otherwise it is only likely.
  // REQUIRES: `End` returned false.
  bool contradicted() const { return foreign_; }
  bool End(uint64_t completed_gcs) { return End(HarvestMoment{completed_gcs}); }

  // After a reset of the tables, `PublishPending` and `Forget` only drop what was known before it.

  // Publishes what is pending, as if it had outlived a GC.
  void PublishPending();
  // Imputes what was lost to the donors known so far, because no more will come or a reader wants the totals.
  void FlushLost() { imputer_.Flush(); }
  // Ignores samples with ids up to `id`: they are not ours. REQUIRES: nothing was seen since `Forget`.
  void BeginAfter(uint64_t id) { last_id_ = begins_after_ = id; }
  // Frees everything, since V8 dropped all samples, and expects ids to begin anew.
  void Forget();

  uint64_t last_id() const { return last_id_; }
  size_t live() const { return live_.size(); }
  size_t bytes() const {
    return live_.bytes() + fresh_.capacity() * sizeof(Fresh) + donors_.capacity() * sizeof(Imputer::Donor) +
           imputer_.bytes();
  }
  HarvestCounts counts() const {
    HarvestCounts counts = counts_;
    counts.imputed = imputer_.imputed();
    return counts;
  }

 private:
  struct Sample {
    uint64_t size = 0;
    uint64_t pending_since = 0;  // GCs completed when it was first seen
    uint32_t node = 0;
    Ref stack = 0;
    Ref bucket = 0;  // 0 while pending
  };
  struct Fresh {
    uint64_t id;
    Sample sample;
  };

  bool BeganAnew(const HarvestMoment& moment) const;
  // Fewer samples may all die by chance.
  static constexpr size_t kTellingSamples = 4;

  bool NoneIsLeft() const { return live_.size() >= kTellingSamples && known_seen_ == 0; }
  bool FewAreLeft() const {
    return NoneIsLeft() || (published_live_ >= kTellingSamples && published_seen_ < published_live_ / 2);
  }
  void DropWhatWasReset();
  void Publish(Sample& sample);
  void Free(Sample& sample);
  // Takes the fresh samples into `live_`, and returns how many samples were lost since the harvest before.
  // REQUIRES: comes before the sweep, or the new entries would count as seen in the next round, too.
  uint64_t TakeFresh(uint64_t completed_gcs);

  ProfileTables* const tables_;
  SweepMap<Sample> live_;
  std::vector<Fresh> fresh_;  // of the running harvest
  uint64_t last_id_ = 0;
  uint64_t begins_after_ = 0;
  uint64_t top_run_ = 0;  // first of the consecutive ids that end at the highest one
  uint64_t generation_;   // of the tables, that our buckets' counts belong to
  bool foreign_ = false;
  bool unsure_ = false;          // the last harvest may have been of a sampler that began anew
  uint64_t expected_taken_ = 0;  // since the last harvest that was sure
  size_t known_seen_ = 0;        // of the running harvest: samples that were there before
  size_t published_seen_ = 0;    // of these, published ones
  size_t published_live_ = 0;    // in `live_`
  uint32_t thread_ = 0;
  uint16_t interval_ = 0;
  Imputer imputer_;
  std::vector<Imputer::Donor> donors_;  // of the running harvest: samples that were pending and are gone
  HarvestCounts counts_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_HARVEST_H_
