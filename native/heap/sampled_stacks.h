// The stack of this moment in the tables, by our own walk; and those with functions that must be described
// first.
//
// Thread safety: none; belongs to one isolate's thread. `Take` allocates nothing on V8's heap and may be
// called where V8 samples; `Resolve` may do so, and is called where that is allowed.
//
// Invariant: what `Take` and `Resolve` give is what V8's own sampler would have: the same frames, by name,
// script, line and column, cut at the same depth, and the same names for what V8 does where no JavaScript
// runs.

#ifndef MEMPROF_NATIVE_HEAP_SAMPLED_STACKS_H_
#define MEMPROF_NATIVE_HEAP_SAMPLED_STACKS_H_

#include <v8.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "heap/function_table.h"
#include "heap/stack_walk.h"
#include "heap/v8_layout.h"
#include "tables/profile_tables.h"

namespace memprof {

class SampledStacks {
 public:
  SampledStacks(v8::Isolate* isolate, ProfileTables* tables)
      : isolate_(isolate), tables_(tables), functions_(isolate, tables) {}

  // `left_by` is the isolate's word that FindEntryWord found. Takes memory, until `Stop`.
  void Start(const V8Layout* layout, const uintptr_t* left_by, const StackRange& stack,
             const CodeRanges& code, int depth);
  void Stop();

  struct Taken {
    Ref stack = 0;         // 0: not known before `Resolve`
    uint32_t waiting = 0;  // for which `StackOf` will tell
    bool sure = true;      // else V8 must be asked
  };
  // REQUIRES: V8 samples, on the isolate's thread.
  Taken Take();
  // Describes what has to be, after which `StackOf` tells of all that was taken so far.
  void Resolve();
  Ref StackOf(uint32_t waiting) const { return waiting_[waiting - 1].stack; }
  // Forgets what `StackOf` told. REQUIRES: nothing was allocated on V8's heap since `Resolve`.
  void ForgetResolved();
  bool AnyWaiting() const { return !waiting_.empty(); }

  // V8 collected garbage: functions may be elsewhere.
  void OnCollected(bool major) {
    before_.clear();
    if (major) functions_.OnCollected();
  }
  size_t functions() const { return functions_.size(); }
  size_t bytes() const {
    return functions_.bytes() + cache_.capacity() * sizeof(Cached) + frames_.capacity() * sizeof(Frame) +
           waiting_.capacity() * sizeof(Waiting);
  }

 private:
  static constexpr size_t kCached = 4096;
  // Frames walked beyond the depth, because frames that are being deoptimised do not count.
  static constexpr size_t kMoreFrames = 16;
  // At most so many frames may wait for a description. Stacks beyond that are not known.
  static constexpr size_t kMostWaitingFrames = 1 << 20;

  using Frame = FunctionTable::Known;
  // Two hashes are as good as a comparison.
  struct Key {
    uint64_t first = 0;
    uint64_t second = 0;
    bool operator==(const Key&) const = default;
  };
  struct Cached {
    Key key;
    Ref stack = 0;
  };
  struct Waiting {
    size_t begin;  // in `waiting_frames_`
    size_t frames;
    Ref stack;
  };

  // A frame of the stack taken before: those that are still there need no look at their functions.
  struct Before {
    const uintptr_t* at;
    uintptr_t function;
    Frame frame;
  };

  bool TakeFrames();
  Frame FrameAt(const uintptr_t* at);
  v8::StateTag State();
  Key KeyOf() const;
  Ref Intern();
  uint32_t Wait();

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  FunctionTable functions_;
  const uintptr_t* left_by_ = nullptr;
  StackRange stack_;
  CodeRanges code_;
  size_t depth_ = 0;
  std::vector<const uintptr_t*> walked_;
  std::vector<Frame> frames_;  // of the stack at hand, leaf first
  std::vector<Before> before_;
  std::vector<Before> now_;
  size_t passed_ = 0;              // of `before_`
  std::vector<Ref> path_;          // frames outermost first
  std::vector<Ref> path_before_;   // of the stack interned before,
  std::vector<Ref> stack_before_;  // and the stacks that end with each of them
  bool all_described_ = false;
  std::vector<Cached> cache_;
  std::vector<Waiting> waiting_;
  std::vector<Frame> waiting_frames_;
  std::unordered_map<uint64_t, uint32_t> waiting_by_key_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAMPLED_STACKS_H_
