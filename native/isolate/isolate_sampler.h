// The heap profiler of one isolate. It starts V8's sampler, hooks into the isolate's GCs, and moves the
// samples into the tables around each GC.
//
// Thread safety: an instance is created, used and destroyed on the isolate's thread. Other threads may call
// `clock().published()` and `status()` while they keep the registry from ending the instance.

#ifndef MEMPROF_NATIVE_ISOLATE_ISOLATE_SAMPLER_H_
#define MEMPROF_NATIVE_ISOLATE_ISOLATE_SAMPLER_H_

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
#include "heap/heap_moments.h"
#include "heap/overhead_meter.h"
#include "heap/stack_interner.h"
#include "isolate/doorbell.h"
#include "isolate/explanation.h"
#include "isolate/moment_work.h"
#include "tables/profile_tables.h"

namespace memprof {

enum class SamplerState : uint64_t {
  kStopped = 0,
  kRunning = 1,
  // Somebody else stopped our sampler, and may have started another one. We count nothing until `Start`.
  kDisplaced = 2,
};

// Where V8 takes samples, deeper stacks are cut. The inspector writes a tree of V8's samples by a writer that fails
// beyond some 150 frames, and in Node.js 26, V8 then ends the process.
inline constexpr int kMostV8Depth = 128;

struct SamplerOptions {
  uint64_t sample_interval;  // where V8 takes the samples; the coarsest where we do
  int stack_depth;           // where V8 takes the samples; at most `kMostV8Depth` has an effect
  int direct_depth;          // where we do
  double max_overhead;
  uint64_t max_pause_ns;
  uint32_t thread;          // the thread in the keys of buckets; 0 to share buckets with other threads
  int direct_samples = -1;  // above 0: take samples ourselves, where that proves to be equal to V8's
  int call_sites = -1;      // above 0: with the lines of calls, where we take the samples
};

// All times are in nanoseconds. CPU times are those of the isolate's thread.
struct SamplerStatus {
  SamplerState state = SamplerState::kStopped;
  uint64_t thread_id = 0;
  uint64_t stack_depth = 0;
  uint64_t interval = 0;    // at which samples are taken now
  uint64_t started_ns = 0;  // monotonic: when the current run began; 0 when stopped
  uint64_t ran_ns = 0;      // how long the runs that have ended took together
  uint64_t displaced = 0;   // how many times the sampler was displaced
  uint64_t harvests = 0;
  uint64_t skipped_gcs = 0;
  uint64_t overdue_harvests = 0;  // made without time in the budget, because the last one was too long ago
  uint64_t age_limit_ns = 0;      // the age at which a harvest is overdue
  uint64_t harvest_cpu_ns = 0;    // spent in GC prologues and epilogues
  uint64_t read_cpu_ns = 0;       // spent in harvests that a reader asked for
  uint64_t translate_cpu_ns = 0;  // the part of both that V8 spent on GetAllocationProfile and on deleting it
  uint64_t write_cpu_ns = 0;      // spent in memprof's writers on this thread: source maps, text, proto

  // All the metered work that memprof does on this thread.
  uint64_t own_cpu_ns() const { return harvest_cpu_ns + read_cpu_ns + write_cpu_ns + direct.sampling_ns(); }
  uint64_t last_harvest_ns = 0;   // wall
  uint64_t longest_pause_ns = 0;  // the most CPU time that we spent in the pause of one GC
  uint64_t longest_pause_wall_ns = 0;
  uint64_t as_of_ns = 0;  // monotonic: the moment that the published figures describe
  uint64_t samples_seen = 0;
  uint64_t samples_lost = 0;
  uint64_t samples_imputed = 0;
  uint64_t samples_published = 0;
  uint64_t samples_live = 0;
  uint64_t nodes = 0;                    // nodes of V8's tree whose stacks are known
  uint64_t bytes = 0;                    // memory of this isolate's own maps
  bool is_direct = false;                // we take the samples ourselves now
  const char* direct_problem = nullptr;  // why we do not, although it was wanted
  bool has_calls = false;                // samples get the lines of their calls now
  const char* call_problem = nullptr;    // why they do not, although it was wanted
  DirectFigures direct;
  OverheadMeter meter;
};

class IsolateSampler {
 public:
  // Hooks into the isolate's GCs; samples nothing yet.
  IsolateSampler(v8::Isolate* isolate, ProfileTables* tables);
  // Removes the hooks. REQUIRES: `End` was called, and the isolate is not disposed yet.
  ~IsolateSampler();
  IsolateSampler(const IsolateSampler&) = delete;
  IsolateSampler& operator=(const IsolateSampler&) = delete;

  // Returns false when somebody else samples this isolate. Objects that were live at the last `Stop` count as
  // freed from here on.
  bool Start(SamplerOptions options);
  // Stops our sampler and keeps the figures. A sampler that displaced ours is left alone, with one exception:
  // when the isolate ends and the sampler may be ours after all, it is stopped too. V8 13 and later corrupt
  // the C++ heap when a sampler outlives its isolate.
  void Stop(bool isolate_ends = false);
  // Counts everything that is live as freed. `status()` is final after that. REQUIRES: the sampler is
  // stopped, and the caller holds the registry's lock.
  void End();
  // Brings the published figures up to the last completed GC. REQUIRES: when the sampler is stopped, the
  // caller holds the registry's lock.
  void PrepareRead();
  // The CPU time of this thread without the part that is already metered. To count the time of a stretch of
  // work, read the clock before it and call `CountWriting` with that value after it. Such stretches may be
  // nested: nothing is counted twice.
  uint64_t WritingClock() const { return ThreadCpuNs() - figures_.own_cpu_ns(); }
  // Does nothing while this thread is not profiled, because the time does not slow a profiled program then.
  void CountWriting(uint64_t since);
  // After our sampler was displaced: samples again if nobody else does, or if our sampler was not displaced
  // after all.
  bool Restart();

  // Sets what is called when somebody else stopped our sampler. The callback may run inside a GC, so it must
  // neither allocate nor call into V8.
  void set_on_displaced(std::function<void()> callback) { on_displaced_ = std::move(callback); }
  void set_thread_id(uint64_t id);
  // For tests: treats our sampler as somebody else's, as misleading signs would make us do.
  void MistakeForAnothers() {
    if (state_ == SamplerState::kRunning) LeaveToOthers(false);
    PublishStatus();
  }
  // For tests and benchmarks: every harvest is also written to the recorder, and none is skipped. `nullptr`
  // ends that.
  void set_recorder(std::unique_ptr<HarvestLog> recorder) { recorder_ = std::move(recorder); }

  DirectSampler& direct() { return direct_; }
  ExplanationBox& explanations() { return explanations_; }
  AsyncLabels& labels() { return labels_; }
  v8::Isolate* isolate() const { return isolate_; }
  // Becomes null when the sampler ends.
  const Shared<IsolateSampler*>& self() const { return self_; }
  GcClock& clock() { return clock_; }
  AllocationCounter& allocation_counter() { return allocation_counter_; }
  const std::optional<DoorbellRef>& doorbell() const { return doorbell_; }
  void set_doorbell(const DoorbellRef& doorbell) { doorbell_.emplace(doorbell); }
  HeapLimitDump& heap_limit_dump() { return heap_limit_dump_; }
  BufferSampler& buffers() { return buffers_; }
  // Whether V8 is close to the heap limit, or has reached it since `Start` and was given more. Node.js gives
  // more so that a worker can end.
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

  class CallbackMeter;
  void LookBeforeCollection(v8::GCType type, v8::GCCallbackFlags flags);
  void DoHarvest(Reason reason);
  void LookAtSamples(Reason reason);
  void LookWhoseSamplerRuns();
  void Settle(Reason reason);
  void PublishDirect(bool major);
  // After a collection: whether what is in use now is to be remembered.
  void LookWhetherMomentIsDue(bool major);
  void RememberMoment();
  // Returns the heap of all isolates.
  uint64_t ReportHeap(uint64_t used);
  void MeterSampling(uint64_t now, uint64_t more_ns);
  void CountPause(uint64_t cpu_ns, uint64_t wall_ns);
  void ReadSamples();
  uint64_t ExpectedTaken() const;
  uint64_t ExpectedWork() const;
  // `certain`: there is no doubt that the sampler that runs now is somebody else's.
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
  AsyncLabels labels_;
  BufferSampler buffers_;
  uint64_t heap_limit_ = 0;  // at the last `Start`
  Harvest harvest_;
  StackInterner interner_;
  DirectSampler direct_;
  ExplanationBox explanations_;
  uint64_t reported_heap_ = 0;  // this isolate's part of what HeapMoments knows
  HeapMoment moment_;           // what is known of the last collection
  bool peak_is_due_ = false;
  bool history_is_due_ = false;
  MomentBudget remembering_;
  const Shared<MomentWork> moment_work_ = Shared<MomentWork>::Make();
  // What we have spent in the pause of the current GC.
  uint64_t pause_cpu_ns_ = 0;
  uint64_t pause_wall_ns_ = 0;
  CostBudget budget_;
  SamplerOptions options_{};
  SamplerState state_ = SamplerState::kStopped;
  bool harvesting_ = false;
  bool perhaps_ours_ = false;  // displaced according to signs that may be wrong
  // While `perhaps_ours_`: decides whether the running sampler is ours.
  Continuity continuity_;
  uint64_t look_at_ns_ = 0;    // when to look at it next; a look may cost a full GC
  uint64_t look_wait_ns_ = 0;  // from one look to the next
  CollectionProbe probe_;
  int barren_in_a_row_ = 0;          // harvests that ran a full GC and showed hardly any samples
  uint64_t harvested_at_gc_ = 0;     // how many GCs were completed at the last harvest
  uint64_t harvested_at_alloc_ = 0;  // how many bytes had ever been allocated at the last harvest
  std::function<void()> on_displaced_;
  std::unique_ptr<HarvestLog> recorder_;
  std::optional<DoorbellRef> doorbell_;
  SamplerStatus figures_;
  SeqLock<SamplerStatus> status_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_ISOLATE_SAMPLER_H_
