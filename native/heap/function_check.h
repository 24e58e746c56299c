// Proves that V8's functions are laid out as memprof believes, before anything relies on that.
//
// Thread safety: must be called on the isolate's thread, outside of GCs.

#ifndef MEMPROF_NATIVE_HEAP_FUNCTION_CHECK_H_
#define MEMPROF_NATIVE_HEAP_FUNCTION_CHECK_H_

#include <v8.h>

#include <cstdint>

#include "heap/v8_layout.h"

namespace memprof {

// Checks that the functions on the current stack are laid out as `layout` says. The layout leads to the names
// of their scripts, which are also known from a public function. Only reads that cannot fault are used,
// because the layout of functions is not confirmed yet.
// Returns null, or what is wrong.
const char* CheckFunctions(v8::Isolate* isolate, const V8Layout& layout, uintptr_t left_by,
                           const StackRange& stack, const CodeRanges& code);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_FUNCTION_CHECK_H_
