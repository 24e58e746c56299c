// The profiler of one isolate: V8's sampler, the GC hooks, and the harvest that goes from one to the other.
//
// Thread safety: made, used and destroyed on the isolate's thread. `clock().published()` and `status()` may
// be called from any thread that keeps the registry from letting it end.

#ifndef MEMPROF_NATIVE_ISOLATE_SAMPLER_H_
#define MEMPROF_NATIVE_ISOLATE_SAMPLER_H_

#include <v8.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clocks.h"
#include "base/seq_lock.h"
#include "base/shared.h"
#include "buffers/buffer_sampler.h"
#include "dump/heap_limit_dump.h"
#include "gc/gc_clock.h"
#include "heap/allocation_counter.h"
#include "heap/collection_probe.h"
#include "heap/continuity.h"
#include "heap/cost_budget.h"
#include "heap/direct_sampler.h"
#include "heap/harvest.h"
#include "heap/harvest_log.h"
#include "heap/overhead_meter.h"
#include "heap/stack_interner.h"
#include "isolate/doorbell.h"
#include "tables/profile_tables.h"

namespace memprof {

enum class SamplerState : uint64_t {
  kStopped = 0,
  kRunning = 1,
  // Somebody else stopped our sampler, and perhaps started one of their own. We count nothing until `Start`.
  kDisplaced = 2,
};

struct SamplerOptions {
  uint64_t sample_interval;
  int stack_depth;
  double max_overhead;
  uint64_t max_pause_ns;
  uint32_t thread;          // the bucket key's; 0 to share buckets with other threads
  int direct_samples = -1;  // whether we take samples ourselves, where that proves itself
};

// Times in nanoseconds. CPU times are the isolate's thread's.
struct SamplerStatus {
  SamplerState state = SamplerState::kStopped;
  uint64_t thread_id = 0;
  uint64_t stack_depth = 0;
  uint64_t started_ns = 0;  // monotonic, of the running stretch; 0 when stopped
  uint64_t ran_ns = 0;      // in stretches that ended
  uint64_t displaced = 0;   // how often
  uint64_t harvests = 0;
  uint64_t skipped_gcs = 0;
  uint64_t overdue_harvests = 0;  // made though there was no time, as the last one was too long ago
  uint64_t age_limit_ns = 0;      // the age at which a harvest is overdue
  uint64_t harvest_cpu_ns = 0;    // in GC prologues
  uint64_t read_cpu_ns = 0;       // in harvests that a reader asked for
  uint64_t translate_cpu_ns = 0;  // of both, in V8: GetAllocationProfile and its end
  uint64_t write_cpu_ns = 0;      // in memprof's writers on this thread: source maps, text, proto

  // All that is metered of what memprof does on this thread.
  uint64_t own_cpu_ns() const { return harvest_cpu_ns + read_cpu_ns + write_cpu_ns + direct.sampling_ns(); }
  uint64_t last_harvest_ns = 0;  // wall
  uint64_t max_harvest_ns = 0;   // wall
  uint64_t as_of_ns = 0;         // monotonic: what is published describes this moment
  uint64_t samples_seen = 0;
  uint64_t samples_lost = 0;
  uint64_t samples_imputed = 0;
  uint64_t samples_published = 0;
  uint64_t samples_live = 0;
  uint64_t nodes = 0;  // of V8's tree, known by their ids
  uint64_t bytes = 0;  // of this isolate's own maps
  // Samples that we take ourselves: whether that is done now, why it is not although it was wanted, and its
  // work.
  bool is_direct = false;
  const char* direct_problem = nullptr;
  DirectFigures direct;
  OverheadMeter meter;
};

class IsolateSampler {
 public:
  // Hooks into the isolate's GCs; samples nothing yet.
  IsolateSampler(v8::Isolate* isolate, ProfileTables* tables);
  // Takes the hooks away. Must happen before the isolate is disposed. REQUIRES: `End`.
  ~IsolateSampler();
  IsolateSampler(const IsolateSampler&) = delete;
  IsolateSampler& operator=(const IsolateSampler&) = delete;

  // False when somebody else samples this isolate. What was live at the last `Stop` counts as freed from here
  // on.
  bool Start(const SamplerOptions& options);
  // Figures stay as they are. A sampler that displaced ours is left alone. But when it may be ours after all,
  // it must not outlive the isolate: V8 13 and later corrupt the C++ heap when it does.
  void Stop(bool isolate_ends = false);
  // Counts what is live as freed: `status()` is final. REQUIRES: stopped, and the registry's lock.
  void End();
  // Brings what is published up to the last completed GC. REQUIRES: the registry's lock, when stopped.
  void PrepareRead();
  // CPU time of this thread, without what is metered already: `CountWriting` of an earlier one counts what
  // came between. May be nested: nothing is counted twice.
  uint64_t WritingClock() const { return ThreadCpuNs() - figures_.own_cpu_ns(); }
  // Does nothing while this thread is not profiled: then the time is not taken from what is watched.
  void CountWriting(uint64_t since);
  // After having been displaced: samples again if nobody else does, or if it was not displaced after all.
  bool Restart();

  // Called, perhaps inside a GC, when somebody else stopped our sampler: must neither allocate nor call into
  // V8.
  void set_on_displaced(std::function<void()> callback) { on_displaced_ = std::move(callback); }
  void set_thread_id(uint64_t id);
  // For tests: takes our sampler for another's, as signs that deceive would.
  void MistakeForAnothers() {
    if (state_ == SamplerState::kRunning) LeaveToOthers(false);
    PublishStatus();
  }
  // For tests and benchmarks: every harvest goes to the recorder as well, and none is skipped. `nullptr` ends
  // it.
  void set_recorder(std::unique_ptr<HarvestLog> recorder) { recorder_ = std::move(recorder); }

  DirectSampler& direct() { return direct_; }
  v8::Isolate* isolate() const { return isolate_; }
  // Becomes null when the sampler ends.
  const Shared<IsolateSampler*>& self() const { return self_; }
  GcClock& clock() { return clock_; }
  AllocationCounter& allocation_counter() { return allocation_counter_; }
  const std::optional<DoorbellRef>& doorbell() const { return doorbell_; }
  void set_doorbell(const DoorbellRef& doorbell) { doorbell_.emplace(doorbell); }
  HeapLimitDump& heap_limit_dump() { return heap_limit_dump_; }
  BufferSampler& buffers() { return buffers_; }
  // Whether V8 has come to the limit since `Start` and was given some more, as Node does to let a worker end,
  // or is close to it.
  bool RanOutOfHeap();
  uint32_t thread_label() const { return options_.thread; }
  // 0 before the first `Start`.
  double max_overhead() const { return options_.max_overhead; }
  SamplerState state() const { return state_; }
  SamplerStatus status() const { return status_.Load(); }

 private:
  enum class Reason { kPrologue, kForcedGc, kRead };

  static void OnPrologue(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);
  static void OnEpilogue(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);

  void DoHarvest(Reason reason);
  void LookAtSamples(Reason reason);
  void LookWhoseSamplerRuns();
  void Settle(Reason reason);
  void PublishDirect(bool major);
  void MeterSampling(uint64_t now, uint64_t more_ns);
  void ReadSamples();
  uint64_t ExpectedTaken() const;
  uint64_t ExpectedWork() const;
  // `certain` that the sampler that runs now is theirs.
  void LeaveToOthers(bool certain);
  bool TurnsOutToBeOurs();
  void PublishStatus();
  uint64_t HeapUsed();
  bool HeapNearlyFull();

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  const Shared<IsolateSampler*> self_ = Shared<IsolateSampler*>::Make(this);
  GcClock clock_;
  AllocationCounter allocation_counter_;
  HeapLimitDump heap_limit_dump_;
  BufferSampler buffers_;
  uint64_t heap_limit_ = 0;  // when it was started
  Harvest harvest_;
  StackInterner interner_;
  DirectSampler direct_;
  CostBudget budget_;
  SamplerOptions options_{};
  SamplerState state_ = SamplerState::kStopped;
  bool harvesting_ = false;
  bool perhaps_ours_ = false;  // displaced, by signs that could deceive
  // If so: whether it is, and when to look, which may cost a full GC.
  Continuity continuity_;
  uint64_t look_at_ns_ = 0;
  uint64_t look_wait_ns_ = 0;
  CollectionProbe probe_;
  int barren_in_a_row_ = 0;          // harvests that ran a GC and showed next to no samples
  uint64_t harvested_at_gc_ = 0;     // GCs completed at the last harvest
  uint64_t harvested_at_alloc_ = 0;  // bytes ever allocated at the last harvest
  std::function<void()> on_displaced_;
  std::unique_ptr<HarvestLog> recorder_;
  std::optional<DoorbellRef> doorbell_;
  SamplerStatus figures_;
  SeqLock<SamplerStatus> status_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_SAMPLER_H_
