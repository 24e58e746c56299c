#include "heap/call_sites.h"

#include <node_version.h>

#include <algorithm>

#include "base/clocks.h"
#include "heap/cpu_profiler_threads.h"
#include "heap/shown_frames.h"

namespace memprof {

namespace {

// V8's compiler Maglev, which is not built into Node.js before 24. Only x64's instructions are known.
#if defined(__x86_64__)
constexpr bool kHasMaglev = NODE_MAJOR_VERSION >= 24;
#else
constexpr bool kHasMaglev = false;
#endif
constexpr MaglevFormat kMaglev = NODE_MAJOR_VERSION >= 26 ? MaglevFormat{12, true} : MaglevFormat{11, false};

// How often V8's thread wakes up to read what V8 has compiled, and our samples. It also interrupts the
// isolate's thread for a sample of its own then, which we do not use.
constexpr int kProcessorWakesUs = 250'000;
// Samples are read when so many wait, or the first one has waited so long.
constexpr size_t kEnoughWaiting = 256;
constexpr size_t kManyWaiting = CallSites::kMostWaiting * 3 / 4;
constexpr uint64_t kLongWaitUs = 1'000'000;
// How often we look for other CPU profilers, at samples.
constexpr uint64_t kLookEveryNs = 200'000'000;
// The time that may be spent beyond `max_overhead`.
constexpr uint64_t kFreeLinesNs = 100'000'000;
// A longer one was interrupted: the time is wall time.
constexpr uint64_t kLongestSampleNs = 1'000'000;

// V8 is asked for one of so many stacks that are known.
constexpr uint64_t kAskEvery = 64;

constexpr size_t kMostPlaces = 1 << 14;

constexpr const char* kOthers =
    "somebody else's CPU profiler is running in this process, and would get samples that it did not ask for";

}  // namespace

bool CallSites::Start(double max_overhead, const uintptr_t* left_by, const StackRange& stack,
                      const CodeRanges& code) {
  problem_ = nullptr;
  left_by_ = left_by;
  stack_ = stack;
  code_ = code;
  max_overhead_ = max_overhead;
  spent_ns_ = 0;
  started_ns_ = MonotonicNs();
#if NODE_MAJOR_VERSION < 22
  problem_ = "lines of calls need Node.js 22 or later";
  return false;
#else
  {
    CpuProfilerThreads threads(true);
    OtherProfilers others = threads.Look(ThreadNames::kOfAll);
    if (others == OtherProfilers::kSome) problem_ = kOthers;
    if (others == OtherProfilers::kUnknown) {
      problem_ = "it cannot be told whether another CPU profiler is running in this process";
    }
    if (problem_ != nullptr) return false;
  }
  busy_ = true;
  // Eagerly: V8 then knows its code from one profile to the next.
  profiler_ = v8::CpuProfiler::New(isolate_, v8::kDebugNaming, v8::kEagerLogging);
  profiler_->SetSamplingInterval(kProcessorWakesUs);
  bool started = StartProfile();
  busy_ = false;
  figures_.ns += Elapsed(started_ns_, MonotonicNs());
  if (!started) Stop();
  // Where that is not possible, V8 is asked each time.
  if (started) known_.Start(*left_by_, stack_, code_);
  return started;
#endif
}

void CallSites::Stop() {
  if (profiler_ != nullptr) {
    busy_ = true;
    if (thread_ != 0) EndProfile(false);
    profiler_->Dispose();
    profiler_ = nullptr;
    busy_ = false;
  }
  first_ticket_ += static_cast<uint32_t>(results_.size() + waiting_.size());
  figures_.skipped += waiting_.size();
  results_ = std::vector<Ref>();
  waiting_ = std::vector<Waiting>();
  places_.clear();
  known_.Stop();
  ending_ = false;
}

bool CallSites::StartProfile() {
  CpuProfilerThreads threads(true);
  if (threads.Look(ThreadNames::kOfNew) != OtherProfilers::kNone) {
    problem_ = kOthers;
    return false;
  }
  v8::CpuProfilingResult result = profiler_->Start(v8::CpuProfilingOptions(
      v8::kCallerLineNumbers, v8::CpuProfilingOptions::kNoSampleLimit, kProcessorWakesUs));
  if (result.status != v8::CpuProfilingStatus::kStarted) {
    problem_ = "V8's CPU profiler did not start";
    return false;
  }
  profile_ = result.id;
  thread_ = threads.Started();
  looked_ns_ = MonotonicNs();
  if (thread_ != 0) return true;
  problem_ = kOthers;
  if (v8::CpuProfile* profile = profiler_->Stop(profile_)) profile->Delete();
  return false;
}

void CallSites::EndProfile(bool read) {
  v8::CpuProfile* profile;
  {
    CpuProfilerThreads threads(true);
    figures_.ns += CpuNsOfThread(thread_);
    profile = profiler_->Stop(profile_);
    threads.Stopped(thread_);
    thread_ = 0;
  }
  if (profile == nullptr) {
    problem_ = "V8's CPU profiler has lost its profile";
    return;
  }
  if (read) Read(*profile);
  joiner_.ForgetProfile();
  profile->Delete();
}

uint32_t CallSites::Collect(uint32_t path, Ref* stack) {
  *stack = 0;
  if (busy_ || !active()) return 0;
  ++figures_.samples;
  uint64_t begin = MonotonicNs();
  if (Elapsed(looked_ns_, begin) >= kLookEveryNs) LookForOthers(begin);
  begin = MonotonicNs();
  uint32_t ticket = Find(path, begin, stack);
  if (ticket == 0) ticket = AskV8(path, begin);
  // Not CPU time: where the processor is busy, the system takes it away from who asks for that, in the middle of the
  // sample.
  uint64_t took = std::min(Elapsed(begin, MonotonicNs()), kLongestSampleNs);
  spent_ns_ += took;
  figures_.ns += took;
  return ticket;
}

// Returns 0 where V8 must be asked.
uint32_t CallSites::Find(uint32_t path, uint64_t now_ns, Ref* stack) {
  if (!ListCalls(path)) return 0;
  const KnownCalls::Stack& calls = known_.current();
  if (!known_.AllAsked(calls)) return 0;
  if (++found_ % kAskEvery == 0) return 0;
  JoinedStack joined = FindKnown();
  if (joined.stack != 0) {
    Count(joined);
    *stack = joined.stack;
    return kKnown;
  }
  if (ending_ || waiting_.size() >= kMostWaiting) return 0;
  waiting_.push_back({path, now_ns / 1000, now_ns / 1000, LinePlace(), false, calls.calls});
  return LastTicket();
}

// Returns 0 where there will be no lines.
uint32_t CallSites::AskV8(uint32_t path, uint64_t now_ns) {
  double allowed = kFreeLinesNs + max_overhead_ * static_cast<double>(Elapsed(started_ns_, now_ns));
  if (ending_ || waiting_.size() >= kMostWaiting || static_cast<double>(spent_ns_) > allowed) {
    ++figures_.skipped;
    return 0;
  }
  uintptr_t* returns = FindReturn(*left_by_, stack_);
  LinePlace place;
  if (kHasMaglev && returns != nullptr) place = PlaceOf(*returns);
  if (leaf_.function != nullptr && leaf_.offset == 0) place.known = false;
  known_.ListOffsets(*left_by_, stack_, code_, leaf_, &offsets_);
  uint64_t begin = MonotonicNs();
  {
    // V8 walks the stack in this call, and nothing returns to the innermost JavaScript frame meanwhile.
    bool has_line = place.known || place.maybe_loop_at >= 0;
    ReturnsTo moved(place.pc != 0 && has_line ? returns : nullptr, place.pc);
    OffsetsInCalls in_calls(&offsets_);
    v8::CpuProfiler::CollectSample(isolate_);
  }
  uint64_t end = MonotonicNs();
  known_.Ask(known_.current());
  waiting_.push_back({path, begin / 1000, end / 1000, place, true, known_.current().calls});
  return LastTicket();
}

// Returns false where they cannot be told apart.
bool CallSites::ListCalls(uint32_t path) {
  ReadFunctions(path);
  leaf_ = {};
  // Such a frame is not where it is on the stack.
  if (functions_.front() == SampledStacks::kDeoptimising) {
    known_.ForgetCurrent();
    return false;
  }
  if (IsOfScript(functions_.front())) {
    leaf_ = handlers_.Find(*left_by_, stack_, [&](uintptr_t pc) { return known_.IsBuiltin(pc); });
  }
  return known_.Read(*left_by_, stack_, code_, leaf_, functions_,
                     [&](uint32_t id) { return IsOfScript(id); });
}

void CallSites::ReadFunctions(uint32_t path) {
  functions_ = stacks_->paths().FunctionsOf(path);
  std::reverse(functions_.begin(), functions_.end());
}

bool CallSites::IsOfScript(uint32_t id) const {
  const FunctionTable::Info* info = stacks_->InfoOf(id);
  return info != nullptr && info->script_id > 0;
}

// The current stack. Its `stack` is 0 where something of it is not known.
JoinedStack CallSites::FindKnown() {
  KnownCalls::Found found = known_.FindWhole();
  if (found.stack == 0) {
    JoinedStack joined = JoinKnown(known_.current().calls);
    if (joined.stack == 0) return {};
    found = {joined.stack, joined.knows_line};
    known_.LearnWhole(found);
  }
  return {found.stack, found.knows_line};
}

// Makes a stack of `functions_` and what is known of their calls.
JoinedStack CallSites::JoinKnown(std::span<const uint32_t> calls) {
  // What was learned may be wrong. And paths that were forgotten may have given their numbers to others.
  if (!known_.started() || calls.size() != functions_.size()) return {};
  JoinedStack joined;
  bool innermost = true;
  frames_.clear();
  for (size_t i = 0; i < functions_.size(); ++i) {
    if (calls[i] == 0) {
      Ref frame = stacks_->FrameOf(functions_[i]);
      if (frame == 0) return {};
      frames_.push_back(frame);
      continue;
    }
    std::span<const Ref> frames = known_.FramesOf(calls[i]);
    if (frames.empty()) return {};
    if (innermost) joined.knows_line = known_.KnowsLine(calls[i]);
    innermost = false;
    frames_.insert(frames_.end(), frames.begin(), frames.end());
  }
  joined.stack = joiner_.Intern(frames_);
  return joined;
}

// Remembers what V8 has told of the stack's calls.
void CallSites::Learn(std::span<const uint32_t> calls, const JoinedStack& joined) {
  if (joined.stack == 0) return;
  const std::vector<CallJoiner::Part>& parts = joiner_.parts();
  if (parts.size() != calls.size()) return;
  bool innermost = true;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (calls[i] == 0) continue;
    bool knows_line = innermost && joined.knows_line;
    innermost = false;
    if (!parts[i].sure || known_.Learn(calls[i], joiner_.FramesOf(parts[i]), knows_line)) continue;
    // It cannot be told by this what V8 will say.
    known_.Distrust();
    return;
  }
}

LinePlace CallSites::PlaceOf(uintptr_t pc) {
  if (places_.size() >= kMostPlaces) places_.clear();
  auto [place, is_new] = places_.try_emplace(pc);
  if (is_new) place->second = FindLinePlace(pc, code_.code, kMaglev);
  return place->second;
}

void CallSites::LookForOthers(uint64_t now_ns) {
  CpuProfilerThreads threads(false);
  if (!threads.locked()) return;
  looked_ns_ = now_ns;
  if (threads.Look(ThreadNames::kOfNew) != OtherProfilers::kNone) ending_ = true;
  uint64_t took = std::min(Elapsed(now_ns, MonotonicNs()), kLongestSampleNs);
  spent_ns_ += took;
  figures_.ns += took;
}

bool CallSites::IsUrgent() const { return waiting_.size() >= kManyWaiting; }

bool CallSites::IsDue(uint64_t now_ns, bool all_described) const {
  if (ending_) return true;
  if (!all_described) return IsUrgent();
  return !waiting_.empty() &&
         (waiting_.size() >= kEnoughWaiting || now_ns / 1000 >= waiting_.front().end_us + kLongWaitUs);
}

void CallSites::Drain() {
  if (!active() || busy_) return;
  if (waiting_.empty() && !ending_) return;
  busy_ = true;
  uint64_t begin = MonotonicNs();
  uint64_t cpu_begin = ThreadCpuNs();
  EndProfile(true);
  bool goes_on = problem_ == nullptr && !ending_ && StartProfile();
  busy_ = false;
  // The caller counts the CPU time of its thread. The rest is V8's thread, for which we have waited.
  uint64_t cpu = Elapsed(cpu_begin, ThreadCpuNs());
  spent_ns_ += cpu;
  figures_.ns += Elapsed(cpu, Elapsed(begin, MonotonicNs()));
  if (goes_on) return;
  if (problem_ == nullptr) problem_ = kOthers;
  // Keeps what was found.
  std::vector<Ref> results;
  results.swap(results_);
  uint32_t first = first_ticket_;
  Stop();
  results_.swap(results);
  first_ticket_ = first;
}

bool CallSites::Resolve(uint32_t ticket, Ref* stack) const {
  uint32_t index = ticket - first_ticket_;
  *stack = index < results_.size() ? results_[index] : 0;
  return index < results_.size() || index >= results_.size() + waiting_.size();
}

void CallSites::ForgetResults() {
  first_ticket_ += static_cast<uint32_t>(results_.size());
  results_.clear();
}

void CallSites::Count(const JoinedStack& joined) {
  if (joined.stack == 0) {
    ++figures_.unfit;
  } else if (joined.knows_line) {
    ++figures_.with_lines;
  } else {
    ++figures_.unknown;
  }
}

void CallSites::Read(const v8::CpuProfile& profile) {
  std::vector<JoinedStack> found(waiting_.size());
  ReadAnswers(profile, found);
  known_.Answered();
  for (size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& waiting = waiting_[i];
    // Of code that is new, V8's answer may lack a function. What the same calls were in other stacks is as good then.
    bool has_answer = waiting.asked && found[i].stack != 0;
    if (!has_answer && waiting.path <= stacks_->paths().size()) {
      ReadFunctions(waiting.path);
      found[i] = JoinKnown(waiting.calls);
    }
    results_.push_back(found[i].stack);
    Count(found[i]);
  }
  waiting_.clear();
  known_.Trim();
}

bool CallSites::KnowsLeaf(const Waiting& waiting) {
  if (waiting.place.known || waiting.place.maybe_loop_at < 0) return waiting.place.known;
  // As in `Join`.
  if (waiting.path > stacks_->paths().size()) return false;
  ReadFunctions(waiting.path);
  auto leaf = std::find_if(functions_.begin(), functions_.end(), [&](uint32_t id) { return IsOfScript(id); });
  return leaf != functions_.end() && !stacks_->MayBeLoop(*leaf, waiting.place.maybe_loop_at);
}

// The profile has samples that we did not ask for, too.
void CallSites::ReadAnswers(const v8::CpuProfile& profile, std::span<JoinedStack> found) {
  CpuSampleReader reader(&profile);
  size_t next = 0;
  CpuSample sample;
  while (reader.Next(&sample)) {
    while (next < waiting_.size() && (!waiting_[next].asked || waiting_[next].end_us < sample.at_us)) ++next;
    if (next == waiting_.size()) break;
    if (sample.at_us < waiting_[next].begin_us) continue;
    const Waiting& waiting = waiting_[next];
    found[next] = joiner_.Join(waiting.path, sample, {KnowsLeaf(waiting), waiting.place.of_maglev});
    Learn(waiting.calls, found[next]);
    ++next;
  }
  if (reader.broken()) problem_ = "V8's CPU samples are not kept as they should be";
}

}  // namespace memprof
