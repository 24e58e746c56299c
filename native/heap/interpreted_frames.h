// Knows where interpreted functions are in their bytecode. V8 writes that into a function's frame before each call, but not
// before an allocation by the handler of a bytecode itself, as of a literal: then the frame says where the last call was. The
// handler keeps its place in its own frame, where V8's compiler has put it:
//
//   frame of an interpreted function, from the word that holds the function:
//                       [-2] -> the bytecode, [-3] the place in it (a Smi)
//   bytecode            [1] its length (a Smi), later its bytes; places are counted from its second byte
//   frame of a handler  above that of the function; one of its words holds the place (an integer), always the same one for
//                       an address to which the allocation returns
//
// No word is believed before it alone has held a place at which the same bytecode is, in different stacks; or before it alone
// leads to a bytecode that is known to allocate by then. Each use proves that anew. Some handlers of Node.js 22 keep the place
// of the next bytecode instead, which is another one each time: such a word must alone have held a place behind that of the
// frame, in more stacks.
//
// Thread safety: none; belongs to one isolate's thread. Nothing here allocates on V8's heap.

#ifndef MEMPROF_NATIVE_HEAP_INTERPRETED_FRAMES_H_
#define MEMPROF_NATIVE_HEAP_INTERPRETED_FRAMES_H_

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "heap/stack_walk.h"

namespace memprof {

constexpr ptrdiff_t kBytecodeWord = -2;
constexpr ptrdiff_t kOffsetWord = -3;

// Where the function is in its bytecode, by its frame. Returns 0 where the frame is not that of an interpreted function.
uint32_t OffsetOf(const uintptr_t* function);

// The innermost frame where that does not know it.
struct InterpretedLeaf {
  const uintptr_t* function = nullptr;  // the word of its frame; null: the frame says where the function is
  uint32_t offset = 0;                  // where it is; 0: not known
};

class HandlerOffsets {
 public:
  static constexpr size_t kMostPlaces = 1 << 10;

  // A word is believed after so many stacks.
  explicit HandlerOffsets(int stacks) : proof_(stacks) {}

  // `is_builtin` tells whether an address is in V8's built-in code. REQUIRES: that memory can be read, and the innermost frame
  // is that of a script's function.
  template <typename F>
  InterpretedLeaf Find(uintptr_t left_by, const StackRange& stack, F&& is_builtin);

 private:
  static constexpr size_t kWords = 32;
  static constexpr int kProofOfNext = 3;

  struct Frames {
    const uintptr_t* exit;      // by which JavaScript was left
    const uintptr_t* handler;   // of the bytecode
    const uintptr_t* function;  // the word of the function's frame
  };
  struct Place {
    bool allocates = false;
    int stacks = 0;
    uint64_t last_stack = 0;
    std::bitset<kWords> fitting;  // words of the handler's frame
    std::array<uint8_t, kWords> bytecodes{};
    std::bitset<kWords> next;  // words that may hold the place of the next bytecode
  };
  static bool FindFrames(uintptr_t left_by, const StackRange& stack, Frames* frames);
  InterpretedLeaf FindAt(const Frames& frames);
  static bool CallsAllocation(uintptr_t returns_to);
  uint32_t Learn(const Frames& frames, Place* place);
  uint32_t OnlyAllocating(const Frames& frames, const Place& place) const;
  bool IsProved(const Place& place) const { return place.stacks >= proof_ && place.fitting.count() == 1; }
  static bool IsNextProved(const Place& place) {
    return place.stacks >= kProofOfNext && place.fitting.none() && place.next.count() == 1;
  }

  const int proof_;
  std::bitset<256> allocating_;                  // bytecodes that proved words have led to
  std::unordered_map<uintptr_t, Place> places_;  // by the address to which the handler's callee returns
};

template <typename F>
InterpretedLeaf HandlerOffsets::Find(uintptr_t left_by, const StackRange& stack, F&& is_builtin) {
  constexpr uintptr_t kMostRead = 16;
  Frames frames;
  if (!FindFrames(left_by, stack, &frames)) return {};
  uintptr_t returns_to = frames.exit[1];
  if (!is_builtin(frames.handler[1]) || !is_builtin(returns_to) || !is_builtin(returns_to - kMostRead))
    return {};
  return FindAt(frames);
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_INTERPRETED_FRAMES_H_
