// Knows the lines of the calls on a sampled stack, and the functions that were inlined into it. V8's CPU
// profiler is asked for one sample of its own at each sample of the heap. Now and then its profile is read and
// started anew, and the samples of the two are joined by their times.
//
// The CPU profiler tells nothing of code that was optimised before it started, and it works on a thread of its
// own. Its samples go to every running CPU profile of the isolate, so nothing is asked while somebody else has
// one in this process.
//
// Thread safety: none; belongs to one isolate's thread. `Collect` allocates nothing on V8's heap, and may be
// called while V8 samples.
//
// Invariants:
// (1) A sample's functions are those that our own walk has found. Where V8's CPU sample does not fit, the stack
//     stays as it was, and that is counted.
// (2) At most `kMostWaiting` samples wait to be read.
// (3) All time counts in `figures`, that of V8's thread too.

#ifndef MEMPROF_NATIVE_HEAP_CALL_SITES_H_
#define MEMPROF_NATIVE_HEAP_CALL_SITES_H_

#include <node_version.h>
#include <v8-profiler.h>
#include <v8.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "heap/call_joiner.h"
#include "heap/interpreted_frames.h"
#include "heap/known_calls.h"
#include "heap/maglev_lines.h"
#include "heap/sampled_stacks.h"
#include "heap/shown_frames.h"
#include "heap/v8_layout.h"
#include "tables/profile_tables.h"

namespace memprof {

struct CallSiteFigures {
  uint64_t samples = 0;     // of the heap, while lines were asked for
  uint64_t with_lines = 0;  // of them
  uint64_t skipped = 0;     // V8 was not asked, because that had taken too long or too many were waiting
  uint64_t unfit = 0;       // V8's CPU sample was missing, or had other functions
  uint64_t unknown = 0;     // V8 did not know the line, as of code that was compiled before
  uint64_t ns = 0;          // the time that all of this took
  void Add(const CallSiteFigures& other) {
    samples += other.samples;
    with_lines += other.with_lines;
    skipped += other.skipped;
    unfit += other.unfit;
    unknown += other.unknown;
    ns += other.ns;
  }
};

class CallSites {
 public:
  // V8 holds two kilobytes for each.
  static constexpr size_t kMostWaiting = 1024;
  // The ticket of a stack that is known.
  static constexpr uint32_t kKnown = ~uint32_t{0};

  CallSites(v8::Isolate* isolate, ProfileTables* tables, SampledStacks* stacks)
      : isolate_(isolate), stacks_(stacks), joiner_(tables, stacks) {}
  CallSites(const CallSites&) = delete;
  CallSites& operator=(const CallSites&) = delete;
  // REQUIRES: `Stop` was called.
  ~CallSites() = default;

  // Returns false when that is not possible; `problem` then says why. `left_by` is the isolate's word that
  // FindEntryWord found. REQUIRES: called from JavaScript, and where it may run.
  bool Start(double max_overhead, const uintptr_t* left_by, const StackRange& stack, const CodeRanges& code);
  // What is waiting stays without lines.
  void Stop();
  bool active() const { return profiler_ != nullptr; }
  // Why no lines are known, although they were wanted; null if they are.
  const char* problem() const { return problem_; }

  // Looks for the lines of the current stack, which our own walk has named `path`. Returns a ticket, and sets `stack`
  // if it is known already; if it is 0, that is a ticket for `Resolve`. Returns 0 where there will be no lines.
  uint32_t Collect(uint32_t path, Ref* stack);

  // Whether it is time for `Drain`. Where some functions of the stacks are not described yet, it is worth waiting
  // for them.
  bool IsDue(uint64_t now_ns, bool all_described) const;
  // Whether `Drain` must not be put off, although a sample with a function that is not described stays without
  // lines.
  bool IsUrgent() const;
  // Finds the stacks of all waiting samples. REQUIRES: called at a safe moment, and functions of the stacks are
  // described as far as possible.
  void Drain();
  // Returns false as long as the ticket waits. Sets `stack` to 0 where nothing is known.
  bool Resolve(uint32_t ticket, Ref* stack) const;
  // Forgets what was found. REQUIRES: `Resolve` was called for all tickets that did not wait.
  void ForgetResults();

  // Must be called after each major GC, because it may have moved code.
  void OnCollected() {
    places_.clear();
    known_.ForgetPlaces();
  }

  const CallSiteFigures& figures() const { return figures_; }
  size_t bytes() const {
    return waiting_.capacity() * sizeof(Waiting) + results_.capacity() * sizeof(Ref) + joiner_.bytes() +
           waiting_.size() * kBytesInV8 + places_.size() * kBytesOfPlace + known_.bytes();
  }

 private:
  static constexpr size_t kBytesInV8 = 2200;
  static constexpr size_t kBytesOfPlace = 64;

  struct Waiting {
    uint32_t path;
    uint64_t begin_us;
    uint64_t end_us;
    LinePlace place;              // of the innermost function
    bool asked;                   // false: V8 was asked for its calls in other stacks
    std::vector<uint32_t> calls;  // their numbers in `known_`, leaf first; empty if they cannot be told apart
  };
  bool StartProfile();
  void EndProfile(bool read);
  void Read(const v8::CpuProfile& profile);
  void ReadAnswers(const v8::CpuProfile& profile, std::span<JoinedStack> found);
  bool KnowsLeaf(const Waiting& waiting);
  uint32_t Find(uint32_t path, uint64_t now_ns, Ref* stack);
  uint32_t AskV8(uint32_t path, uint64_t now_ns);
  uint32_t LastTicket() const {
    return first_ticket_ + static_cast<uint32_t>(results_.size() + waiting_.size() - 1);
  }
  bool ListCalls(uint32_t path);
  void ReadFunctions(uint32_t path);
  bool IsOfScript(uint32_t id) const;
  JoinedStack FindKnown();
  JoinedStack JoinKnown(std::span<const uint32_t> calls);
  void Learn(std::span<const uint32_t> calls, const JoinedStack& joined);
  void Count(const JoinedStack& joined);
  LinePlace PlaceOf(uintptr_t pc);
  void LookForOthers(uint64_t now_ns);

  v8::Isolate* const isolate_;
  SampledStacks* const stacks_;
  CallJoiner joiner_;
  KnownCalls known_;
  const uintptr_t* left_by_ = nullptr;
  StackRange stack_;
  CodeRanges code_;
  std::vector<uint32_t> functions_;     // of the stack at hand, leaf first
  std::vector<BytecodePlace> offsets_;  // likewise, of the interpreted ones
  InterpretedLeaf leaf_;                // likewise
  // On Node.js 22, some handlers keep the place of the next bytecode, which may look like that of a known one, once.
  HandlerOffsets handlers_{NODE_MAJOR_VERSION >= 24 ? 1 : 2};
  std::vector<Ref> frames_;
  uint64_t found_ = 0;  // stacks that were known
  v8::CpuProfiler* profiler_ = nullptr;
  v8::ProfilerId profile_ = 0;
  int64_t thread_ = 0;   // V8's
  bool busy_ = false;    // V8's profiler is being called
  bool ending_ = false;  // somebody else's profiler has appeared
  const char* problem_ = nullptr;
  double max_overhead_ = 0;
  uint64_t started_ns_ = 0;
  uint64_t spent_ns_ = 0;                            // since then
  uint64_t looked_ns_ = 0;                           // when we looked for others
  std::unordered_map<uintptr_t, LinePlace> places_;  // by the address to which a call returns
  std::vector<Waiting> waiting_;
  uint32_t first_ticket_ = 1;  // of `waiting_`, or of `results_` until they are forgotten
  std::vector<Ref> results_;
  CallSiteFigures figures_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CALL_SITES_H_
