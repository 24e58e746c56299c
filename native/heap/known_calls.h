// Remembers the lines of calls by where they return to, so that V8 need not be asked for the same call again. A
// call is known by its function and the address to which it returns, or, where V8 interprets the function, by the
// offset in its bytecode. That holds until V8 moves or collects code, which it does in major GCs only.
//
// Thread safety: none; belongs to one isolate's thread. Nothing here allocates on V8's heap.
//
// Invariants:
// (1) A call is learned from V8's answer only, and used only where V8's next answer for it was the same. Now and then
//     V8 is asked although all calls of a stack are known; `Learn` then tells when the answer is another one.
// (2) At most `kMostCalls` calls and `kMostStacks` stacks are known.

#ifndef MEMPROF_NATIVE_HEAP_KNOWN_CALLS_H_
#define MEMPROF_NATIVE_HEAP_KNOWN_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/arena.h"
#include "heap/call_numbers.h"
#include "heap/interpreted_frames.h"
#include "heap/shown_frames.h"
#include "heap/stack_walk.h"
#include "heap/v8_layout.h"

namespace memprof {

class KnownCalls {
 public:
  static constexpr size_t kMostCalls = 1 << 15;
  static constexpr size_t kMostStacks = 1 << 14;

  // Returns false where the place of V8's built-in functions cannot be found, by which interpreted functions are
  // known: then nothing may be remembered. REQUIRES: called from JavaScript.
  bool Start(uintptr_t left_by, const StackRange& stack, const CodeRanges& code);
  bool started() const { return started_; }
  void Stop();
  // Remembers nothing any more, until the next `Start`. Numbers stay what they are.
  void Distrust() {
    started_ = false;
    ForgetPlaces();
  }
  // Must be called after each major GC. Numbers stay what they are.
  void ForgetPlaces();
  // Forgets everything where there is no room for more. REQUIRES: no number is used any more.
  void Trim();

  // Whether an address is in V8's built-in code.
  bool IsBuiltin(uintptr_t pc) const { return builtins_.Contain(pc) || embedded_.Contain(pc); }

  // Lists where the interpreted functions of the current stack are in their bytecode.
  void ListOffsets(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                   const InterpretedLeaf& leaf, std::vector<BytecodePlace>* places) const;

  // The calls of one stack, leaf first.
  struct Stack {
    uint64_t hash = 0;
    std::vector<uint32_t> calls;  // numbers, for `Learn` and `Find`; 0 for a frame that has no line
  };
  // Lists the calls on the current stack. `functions` are those of its frames, leaf first; `is_of_script` tells
  // which of them have lines. Returns false where the calls cannot be told apart.
  template <typename F>
  bool Read(uintptr_t left_by, const StackRange& stack, const CodeRanges& code, const InterpretedLeaf& leaf,
            std::span<const uint32_t> functions, F&& is_of_script);
  // The stack that `Read` has found last; without calls where it returned false, and after `ForgetCurrent`.
  const Stack& current() const { return current_; }
  void ForgetCurrent() { current_ = {}; }

  struct Found {
    Ref stack = 0;  // 0: not known as a whole
    bool knows_line = false;
  };
  // The same for the current stack.
  Found FindWhole() const;
  void LearnWhole(Found found);

  // What a call is in the tables: the functions inlined there, leaf first, and its own. Empty if unknown.
  std::span<const Ref> FramesOf(uint32_t call) const;
  bool KnowsLine(uint32_t call) const { return calls_[call - 1].knows_line; }
  // Returns false when something else was known of it.
  bool Learn(uint32_t call, std::span<const Ref> frames, bool knows_line);

  // Whether V8 was asked for all calls that are not known yet.
  bool AllAsked(const Stack& stack) const;
  void Ask(const Stack& stack);
  // V8's answers are there.
  void Answered() { ++round_; }

  size_t bytes() const {
    return numbers_.bytes() + calls_.capacity() * sizeof(Call) + whole_.size() * kBytesOfStack +
           frames_.capacity() * sizeof(Ref);
  }

 private:
  static constexpr size_t kBytesOfStack = 48;

  struct Key {
    uintptr_t returns_to;
    uint32_t offset;  // in the bytecode of an interpreted function; 0 for others
    uint32_t function;
    bool innermost;
  };
  struct Call {
    uint32_t first = 0;  // in `frames_`
    uint32_t count = 0;
    uint32_t asked = 0;  // in this round
    bool knows_line = false;
  };
  bool HasRoom() const { return calls_.size() < kMostCalls; }
  void Clear();
  uint32_t OffsetFor(const uintptr_t* function, uintptr_t returns_to, const InterpretedLeaf& leaf) const;
  bool KeyOf(const uintptr_t* function, uintptr_t returns_to, const InterpretedLeaf& leaf, Key* key) const;
  // `Read` lists the sums of all calls before it asks for the number of the first.
  void Add(const Key& key);
  void AddNoCall(uint32_t function);
  void NumberCalls();

  CodeRanges::Range builtins_;  // that run
  CodeRanges::Range embedded_;  // of which those may be a copy
  bool started_ = false;
  uint32_t round_ = 1;
  std::vector<uint64_t> sums_;  // of the calls that `Read` has found; 0 for a frame that has no line
  CallNumbers numbers_;
  std::vector<Call> calls_;
  std::vector<Ref> frames_;
  std::unordered_map<uint64_t, Found> whole_;
  Stack current_;
};

template <typename F>
bool KnownCalls::Read(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      const InterpretedLeaf& leaf, std::span<const uint32_t> functions, F&& is_of_script) {
  current_.hash = 0;
  current_.calls.clear();
  sums_.clear();
  if (!started_ || !HasRoom()) return false;
  size_t next = 0;
  bool innermost = true;
  bool all = true;
  bool sure = WalkFrames(left_by, stack, code, [&](const uintptr_t* function, uintptr_t returns_to) {
    if (next == functions.size()) return false;
    uint32_t id = functions[next++];
    if (!is_of_script(id)) {
      AddNoCall(id);
      return true;
    }
    Key key{returns_to, 0, id, innermost};
    innermost = false;
    all = KeyOf(function, returns_to, leaf, &key);
    if (all) Add(key);
    return all;
  });
  // Further ones are no frames: that the stack is cut, or what V8 does where no JavaScript runs.
  for (; next < functions.size(); ++next) AddNoCall(functions[next]);
  if (!sure || !all) return false;
  NumberCalls();
  return true;
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_KNOWN_CALLS_H_
