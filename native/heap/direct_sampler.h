// Takes samples itself, at the moments that V8's sampler chooses. We walk the stack ourselves, and hold the
// object with a weak handle of our own, which tells us when the object dies. So no sample is lost, nothing
// has to be guessed, and a sample costs a fraction of what it costs V8.
//
// This works on V8's private memory (see v8_layout.h), so it is trusted only as far as it was proved in this
// very isolate. At first V8 takes every sample too, and each is compared with V8's on the spot: its id, size
// and object, and the function of every frame; at the next safe moment also the functions' names, and which
// objects are alive. When enough samples have been equal, V8's own work is left out, except for a few samples
// now and then, which are compared again. Any difference ends direct sampling in this isolate for good. V8's
// sampler then goes on by itself, and each sample that it has counts either here or there: see (1).
//
// Thread safety: none; belongs to the isolate's thread. `OnStep` allocates nothing on V8's heap.
//
// Invariants:
// (1) Each sample counts once. Of the samples that V8 has too, those with ids up to `v8_boundary()` count
//     here.
// (2) Before each use we check that the sampler is still ours: V8 still points to it, and it still has our
//     vtable.
// (3) Unless `Attach` succeeded, nothing of V8 is touched.

#ifndef MEMPROF_NATIVE_HEAP_DIRECT_SAMPLER_H_
#define MEMPROF_NATIVE_HEAP_DIRECT_SAMPLER_H_

#include <v8.h>

#include <cstdint>
#include <span>
#include <vector>

#include "heap/async_labels.h"
#include "heap/call_sites.h"
#include "heap/interval_steering.h"
#include "heap/sample_ledger.h"
#include "heap/sampled_object.h"
#include "heap/sampled_stacks.h"
#include "heap/stack_interner.h"
#include "heap/step_hook.h"
#include "heap/v8_layout.h"
#include "tables/profile_tables.h"

namespace memprof {

struct DirectFigures {
  uint64_t steps = 0;          // samples taken here
  uint64_t step_ns = 0;        // the wall time that we spent on them
  uint64_t v8_steps = 0;       // samples that V8 took as well
  uint64_t v8_step_ns = 0;     // the wall time that V8 spent on those
  uint64_t compared = 0;       // stacks that were equal to V8's
  uint64_t unsure = 0;         // stacks that we could not walk, so V8 was asked for them
  uint64_t read_in_place = 0;  // of those, the ones that were read where V8 keeps them
  CallSiteFigures calls;
  uint64_t sampling_ns() const { return step_ns + v8_step_ns + calls.ns; }
  void Add(const DirectFigures& other) {
    steps += other.steps;
    step_ns += other.step_ns;
    v8_steps += other.v8_steps;
    v8_step_ns += other.v8_step_ns;
    compared += other.compared;
    unsure += other.unsure;
    read_in_place += other.read_in_place;
    calls.Add(other.calls);
  }
};

struct DirectOptions {
  uint32_t interval;
  int depth;
  int v8_depth;  // at which V8 cuts its stacks; at most `depth`
  uint32_t thread;
  double max_overhead;
};

class DirectSampler final : public StepListener {
 public:
  // This many samples must be equal before V8's own work is left out.
  static constexpr uint64_t kProof = 32;
  static constexpr uint64_t kNoLimit = ~uint64_t{0};

  DirectSampler(v8::Isolate* isolate, ProfileTables* tables, const AsyncLabels* labels);
  DirectSampler(const DirectSampler&) = delete;
  DirectSampler& operator=(const DirectSampler&) = delete;
  // REQUIRES: `Detach` and `Forget` were called, and the isolate is not disposed yet.
  ~DirectSampler() = default;

  // Begins to take samples. Returns false when that is not possible; `problem` then says why. REQUIRES: V8's
  // sampler was started just now, in a call from JavaScript.
  bool Attach(const DirectOptions& options);
  // Asks for the lines of calls as well, from here on. Returns false when that is not possible; `call_problem`
  // then says why. REQUIRES: as `Attach`, which succeeded.
  bool AttachCalls(double max_overhead) {
    bool started = calls_.Start(max_overhead, entry_word_, stack_, code_);
    figures_.calls = calls_.figures();
    return started;
  }
  bool has_calls() const { return calls_.active(); }
  // Why there are no lines of calls although they were wanted; null if there are.
  const char* call_problem() const { return calls_.problem(); }
  // Ends taking samples and keeps what is known. V8's sampler may still be running: it then samples as V8
  // does.
  void Detach();
  // Whether the samples come from here. If they do not and there is no problem, nobody called `Attach`.
  bool active() const { return active_; }
  // Why samples do not come from here, or null. After a comparison has failed, this stays set for the life of
  // the isolate; after a failed `Attach`, only until the next one.
  const char* problem() const { return problem_; }
  // Whether enough samples were equal to V8's, so that V8's own work may be left out.
  bool proved() const { return proved_; }

  // Whether the sampler that we last attached to still runs.
  bool StillOurs() const;
  // The word of V8's heap profiler that points to it. REQUIRES: `StillOurs`.
  uintptr_t* profiler_word() const { return profiler_word_; }
  // Describes the functions met since the last call, until it is `until_ns`, looks up stacks, and compares with
  // V8 what is due. Unless there is no limit, some stacks may be left for the next call. It may allocate on V8's
  // heap, so it must be called at a safe moment. Returns false when there was a difference: direct sampling has
  // ended then, and the caller must count V8's samples with ids above `v8_boundary`. REQUIRES: `active` and
  // `StillOurs`.
  bool Settle(uint64_t until_ns);
  // Publishes births and deaths (see SampleLedger). REQUIRES: `Settle` was called at a safe moment before the
  // GC.
  void Publish();
  // Publishes what `Publish` has left because functions were not described, or stacks not looked up yet.
  void PublishLate();
  // Looks up here and now what the background thread is still to look up, as far as there is time, and publishes it.
  // Does not call V8.
  void PublishLookedUp();
  // Publishes all samples up to now, for a program that dies of its full heap: what was allocated since the
  // last GC counts as in use. It does not call V8, so it may run inside a GC. Returns false when it was called
  // in the middle of our own work: the figures then stay those of the last GC.
  bool PublishAsOfNow();
  // Counts everything as freed, because V8 dropped all its samples or its sampler is started anew.
  void Forget();
  uint64_t v8_boundary() const { return v8_boundary_; }

  void OnCollected(bool major) {
    stacks_.OnCollected(major);
    if (major) calls_.OnCollected();
  }
  // REQUIRES: `Publish` was called after that collection.
  void EndMajorCollection() { ledger_.EndMajorCollection(); }
  bool AnyToPublish() const { return active_ || ledger_.pending() + ledger_.live() != 0; }

  // The sampled objects of these stacks that are alive, as far as they are published. Empty unless `active`.
  // Allocates nothing on V8's heap. REQUIRES: the caller has a HandleScope, and no GC is running.
  std::vector<SampledObject> ObjectsOf(std::span<const Ref> stacks);
  // The same for all stacks.
  std::vector<SampledObject> AllObjects();

  // For tests and benchmarks: when set, V8 takes each sample as well, and all of them are compared.
  void set_compare_all(bool all) {
    compare_all_ = all;
    times_.clear();
  }
  // How long each sample took since `set_compare_all`, by us or by V8. We and V8 take turns at being the
  // first, and only the first one's time is kept: the second one finds the memory in the caches.
  struct Time {
    bool of_v8;
    uint64_t ns;
  };
  const std::vector<Time>& times() const { return times_; }

  // For tests: behaves as if a comparison had failed.
  void set_doubt() { doubt_ = "a test doubts them"; }
  // For tests: `Settle` calls this in the middle of its work.
  void set_in_settle(void (*in_settle)()) { in_settle_ = in_settle; }

  const DirectFigures& figures() const { return figures_; }
  uint64_t taken() const { return ledger_.taken(); }
  uint64_t published() const { return ledger_.published(); }
  size_t live() const { return ledger_.live() + ledger_.pending(); }
  size_t bytes() const { return ledger_.bytes() + stacks_.bytes() + interner_.bytes() + calls_.bytes(); }

  void OnStep(int bytes, uintptr_t soon, size_t size) override;
  intptr_t NextStepSize() override;

  // The interval at which samples are taken now. REQUIRES: `active`.
  uint64_t interval() const { return drawn_.interval; }
  // Counts what was spent on collections and readers, for the choice of the interval.
  void Pay(uint64_t now_ns, uint64_t cost_ns);

 private:
  template <typename F>
  std::vector<SampledObject> ObjectsWhere(F&& wanted);
  using Ledger = SampleLedger<v8::Global<v8::Value>>;
  using Record = Ledger::Record;
  struct OwnLedger : Ledger {
    using Ledger::Ledger;
    uint64_t dying_ns = 0;  // what the deaths since the last `Publish` took
  };

  static void OnDead(const v8::WeakCallbackInfo<Record>& info);
  const char* Find(uint64_t interval, int v8_depth);
  void Charge(uint64_t took_ns, uint64_t* total);
  void Sample(int bytes, uintptr_t soon, size_t size);
  intptr_t DrawStepSize();
  Record* Take(uintptr_t soon, size_t size, bool* sure);
  uint64_t AskV8(int bytes, uintptr_t soon, size_t size);
  void Verify(Record* record, uintptr_t soon);
  const char* CompareSample(const Record& record, uintptr_t soon);
  const char* CompareDeaths();
  void ResolveStacks(uint64_t until_ns);
  void DescribeForCalls();
  bool LookUpLater();
  void TakeFoundStacks();
  bool TakeV8sStack(Record* record);
  void ReadCalls(uint64_t until_ns);
  void EndCalls();
  // 0 as long as it is not known.
  Ref StackOf(const Record& record) {
    Ref stack = 0;
    if (record.calls != 0 && !calls_.Resolve(record.calls, &stack)) return 0;
    return stack != 0 ? stack : stacks_.StackOf(record.path);
  }
  bool Compare();
  void Fail(const char* problem);
  void NameUnknownStacks();
  uint64_t LastV8Id() const { return static_cast<const uint64_t*>(sampler_)[kLastIdWord]; }
  bool V8StepsToo() const { return !proved_ || compare_all_ || audit_left_ != 0; }

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  const AsyncLabels* const labels_;
  SampledStacks stacks_;
  CallSites calls_;
  OwnLedger ledger_;
  StackInterner interner_;  // reads V8's tree for a comparison
  const V8Layout* layout_ = nullptr;
  uintptr_t* profiler_word_ = nullptr;
  const uintptr_t* entry_word_ = nullptr;
  void* sampler_ = nullptr;
  StackRange stack_;
  CodeRanges code_;
  int v8_depth_ = 0;
  bool v8_cuts_more_ = false;  // than we do
  bool active_ = false;
  bool proved_ = false;
  bool hopeless_ = false;  // `Attach` must not try again in this isolate
  bool settling_ = false;
  void (*in_settle_)() = nullptr;
  bool compare_all_ = false;
  bool compare_due_ = false;  // V8's public profile must be read: for stacks that we could not walk, or tests
  const char* problem_ = nullptr;
  const char* doubt_ = nullptr;  // a difference; the end of `Settle` acts on it
  IntervalSteering steering_;
  // The interval that V8's sampler was started with, and the one by which the current step was drawn.
  struct Interval {
    uint32_t interval = 0;
    uint16_t code = 0;  // in the tables
  };
  Interval of_v8_;
  Interval drawn_;
  uint64_t random_ = 0;
  uint64_t v8_boundary_ = 0;
  uint64_t compared_up_to_ = 0;  // V8's ids, with its public profile
  // Records that V8 has too, as long as they are alive, with the ids that they had then.
  struct Audited {
    Record* record;
    uint64_t v8_id;
  };
  std::vector<Audited> audited_;
  std::vector<uint32_t> paths_to_find_;
  uint64_t looked_up_at_ns_ = 0;
  uint64_t verified_ = 0;  // samples that were equal to V8's when they were taken
  int death_checks_left_ = 0;
  uint64_t audit_left_ = 0;  // samples that V8 still takes too in this audit
  uint64_t next_audit_ = 0;  // the step at which the next audit begins
  uint64_t last_took_ns_ = 0;
  uint64_t clock_ns_ = 0;            // what one reading of the clock takes
  uint64_t step_began_ns_ = 0;       // 0: no step is going on
  uint64_t sampling_before_ns_ = 0;  // what was charged before that step
  std::vector<Time> times_;
  DirectFigures figures_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_DIRECT_SAMPLER_H_
