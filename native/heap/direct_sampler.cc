#include "heap/direct_sampler.h"

#include <node_version.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/clocks.h"
#include "base/hash.h"
#include "base/sample_code.h"
#include "heap/function_check.h"
#include "heap/raw_handles.h"
#include "heap/thread_ranges.h"

namespace memprof {

namespace {

// After the proof there is an audit every `kAuditEvery` samples: V8 takes `kAuditSamples` of them too.
constexpr uint64_t kAuditSamples = 8;
constexpr uint64_t kAuditEvery = 4096;
// After an audit, so many GCs are checked for which of its objects died.
constexpr int kDeathChecks = 4;
// Functions may be described for so long, in CPU time, before their samples stay without lines. To find the lines of the
// first function of a script of 9 MB takes 5 to 15 ms.
constexpr uint64_t kDescribingForCallsNs = 20'000'000;
// See `Charge`.
constexpr uint64_t kLongStepNs = 1'000'000;
constexpr size_t kMostTimes = 1 << 20;
constexpr uint64_t kTimedDeaths = 16;
// So long may stacks be looked up in a GC, but at least half of those that wait are, so that they never pile up.
constexpr uint64_t kLongestLookupNs = 500'000;
// The background thread looks stacks up when there are so many, or after so long.
constexpr size_t kManyPaths = 32;
constexpr uint64_t kLongestWaitNs = 500'000'000;

// What reading the clock takes. Of the first and the last reading of a step, about one half each is outside of
// what they measure.
uint64_t TimeOfClock() {
  uint64_t least = ~uint64_t{0};
  uint64_t before = MonotonicNs();
  for (int i = 0; i < 16; ++i) {
    uint64_t now = MonotonicNs();
    least = std::min(least, Elapsed(before, now));
    before = now;
  }
  return least;
}

}  // namespace

DirectSampler::DirectSampler(v8::Isolate* isolate, ProfileTables* tables, const AsyncLabels* labels)
    : isolate_(isolate),
      tables_(tables),
      labels_(labels),
      stacks_(isolate, tables),
      calls_(isolate, tables, &stacks_),
      ledger_(tables),
      interner_(tables) {}

bool DirectSampler::Attach(const DirectOptions& options) {
  sampler_ = nullptr;
  if (hopeless_) return false;
  problem_ = Find(options.interval, options.v8_depth);
  if (problem_ == nullptr) problem_ = HookSampler(sampler_, this);
  if (problem_ != nullptr) return false;
  v8_depth_ = options.v8_depth;
  v8_cuts_more_ = options.v8_depth < options.depth;
  stacks_.Start(layout_, entry_word_, stack_, code_, options.depth, options.v8_depth);
  ledger_.set_thread(options.thread);
  of_v8_ = {options.interval, tables_->IntervalCode(options.interval)};
  drawn_ = of_v8_;
  uint64_t now = MonotonicNs();
  random_ = Mix(now ^ reinterpret_cast<uintptr_t>(this));
  step_began_ns_ = 0;
  clock_ns_ = TimeOfClock();
  steering_.Start(options.max_overhead, of_v8_.interval, now);
  active_ = true;
  v8_boundary_ = compared_up_to_ = LastV8Id();
  audited_.clear();
  death_checks_left_ = kDeathChecks;
  audit_left_ = 0;
  next_audit_ = figures_.steps + kAuditEvery;
  doubt_ = nullptr;
  compare_due_ = false;
  return true;
}

const char* DirectSampler::Find(uint64_t interval, int v8_depth) {
  layout_ = LayoutOf(NODE_MODULE_VERSION);
  if (layout_ == nullptr) return "not known how this build of Node.js keeps its samples";
  SamplerFacts facts{isolate_, interval, v8_depth + 1};
  Found word = FindProfilerWord(*layout_, isolate_->GetHeapProfiler(), facts);
  if (word.at == nullptr) return word.problem;
  profiler_word_ = word.at;
  void* sampler = reinterpret_cast<void*>(*profiler_word_);
  auto v8_function = reinterpret_cast<const void*>(&v8::V8::GetVersion);
  if (const char* problem = CheckSampler(sampler, facts, v8_function)) return problem;
  if (!ReadStackRange(&stack_)) return "the system does not tell the bounds of the thread's stack";
  code_ = ReadCodeRanges(isolate_);
  word = FindEntryWord(*layout_, isolate_, stack_, code_);
  entry_word_ = word.at;
  if (word.problem != nullptr) return word.problem;
  if (const char* problem = CheckFunctions(isolate_, *layout_, *entry_word_, stack_, code_)) return problem;
  sampler_ = sampler;
  return nullptr;
}

void DirectSampler::Detach() {
  Ledger::Work work(&ledger_);
  active_ = false;
  ForgetListener(this);
  EndCalls();
  NameUnknownStacks();
  // From here on we learn of no more deaths, so objects in use now stay in use in the figures. The same
  // happens to V8's samples when its sampler is stopped.
  ledger_.ForEach([](Record* record) { record->handle.Reset(); });
  stacks_.Stop();
  interner_.Clear();
}

bool DirectSampler::StillOurs() const {
  return sampler_ != nullptr && *profiler_word_ == reinterpret_cast<uintptr_t>(sampler_) &&
         IsHooked(sampler_);
}

MEMPROF_SAMPLE_CODE void DirectSampler::OnStep(int bytes, uintptr_t soon, size_t size) {
  if (soon == 0) return StepAsV8(sampler_, bytes, soon, size);
  step_began_ns_ = MonotonicNs();
  sampling_before_ns_ = figures_.sampling_ns();
  Sample(bytes, soon, size);
}

MEMPROF_SAMPLE_CODE void DirectSampler::Sample(int bytes, uintptr_t soon, size_t size) {
  Ledger::Work work(&ledger_);
  uint64_t v8_id = 0;
  bool v8_first = compare_all_ && figures_.steps % 2 == 1;
  if (v8_first) v8_id = AskV8(bytes, soon, size);
  ledger_.set_now(step_began_ns_);
  uint64_t begin = compare_all_ ? MonotonicNs() : 0;
  bool sure = true;
  Record* record = Take(soon, size, &sure);
  if (compare_all_ && !v8_first && times_.size() < kMostTimes) {
    times_.push_back({false, MonotonicNs() - begin});
  }
  if (sure && calls_.active()) {
    Ref stack;
    record->calls = calls_.Collect(record->path, &stack);
    if (record->calls != 0) record->stack = stack;
    figures_.calls = calls_.figures();
  }
  ++figures_.steps;
  if (proved_ && figures_.steps >= next_audit_) {
    audit_left_ = kAuditSamples;
    death_checks_left_ = kDeathChecks;
    next_audit_ = figures_.steps + kAuditEvery;
  }
  if (!v8_first && (!sure || V8StepsToo())) v8_id = AskV8(bytes, soon, size);
  if (v8_id == 0) return;
  record->v8_id = v8_id;
  bool in_place = !sure && proved_ && TakeV8sStack(record);
  if ((!sure && !in_place) || compare_all_) compare_due_ = true;
  if (sure && (audit_left_ != 0 || !proved_)) Verify(record, soon);
  if (audit_left_ != 0) --audit_left_;
}

// V8 asks this after each step, so the step ends here.
MEMPROF_SAMPLE_CODE intptr_t DirectSampler::NextStepSize() {
  intptr_t size = DrawStepSize();
  if (step_began_ns_ == 0) return size;
  uint64_t now = MonotonicNs();
  uint64_t of_others = figures_.sampling_ns() - sampling_before_ns_;
  Charge(Elapsed(of_others, Elapsed(step_began_ns_, now) + clock_ns_), &figures_.step_ns);
  Pay(now, figures_.sampling_ns() - sampling_before_ns_);
  step_began_ns_ = 0;
  return size;
}

MEMPROF_SAMPLE_CODE intptr_t DirectSampler::DrawStepSize() {
  uint32_t interval = proved_ ? steering_.interval(WantedIntervals()) : of_v8_.interval;
  if (interval == of_v8_.interval) {
    drawn_ = of_v8_;
    return NextStepSizeAsV8(sampler_);
  }
  if (interval != drawn_.interval) drawn_ = {interval, tables_->IntervalCode(interval)};
  random_ += kGoldenRatio;
  double uniform = (static_cast<double>(Mix(random_) >> 11) + 0.5) * 0x1p-53;  // in (0, 1)
  double step = -std::log1p(-uniform) * interval;  // not std::log, whose symbol is too new
  // As V8 bounds it.
  return static_cast<intptr_t>(
      std::clamp(step, double{sizeof(void*)}, double{std::numeric_limits<int>::max()}));
}

MEMPROF_SAMPLE_CODE void DirectSampler::Pay(uint64_t now_ns, uint64_t cost_ns) {
  steering_.Pay(now_ns, cost_ns, live(), WantedIntervals());
}

// The time is wall time, and other threads may have had the processor meanwhile. So a sample is charged at
// most `kLongStepNs`, or what the sample before it took, if that is more: a single long sample after a short
// one is taken for an interrupted one.
MEMPROF_SAMPLE_CODE void DirectSampler::Charge(uint64_t took_ns, uint64_t* total) {
  *total += std::min(took_ns, std::max(last_took_ns_, kLongStepNs));
  last_took_ns_ = took_ns;
}

MEMPROF_SAMPLE_CODE DirectSampler::Record* DirectSampler::Take(uintptr_t soon, size_t size, bool* sure) {
  // What is fetched arrives while V8 makes the handle.
  FetchSampleCode();
  stacks_.Fetch();
  Record* record = ledger_.Born(size);
  uintptr_t word = soon | 1;
  record->handle.Reset(isolate_, LocalAt<v8::Value>(&word));
  record->handle.SetWeak(record, OnDead, v8::WeakCallbackType::kParameter);
  SampledStacks::Taken taken = stacks_.Take();
  record->stack = taken.stack;
  record->path = taken.path;
  record->labels = static_cast<uint16_t>(labels_->Current());
  record->interval = drawn_.code;
  *sure = taken.sure;
  if (!taken.sure) ++figures_.unsure;
  return record;
}

// Returns the id of V8's sample.
uint64_t DirectSampler::AskV8(int bytes, uintptr_t soon, size_t size) {
  uint64_t before = LastV8Id();
  uint64_t begin = MonotonicNs();
  StepAsV8(sampler_, bytes, soon, size);
  uint64_t took = MonotonicNs() - begin;
  Charge(took, &figures_.v8_step_ns);
  if (compare_all_ && figures_.steps % 2 == 1 && times_.size() < kMostTimes) times_.push_back({true, took});
  if (LastV8Id() != before + 1) doubt_ = "V8's sampler does not count as it should";
  ++figures_.v8_steps;
  return before + 1;
}

// V8 calls this in the middle of a GC and allows only that the handle is reset. One death of `kTimedDeaths` is
// timed and stands for the others, since the clock takes as long as a death.
void DirectSampler::OnDead(const v8::WeakCallbackInfo<Record>& info) {
  Record* record = info.GetParameter();
  OwnLedger* ledger = static_cast<OwnLedger*>(record->ledger);
  uint64_t begin = ledger->deaths() % kTimedDeaths == 0 ? MonotonicNs() : 0;
  record->handle.Reset();
  ledger->Died(record);
  if (begin == 0) return;
  ledger->dying_ns += kTimedDeaths * std::min(Elapsed(begin, MonotonicNs()), kLongStepNs / kTimedDeaths);
}

bool DirectSampler::Settle(uint64_t until_ns) {
  if (settling_) return true;
  Ledger::Work work(&ledger_);
  settling_ = true;
  if (in_settle_ != nullptr) in_settle_();
  if (doubt_ == nullptr && compare_due_) Compare();
  if (doubt_ == nullptr) ResolveStacks(until_ns);
  if (doubt_ == nullptr && death_checks_left_ > 0 && !compare_all_) {
    --death_checks_left_;
    doubt_ = CompareDeaths();
  }
  if (doubt_ == nullptr && !proved_) v8_boundary_ = LastV8Id();
  settling_ = false;
  if (doubt_ == nullptr) return true;
  Fail(doubt_);
  doubt_ = nullptr;
  return false;
}

void DirectSampler::ResolveStacks(uint64_t until_ns) {
  if (stacks_.AnyToDescribe()) {
    bool all_described = stacks_.Describe(until_ns);
    if (!all_described && calls_.IsUrgent()) DescribeForCalls();
    if (const char* problem = stacks_.CompareNames()) doubt_ = problem;
  }
  ReadCalls(until_ns);
  bool all = until_ns == kNoLimit || stacks_.IsFull();
  bool later = !all && LookUpLater();
  uint64_t stop_at = all ? kNoLimit : MonotonicNs() + kLongestLookupNs;
  size_t left = all ? ledger_.pending() : ledger_.pending() / 2;
  ledger_.ForEachPending([&](Record* record) {
    // What was found for the tickets of `calls_` is forgotten below.
    if (record->calls == 0) {
      if (later) return;
      if (left != 0) {
        --left;
      } else if (MonotonicNs() > stop_at) {
        return;
      }
    }
    if (record->stack == 0) record->stack = StackOf(*record);
  });
  calls_.ForgetResults();
}

// Limits of wall time are over soon where the processor is busy, and what is not described now loses its lines.
void DirectSampler::DescribeForCalls() {
  uint64_t begin = ThreadCpuNs();
  uint64_t used = 0;
  while (used < kDescribingForCallsNs) {
    if (stacks_.Describe(MonotonicNs() + kDescribingForCallsNs - used)) return;
    used = Elapsed(begin, ThreadCpuNs());
  }
}

// Returns false when the stacks must be looked up here: some, if the background thread is not done with the last
// ones, or all, since they can be forgotten only then. To wake that thread takes as long as to look up a few stacks.
bool DirectSampler::LookUpLater() {
  TakeFoundStacks();
  paths_to_find_.clear();
  ledger_.ForEachPending([&](Record* record) {
    if (record->stack == 0 && record->calls == 0 && record->path != 0) paths_to_find_.push_back(record->path);
  });
  uint64_t now = MonotonicNs();
  if (paths_to_find_.size() < kManyPaths && Elapsed(looked_up_at_ns_, now) < kLongestWaitNs) return true;
  looked_up_at_ns_ = now;
  return paths_to_find_.empty() || stacks_.LookUpInBackground(&paths_to_find_);
}

void DirectSampler::TakeFoundStacks() {
  ledger_.ForEachPending([&](Record* record) {
    if (record->stack == 0 && record->calls == 0) record->stack = stacks_.KnownStackOf(record->path);
  });
}

// A reader, who sets no limit, gets all that is known.
void DirectSampler::ReadCalls(uint64_t until_ns) {
  if (!calls_.active()) return;
  if (until_ns == kNoLimit || calls_.IsDue(MonotonicNs(), !stacks_.AnyToDescribe())) calls_.Drain();
  figures_.calls = calls_.figures();
}

void DirectSampler::EndCalls() {
  calls_.Stop();
  figures_.calls = calls_.figures();
  ledger_.ForEachPending([&](Record* record) {
    if (record->stack == 0) record->stack = stacks_.StackOf(record->path);
  });
}

void DirectSampler::Fail(const char* problem) {
  problem_ = problem;
  hopeless_ = true;
  active_ = false;
  if (StillOurs()) {
    // After the proof, all samples that V8 has as well count here. Before it, the samples that were never
    // compared are left to V8.
    if (proved_) v8_boundary_ = LastV8Id();
    UnhookSampler(sampler_);
  }
  ForgetListener(this);
  ledger_.LeaveToV8(v8_boundary_);
  EndCalls();
  NameUnknownStacks();
  stacks_.Stop();
  interner_.Clear();
}

void DirectSampler::Publish() {
  Ledger::Work work(&ledger_);
  uint64_t now = MonotonicNs();
  ledger_.set_now(now);
  uint64_t dying = std::exchange(ledger_.dying_ns, 0);
  figures_.step_ns += dying;
  if (active_) {
    Pay(now, dying);
    TakeFoundStacks();
  }
  // Before the proof, samples that were not compared yet stay pending, because they may still be left to V8.
  ledger_.Publish(active_ && !proved_ ? v8_boundary_ : ~uint64_t{0});
  if (ledger_.pending() == 0) stacks_.Trim();
}

void DirectSampler::PublishLate() { ledger_.PublishLate(active_ && !proved_ ? v8_boundary_ : ~uint64_t{0}); }

void DirectSampler::PublishLookedUp() {
  uint64_t stop_at = MonotonicNs() + kLongestLookupNs;
  ledger_.ForEachPending([&](Record* record) {
    if (record->stack != 0 || record->calls != 0 || MonotonicNs() > stop_at) return;
    record->stack = stacks_.StackOf(record->path);
  });
  Publish();
}

bool DirectSampler::PublishAsOfNow() {
  if (!active_) return true;
  if (ledger_.at_work()) return false;
  ledger_.ForEachPending([&](Record* record) {
    if (record->stack == 0) record->stack = StackOf(*record);
    if (record->stack == 0) record->stack = stacks_.StackOf(record->path);
  });
  NameUnknownStacks();
  Publish();
  return true;
}

void DirectSampler::NameUnknownStacks() {
  ledger_.ForEachPending([&](Record* record) {
    if (record->stack == 0) record->stack = tables_->unknown_stack();
  });
}

std::vector<SampledObject> DirectSampler::ObjectsOf(std::span<const Ref> stacks) {
  std::vector<Ref> wanted(stacks.begin(), stacks.end());
  std::sort(wanted.begin(), wanted.end());
  return ObjectsWhere([&](Ref stack) { return std::binary_search(wanted.begin(), wanted.end(), stack); });
}

std::vector<SampledObject> DirectSampler::AllObjects() {
  return ObjectsWhere([](Ref) { return true; });
}

template <typename F>
std::vector<SampledObject> DirectSampler::ObjectsWhere(F&& wanted) {
  std::vector<SampledObject> objects;
  if (!active_) return objects;
  ledger_.ForEach([&](Record* record) {
    if (record->dead || record->bucket == 0 || record->handle.IsEmpty()) return;
    Ref stack = tables_->BucketAt(record->bucket)->key.stack;
    if (wanted(stack)) objects.push_back({stack, record->size, record->handle.Get(isolate_)});
  });
  return objects;
}

void DirectSampler::Forget() {
  ledger_.Forget();
  v8_boundary_ = 0;
}

}  // namespace memprof
