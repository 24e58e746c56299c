// Takes samples itself, on the clock of V8's sampler: our own walk of the stack, and our own weak handle on
// the object, which tells its death when it happens. Nothing is lost and nothing has to be guessed, and a
// sample costs about a fifth of V8's.
//
// It works on private memory of V8's (v8_layout.h), so it is trusted only as far as it was proved in this
// very isolate: at first every sample is taken by V8, too, and at each safe moment V8's public profile is
// compared with ours, whole: ids, sizes, what is alive, and every frame. When enough have been equal V8's own
// work is left out, but for a few samples now and then, which are compared again. Any difference ends it for
// good, and V8's sampler goes on by itself: it has all samples that were not published from here, and those
// alone.
//
// Thread safety: none; belongs to the isolate's thread. In `OnStep` nothing is allocated on V8's heap.
//
// Invariants:
// (1) Each sample counts once: those that V8 has too, with ids up to `v8_boundary()`, count here.
// (2) Before each use we check that the sampler is still ours: V8's pointer to it, and our vtable in it.
// (3) Without `Attach`, or after it failed, nothing of V8 is touched.

#ifndef MEMPROF_NATIVE_HEAP_DIRECT_SAMPLER_H_
#define MEMPROF_NATIVE_HEAP_DIRECT_SAMPLER_H_

#include <v8.h>

#include <cstdint>
#include <vector>

#include "heap/sample_ledger.h"
#include "heap/sampled_stacks.h"
#include "heap/stack_interner.h"
#include "heap/step_hook.h"
#include "heap/v8_layout.h"
#include "tables/profile_tables.h"

namespace memprof {

struct DirectFigures {
  uint64_t steps = 0;       // samples taken here
  uint64_t step_ns = 0;     // wall time of ours at samples
  uint64_t v8_steps = 0;    // samples that V8 took as well
  uint64_t v8_step_ns = 0;  // and its time for them
  uint64_t compared = 0;    // stacks that were equal to V8's
  uint64_t unsure = 0;      // stacks that we could not walk, and asked V8 for
  uint64_t sampling_ns() const { return step_ns + v8_step_ns; }
  void Add(const DirectFigures& other) {
    steps += other.steps;
    step_ns += other.step_ns;
    v8_steps += other.v8_steps;
    v8_step_ns += other.v8_step_ns;
    compared += other.compared;
    unsure += other.unsure;
  }
};

class DirectSampler final : public StepListener {
 public:
  // So many samples must be equal before V8's own work is left out.
  static constexpr uint64_t kProof = 32;

  DirectSampler(v8::Isolate* isolate, ProfileTables* tables);
  DirectSampler(const DirectSampler&) = delete;
  DirectSampler& operator=(const DirectSampler&) = delete;
  // REQUIRES: `Forget` and `Detach`, before the isolate is disposed.
  ~DirectSampler() = default;

  // REQUIRES: V8's sampler was started just now, by a call from JavaScript. False when it cannot be done:
  // `problem`.
  bool Attach(uint64_t interval, int depth, uint32_t thread);
  // Takes no more samples; what is known stays as it is. V8's sampler may have been stopped before or not; if
  // not, it samples as V8 does.
  void Detach();
  // Whether samples come from here. When not, and there is no problem, nobody attached it.
  bool active() const { return active_; }
  // Why not, or null. Set for the life of the isolate, unless only this start failed.
  const char* problem() const { return problem_; }
  // Whether the comparisons so far allow to leave out V8's own work.
  bool proved() const { return proved_; }

  // Whether the sampler that we attached to last still runs.
  bool StillOurs() const;
  // At a safe moment: describes what was met, and compares with V8 when that is due. False when there is a
  // doubt: then it is not active any more, and V8's samples above `v8_boundary` are the caller's. REQUIRES:
  // active and ours.
  bool Settle();
  // Publishes births and deaths (see SampleLedger). REQUIRES: `Settle` at a safe moment before the
  // collection.
  void Publish();
  // V8 dropped all samples, or the sampler is started anew: everything counts as freed.
  void Forget();
  uint64_t v8_boundary() const { return v8_boundary_; }

  void OnCollected(bool major) { stacks_.OnCollected(major); }
  bool AnyToPublish() const { return active_ || ledger_.pending() + ledger_.live() != 0; }

  // For tests and benchmarks: V8 takes each sample as well, and all are compared.
  void set_compare_all(bool all) {
    compare_all_ = all;
    times_.clear();
  }
  // What samples took since `set_compare_all`.
  struct Time {
    bool of_v8;
    uint64_t ns;
  };
  const std::vector<Time>& times() const { return times_; }

  // For tests: as if a comparison had failed.
  void set_doubt() { doubt_ = "a test doubts them"; }

  const DirectFigures& figures() const { return figures_; }
  uint64_t taken() const { return ledger_.taken(); }
  uint64_t published() const { return ledger_.published(); }
  size_t live() const { return ledger_.live() + ledger_.pending(); }
  size_t bytes() const { return ledger_.bytes() + stacks_.bytes() + interner_.bytes(); }

  void OnStep(int bytes, uintptr_t soon, size_t size) override;
  intptr_t NextStepSize() override { return NextStepSizeAsV8(sampler_); }

 private:
  using Ledger = SampleLedger<v8::Global<v8::Value>>;
  using Record = Ledger::Record;

  static void OnDead(const v8::WeakCallbackInfo<Record>& info);
  const char* Find(uint64_t interval, int depth);
  void Charge(uint64_t took_ns, uint64_t* total);
  Record* Take(uintptr_t soon, size_t size, bool* sure);
  void AskV8(Record* record, int bytes, uintptr_t soon, size_t size);
  void ResolveStacks();
  bool Compare();
  void Fail(const char* problem);
  void NameUnknownStacks();
  uint64_t LastV8Id() const { return static_cast<const uint64_t*>(sampler_)[kLastIdWord]; }
  bool V8StepsToo() const { return !proved_ || compare_all_ || audit_left_ != 0; }

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  SampledStacks stacks_;
  Ledger ledger_;
  StackInterner interner_;  // of V8's tree, while comparing
  const V8Layout* layout_ = nullptr;
  const uintptr_t* profiler_word_ = nullptr;
  const uintptr_t* entry_word_ = nullptr;
  void* sampler_ = nullptr;
  StackRange stack_;
  CodeRanges code_;
  bool active_ = false;
  bool proved_ = false;
  bool hopeless_ = false;  // `problem_` is there to stay
  bool settling_ = false;
  bool compare_all_ = false;
  bool compare_due_ = false;  // V8 took samples since the last comparison
  const char* problem_ = nullptr;
  const char* doubt_ = nullptr;  // found where nothing could be done about it
  uint64_t v8_boundary_ = 0;
  uint64_t audit_left_ = 0;
  uint64_t next_audit_ = 0;  // at which step
  uint64_t last_took_ns_ = 0;
  std::vector<Time> times_;
  DirectFigures figures_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_DIRECT_SAMPLER_H_
