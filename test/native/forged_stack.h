// A stack of JavaScript frames that tests put together.

#ifndef MEMPROF_TEST_NATIVE_FORGED_STACK_H_
#define MEMPROF_TEST_NATIVE_FORGED_STACK_H_

#include <cstdint>
#include <vector>

#include "heap/stack_walk.h"
#include "heap/v8_layout.h"

namespace memprof {

// A forged stack. `words_` begins at its low end, and frames are pushed from the outermost one inwards.
class ForgedStack {
 public:
  static constexpr size_t kWords = 4096;
  static constexpr uintptr_t kCode = 0x10010;
  static constexpr uintptr_t kEmbedded = 0x50010;

  ForgedStack() : words_(kWords), at_(kWords - 16) {}

  uintptr_t Address(size_t word) const { return reinterpret_cast<uintptr_t>(&words_[word]); }
  StackRange bounds() const { return {Address(0), Address(0) + kWords * 8}; }
  CodeRanges code() const { return {{0x10000, 0x20000}, {0x50000, 0x60000}}; }

  // C++ enters JavaScript. `left_by` is the frame by which JavaScript had been left before, or 0.
  void Enter(uintptr_t left_by, uintptr_t marker = 2) {
    Push(marker, 0, 0x999990);
    words_[frame_ - 8] = left_by;
  }
  void Function(uintptr_t function, uintptr_t pc = kCode) { Push(0x1001, function, pc); }
  void Typed(uintptr_t marker, uintptr_t pc = kEmbedded) { Push(marker, 0xbad, pc); }
  // An interpreted function, at this offset of its bytecode.
  void Interpreted(uintptr_t function, uint32_t offset, uintptr_t pc = kEmbedded) {
    Function(function, pc);
    words_[frame_ - 4] = 0x2001;
    words_[frame_ - 5] = uintptr_t{offset} << 32;
  }
  // JavaScript leaves for C++, which uses some of the stack.
  uintptr_t Leave() {
    Typed(6);
    uintptr_t left_by = Address(frame_);
    at_ -= 20;
    return left_by;
  }
  uintptr_t& WordAt(uintptr_t address) { return words_[(address - Address(0)) / 8]; }

  std::vector<uintptr_t> Walk(uintptr_t left_by, bool* sure, size_t most = 64) {
    std::vector<const uintptr_t*> slots(most);
    WalkedStack walked = WalkStack(left_by, bounds(), code(), slots);
    *sure = walked.sure;
    std::vector<uintptr_t> functions;
    for (size_t i = 0; i < walked.frames; ++i) functions.push_back(*slots[i]);
    return functions;
  }

 private:
  // `pc` is where the callee of the new frame will return to. The next call stores it in the callee's frame.
  void Push(uintptr_t marker, uintptr_t function, uintptr_t pc) {
    at_ -= 12;
    words_[at_] = frame_ == 0 ? 0 : Address(frame_);
    words_[at_ + 1] = pc_;
    words_[at_ - 1] = marker;
    words_[at_ - 2] = function;
    frame_ = at_;
    pc_ = pc;
  }

  std::vector<uintptr_t> words_;
  size_t at_;
  size_t frame_ = 0;
  uintptr_t pc_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_TEST_NATIVE_FORGED_STACK_H_
