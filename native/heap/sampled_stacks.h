// Walks the current stack and names it by a number of the isolate's call paths. In the process's tables, a
// stack can be found only when all its functions are described.
//
// Thread safety: none; belongs to one isolate's thread. `Take` allocates nothing on V8's heap and may be
// called while V8 samples. `Describe` may allocate there, and must be called where that is allowed.
//
// Invariant: the stacks are those that V8's own sampler would record. They have the same frames by name,
// script, line and column, and where no JavaScript runs they have V8's name for what it does. There are two
// exceptions: they may be cut at a greater depth than V8's, and a stack that is cut has one more frame,
// "(truncated)", as its root.

#ifndef MEMPROF_NATIVE_HEAP_SAMPLED_STACKS_H_
#define MEMPROF_NATIVE_HEAP_SAMPLED_STACKS_H_

#include <v8.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heap/call_paths.h"
#include "heap/function_table.h"
#include "heap/stack_lookup.h"
#include "heap/stack_walk.h"
#include "heap/v8_layout.h"
#include "heap/v8_samples.h"
#include "tables/profile_tables.h"

namespace memprof {

// V8's sampler cuts long texts after a number of characters, not of bytes, so of two long texts only the
// beginnings are compared.
bool SameText(std::string_view ours, std::string_view v8s);

// Whether two stacks of the tables are the same. `v8_cuts_more`: V8 may have cut a stack that we have not cut.
bool SameStack(const ProfileTables& tables, Ref ours, Ref v8s, bool v8_cuts_more);

class SampledStacks {
 public:
  // About so much memory is used for paths.
  static constexpr size_t kMostPathBytes = 4 << 20;

  SampledStacks(v8::Isolate* isolate, ProfileTables* tables)
      : isolate_(isolate), tables_(tables), functions_(isolate, tables) {}

  // `left_by` is the isolate's word that FindEntryWord found. Allocates memory, which `Stop` frees.
  void Start(const V8Layout* layout, const uintptr_t* left_by, const StackRange& stack,
             const CodeRanges& code, int depth, int v8_depth);
  void Stop();

  struct Taken {
    Ref stack = 0;      // 0: not known before `Describe`
    uint32_t path = 0;  // what to ask `StackOf` for; 0: there is none
    bool sure = true;   // false: we cannot tell the stack, and V8 must be asked
  };
  // REQUIRES: called while V8 samples, on the isolate's thread.
  Taken Take();
  // The stack that V8 has taken, of which `node` is the leaf. Without a path if a function of it is not described yet, or
  // if it may be cut. REQUIRES: as `Take`.
  Taken TakeV8s(uintptr_t node);
  // Fetches into the caches what `Take` will probably read first.
  void Fetch() const;

  bool AnyToDescribe() const { return functions_.AnyToDescribe(); }
  // Describes functions that are not described yet, until it is `until_ns`. Returns whether all are
  // described.
  bool Describe(uint64_t until_ns) { return functions_.Describe(until_ns); }
  // The path in the tables; 0 as long as some function of it is not described.
  Ref StackOf(uint32_t path) { return path == 0 || !lookup_ ? 0 : lookup().StackOf(path); }
  // The same, only if it was looked up already.
  Ref KnownStackOf(uint32_t path) const { return path == 0 || !lookup_ ? 0 : lookup().paths.StackOf(path); }
  // Begins to look up these paths in the background, and takes the list. Returns false when that is not possible now.
  bool LookUpInBackground(std::vector<uint32_t>* paths);
  // For CallJoiner: what a path consists of. Ids of frames that are no functions have no `InfoOf`.
  static constexpr uint32_t kDeoptimising = FunctionTable::kNoFunctionId;
  static constexpr uint32_t kTruncated = 9;
  const CallPaths& paths() const { return lookup().paths; }
  // 0 as long as the function is not described.
  Ref FrameOf(uint32_t id) const { return functions_.frames()->At(id); }
  const FunctionTable::Info* InfoOf(uint32_t id) const {
    return id < FunctionTable::kFirstId ? nullptr : &functions_.InfoOf(id);
  }
  // Whether a loop's statement may begin at this character of the function's script. REQUIRES: `InfoOf` knows it.
  bool MayBeLoop(uint32_t id, int at) const { return functions_.MayBeLoop(id, at); }
  // Whether so many paths or functions are kept that it is time to `Trim`.
  bool IsFull() const { return lookup_ && (lookup().paths.bytes() >= kMostPathBytes || functions_.Full()); }
  // Bounds the memory. REQUIRES: no path will be asked for again, except those taken later.
  void Trim();

  // Compares the stack that was taken last with one of V8's, which has the leaf `node`. Returns null when
  // they have the same functions, else what is wrong.
  const char* Compare(uintptr_t node);
  // Compares the names of those functions, as far as they are described now.
  const char* CompareNames();

  // Must be called after each GC, because it may have moved functions.
  void OnCollected(bool major) {
    before_.clear();
    if (major) functions_.OnCollected();
    ChooseDepth();
  }
  size_t functions() const { return functions_.size(); }
  size_t bytes() const {
    return functions_.bytes() + (lookup_ ? lookup().bytes() : 0) +
           (before_.capacity() + now_.capacity()) * sizeof(Walked) + frames_.capacity() * sizeof(uint32_t);
  }

 private:
  // Frames that are being deoptimised do not count, so this many frames are walked beyond the depth. One
  // frame more tells whether the stack is cut.
  static constexpr size_t kMoreFrames = 16;
  // Names that wait to be compared.
  static constexpr size_t kMostNames = 4096;

  // A frame of a stack. If the next stack still has it, its function need not be looked up again.
  struct Walked {
    const uintptr_t* at;
    uintptr_t function;
    uint32_t id;  // 0: not looked up yet
  };

  StackLookup& lookup() const { return **lookup_; }
  void StartLookup();
  void ChooseDepth();
  bool TakeFrames();
  bool WalkNow();
  v8::StateTag State();
  const char* CompareFrame(uint32_t id, const V8Node& node);

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  FunctionTable functions_;
  std::optional<Shared<StackLookup>> lookup_;  // from `Start` to `Stop`
  bool in_background_ = false;
  const uintptr_t* left_by_ = nullptr;
  StackRange stack_;
  CodeRanges code_;
  size_t most_depth_ = 0;
  size_t v8_depth_ = 0;
  size_t depth_ = 0;  // at which stacks are cut now
  size_t most_frames_ = 0;
  std::vector<uint32_t> frames_;                         // ids of the current stack, leaf first
  std::vector<Walked> before_;                           // the previous stack as it was walked
  std::vector<Walked> now_;                              // the current one
  std::vector<std::pair<uint32_t, std::string>> names_;  // of functions, as V8's sampler knows them
  std::vector<bool> named_;                              // ids whose names were read
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAMPLED_STACKS_H_
