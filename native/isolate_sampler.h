// The profiler of one isolate: V8's sampler, the GC hooks, and the harvest that goes from one to the other.
//
// Thread safety: made, used and destroyed on the isolate's thread. `clock().Published()` and `status()` may be called
// from any thread that keeps the registry from letting it end.

#ifndef MEMPROF_NATIVE_ISOLATE_SAMPLER_H_
#define MEMPROF_NATIVE_ISOLATE_SAMPLER_H_

#include <v8.h>

#include <cstdint>

#include "gc_clock.h"
#include "harvest.h"
#include "profile_tables.h"
#include "seq_lock.h"
#include "stack_interner.h"

namespace memprof {

enum class SamplerState : uint64_t {
  kStopped = 0,
  kRunning = 1,
  // Somebody else stopped our sampler, and perhaps started one of their own. We count nothing until `Start`.
  kDisplaced = 2,
};

struct SamplerStatus {
  SamplerState state = SamplerState::kStopped;
  uint64_t stack_depth = 0;
  uint64_t harvests = 0;
  uint64_t harvest_ns = 0;  // wall time
  uint64_t max_harvest_ns = 0;
  uint64_t samples_seen = 0;
  uint64_t samples_lost = 0;
  uint64_t samples_published = 0;
  uint64_t samples_live = 0;
  uint64_t nodes = 0;  // of V8's tree, known by their ids
  uint64_t bytes = 0;  // of this isolate's own maps
};

class IsolateSampler {
 public:
  // Hooks into the isolate's GCs; samples nothing yet.
  IsolateSampler(v8::Isolate* isolate, ProfileTables* tables);
  // Counts what is live as freed and leaves the isolate as it was found. Must happen before the isolate is disposed:
  // V8 13 and later crash when a sampler is still running then. REQUIRES: stopped, and the registry's lock.
  ~IsolateSampler();
  IsolateSampler(const IsolateSampler&) = delete;
  IsolateSampler& operator=(const IsolateSampler&) = delete;

  // False when somebody else samples this isolate. What was live at the last `Stop` counts as freed from here on.
  bool Start(uint64_t sample_interval, int stack_depth);
  // Figures stay as they are.
  void Stop();
  // Brings what is published up to the last completed GC. REQUIRES: the registry's lock, when stopped.
  void PrepareRead();

  v8::Isolate* isolate() const { return isolate_; }
  GcClock& clock() { return clock_; }
  SamplerState state() const { return state_; }
  SamplerStatus status() const { return status_.Load(); }

 private:
  static void OnPrologue(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);
  static void OnEpilogue(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);

  void DoHarvest();
  void LeaveToOthers();
  void PublishStatus();
  bool HeapNearlyFull();

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  GcClock clock_;
  Harvest harvest_;
  StackInterner interner_;
  SamplerState state_ = SamplerState::kStopped;
  bool harvesting_ = false;
  uint64_t harvested_at_gc_ = 0;  // GCs completed at the last harvest
  SamplerStatus figures_;
  SeqLock<SamplerStatus> status_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_SAMPLER_H_
