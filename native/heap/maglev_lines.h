// Knows where V8's table of lines is wrong: in what Maglev, V8's middle compiler, puts at the end of a function's
// code because it is rarely done, such as an allocation that finds no room. The table ends before that, so V8
// takes its last line for all of it. But such a piece ends with a jump back behind the place where it was
// needed, which has the right line. Positions that may have stayed behind in a loop are known, too.
//
//   the heap's code     ... Code's map, [-3] -> its Code, [-2] -> relocations, [-1] the size of what follows,
//                       then the instructions, at a multiple of 64
//   Code                [2] -> its table of positions, [4] -> the object of the instructions, [5] the first
//                       instruction, [6] flags (the upper half; its last four bits are the compiler), [7] the
//                       size of the instructions and that of what follows them
//   table of positions  [1] its length (a Smi), then its bytes
//
// That is so in Node.js 24 and 26. Each use proves it anew: an object must lead to the other one and back, and
// the sizes must agree.
//
// Thread safety: must be called on the isolate's thread, outside of GCs.

#ifndef MEMPROF_NATIVE_HEAP_MAGLEV_LINES_H_
#define MEMPROF_NATIVE_HEAP_MAGLEV_LINES_H_

#include <cstdint>

#include "heap/v8_layout.h"

namespace memprof {

struct MaglevFormat {
  unsigned number;         // of this compiler
  bool marks_expressions;  // in the lowest bit of the numbers in a table of positions
};

struct LinePlace {
  bool known = true;  // false: V8 has no line, or a wrong one
  uintptr_t pc = 0;   // where the line is
  // Where V8's line is in the text of the script. If that is where a loop's statement begins, it is wrong; if not, it is
  // right although it is not `known`. -1: it is as `known` says.
  int32_t maybe_loop_at = -1;
  bool of_maglev = false;
};

// Finds the place whose line is that of `pc`, an address to which a call returns. `range` has all code of the
// heap. REQUIRES: the code at `pc` is alive, and belongs to a
// function.
LinePlace FindLinePlace(uintptr_t pc, const CodeRanges::Range& range, const MaglevFormat& maglev);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_MAGLEV_LINES_H_
