#include "heap/stack_walk.h"

namespace memprof {

WalkedStack WalkStack(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      std::span<const uintptr_t*> functions) {
  WalkedStack walked;
  walked.sure = WalkFrames(left_by, stack, code, [&](const uintptr_t* function) {
    functions[walked.frames++] = function;
    return walked.frames != functions.size();
  });
  return walked;
}

}  // namespace memprof
