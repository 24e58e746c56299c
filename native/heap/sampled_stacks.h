// Walks the current stack and finds or adds it in the tables. A stack with functions that are not described
// yet waits until they are.
//
// Thread safety: none; belongs to one isolate's thread. `Take` allocates nothing on V8's heap and may be
// called while V8 samples. `Resolve` may allocate there, and must be called where that is allowed.
//
// Invariant: the stacks are those that V8's own sampler would record. They have the same frames by name,
// script, line and column, are cut at the same depth, and where no JavaScript runs they have V8's name for
// what it does.

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

  // `left_by` is the isolate's word that FindEntryWord found. Allocates memory, which `Stop` frees.
  void Start(const V8Layout* layout, const uintptr_t* left_by, const StackRange& stack,
             const CodeRanges& code, int depth);
  void Stop();

  struct Taken {
    Ref stack = 0;         // 0: not known before `Resolve`
    uint32_t waiting = 0;  // if not 0: what to ask `StackOf` for, after `Resolve`
    bool sure = true;      // false: we cannot tell the stack, and V8 must be asked
  };
  // REQUIRES: called while V8 samples, on the isolate's thread.
  Taken Take();
  // Describes the functions that are not described yet. After that, `StackOf` knows all stacks taken so far.
  void Resolve();
  Ref StackOf(uint32_t waiting) const { return waiting_[waiting - 1].stack; }
  // Forgets the stacks that `StackOf` knows. REQUIRES: nothing was allocated on V8's heap since `Resolve`, so
  // that no stack waits unresolved.
  void ForgetResolved();
  bool AnyWaiting() const { return !waiting_.empty(); }

  // Must be called after each GC, because it may have moved functions.
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
  // Frames that are being deoptimised do not count, so this many frames are walked beyond the depth.
  static constexpr size_t kMoreFrames = 16;
  // At most this many frames may wait for a description. Stacks beyond that become the overflow stack.
  static constexpr size_t kMostWaitingFrames = 1 << 20;

  using Frame = FunctionTable::Known;
  // Two different hashes of the frames' ids. Equal keys are taken for equal stacks.
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
    size_t begin;   // of its frames in `waiting_frames_`
    size_t frames;  // how many
    Ref stack;      // 0 until `Resolve`
  };

  // A frame of the previous stack. If the current stack still has it, its function need not be looked up
  // again.
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
  std::vector<Frame> frames_;      // the current stack, leaf first
  std::vector<Before> before_;     // the previous stack as it was walked
  std::vector<Before> now_;        // the current one
  size_t passed_ = 0;              // how many of `before_` have lower addresses than the frame at hand
  std::vector<Ref> path_;          // the frames of the stack being interned, outermost first
  std::vector<Ref> path_before_;   // those of the stack interned before
  std::vector<Ref> stack_before_;  // the stacks that end with each frame of `path_before_`
  bool all_described_ = false;     // all frames of the current stack
  std::vector<Cached> cache_;
  std::vector<Waiting> waiting_;
  std::vector<Frame> waiting_frames_;
  std::unordered_map<uint64_t, uint32_t> waiting_by_key_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAMPLED_STACKS_H_
