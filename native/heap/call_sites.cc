#include "heap/call_sites.h"

#include <node_version.h>

#include <algorithm>
#include <unordered_map>

#include "base/clocks.h"
#include "base/hash.h"
#include "heap/cpu_profiler_threads.h"

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
constexpr uint64_t kFreeNs = 100'000'000;
// A longer one was interrupted: the time is wall time.
constexpr uint64_t kLongSampleNs = 1'000'000;

constexpr size_t kMostPlaces = 1 << 14;

constexpr const char* kOthers =
    "somebody else's CPU profiler is running in this process, and would get samples that it did not ask for";

struct Sight {
  const v8::CpuProfileNode* node;
  int line;
  int column;
  uint32_t path;
  bool leaf_known;
  bool operator==(const Sight&) const = default;
};
struct SightHash {
  size_t operator()(const Sight& sight) const {
    uint64_t place = uint64_t{static_cast<uint32_t>(sight.line)} << 32 | static_cast<uint32_t>(sight.column);
    return Combine(Combine(reinterpret_cast<uintptr_t>(sight.node), place), sight.path);
  }
};

// Changes where a frame goes on, as long as this object exists, to another place in the same code. Whoever looks at the
// stack meanwhile, such as a signal's handler, finds a place that is as good.
class ReturnsTo {
 public:
  ReturnsTo(uintptr_t* returns, uintptr_t pc)
      : returns_(returns), before_(returns == nullptr ? 0 : *returns) {
    if (returns_ != nullptr) *static_cast<volatile uintptr_t*>(returns_) = pc;
  }
  ~ReturnsTo() {
    if (returns_ != nullptr) *static_cast<volatile uintptr_t*>(returns_) = before_;
  }
  ReturnsTo(const ReturnsTo&) = delete;
  ReturnsTo& operator=(const ReturnsTo&) = delete;

 private:
  uintptr_t* const returns_;
  const uintptr_t before_;
};

}  // namespace

bool CallSites::Start(double max_overhead) {
  problem_ = nullptr;
  max_overhead_ = max_overhead;
  spent_ns_ = 0;
  started_ns_ = MonotonicNs();
#if NODE_MAJOR_VERSION < 22
  problem_ = "lines of calls need Node.js 22 or later";
  return false;
#else
  {
    CpuProfilerThreads threads(true);
    OtherProfilers others = threads.Look();
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
  ending_ = false;
}

bool CallSites::StartProfile() {
  CpuProfilerThreads threads(true);
  if (threads.Look() != OtherProfilers::kNone) {
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

uint32_t CallSites::Collect(uint32_t path, uintptr_t* returns, const CodeRanges& code) {
  if (busy_ || !active()) return 0;
  ++figures_.samples;
  uint64_t begin = MonotonicNs();
  if (Elapsed(looked_ns_, begin) >= kLookEveryNs) LookForOthers(begin);
  double allowed = kFreeNs + max_overhead_ * static_cast<double>(Elapsed(started_ns_, begin));
  if (ending_ || waiting_.size() >= kMostWaiting || static_cast<double>(spent_ns_) > allowed) {
    ++figures_.skipped;
    return 0;
  }
  begin = MonotonicNs();
  LinePlace place;
  if (kHasMaglev && returns != nullptr) place = PlaceOf(*returns, code);
  {
    // V8 walks the stack in this call, and nothing returns to the innermost JavaScript frame meanwhile.
    ReturnsTo moved(place.pc != 0 && place.known ? returns : nullptr, place.pc);
    v8::CpuProfiler::CollectSample(isolate_);
  }
  uint64_t end = MonotonicNs();
  waiting_.push_back({path, begin / 1000, end / 1000, place.known});
  uint64_t took = std::min(Elapsed(begin, end), kLongSampleNs);
  spent_ns_ += took;
  figures_.ns += took;
  return first_ticket_ + static_cast<uint32_t>(results_.size() + waiting_.size() - 1);
}

LinePlace CallSites::PlaceOf(uintptr_t pc, const CodeRanges& code) {
  if (places_.size() >= kMostPlaces) places_.clear();
  auto [place, is_new] = places_.try_emplace(pc);
  if (is_new) place->second = FindLinePlace(pc, code.code, kMaglev);
  return place->second;
}

void CallSites::LookForOthers(uint64_t now_ns) {
  CpuProfilerThreads threads(false);
  if (!threads.locked()) return;
  looked_ns_ = now_ns;
  if (threads.Look() != OtherProfilers::kNone) ending_ = true;
  uint64_t took = std::min(Elapsed(now_ns, MonotonicNs()), kLongSampleNs);
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
  uint64_t took = Elapsed(begin, MonotonicNs());
  spent_ns_ += took;
  // The caller counts the CPU time of its thread. The rest is V8's thread, for which we have waited.
  figures_.ns += Elapsed(Elapsed(cpu_begin, ThreadCpuNs()), took);
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

void CallSites::Give(const JoinedStack& joined) {
  results_.push_back(joined.stack);
  if (joined.stack == 0) {
    ++figures_.unfit;
  } else if (joined.knows_line) {
    ++figures_.with_lines;
  } else {
    ++figures_.unknown;
  }
}

// The profile has samples that we did not ask for, too.
void CallSites::Read(const v8::CpuProfile& profile) {
  CpuSampleReader reader(&profile);
  std::unordered_map<Sight, JoinedStack, SightHash> joined;
  size_t next = 0;
  CpuSample sample;
  while (next < waiting_.size() && reader.Next(&sample)) {
    for (; next < waiting_.size() && waiting_[next].end_us < sample.at_us; ++next) Give({});
    if (next == waiting_.size() || sample.at_us < waiting_[next].begin_us) continue;
    const auto& [path, begin_us, end_us, leaf_known] = waiting_[next++];
    auto [known, is_new] = joined.try_emplace({sample.node, sample.line, sample.column, path, leaf_known});
    if (is_new) known->second = joiner_.Join(path, sample, leaf_known);
    Give(known->second);
  }
  if (reader.broken()) problem_ = "V8's CPU samples are not kept as they should be";
  for (; next < waiting_.size(); ++next) Give({});
  waiting_.clear();
}

}  // namespace memprof
