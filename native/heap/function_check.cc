#include "heap/function_check.h"

#include <array>

#include "heap/raw_handles.h"
#include "heap/safe_memory.h"
#include "heap/stack_walk.h"

namespace memprof {

const char* CheckFunctions(v8::Isolate* isolate, const V8Layout& layout, uintptr_t left_by,
                           const StackRange& stack, const CodeRanges& code) {
  v8::HandleScope scope(isolate);
  std::array<const uintptr_t*, 64> slots;
  WalkedStack walked = WalkStack(left_by, stack, code, slots);
  size_t fitting = 0;
  for (size_t i = 0; i < walked.frames; ++i) {
    auto value = LocalAt<v8::Value>(slots[i]);
    if (!value->IsFunction() || value.As<v8::Function>()->ScriptId() <= 0) continue;
    uintptr_t shared;
    auto* function = reinterpret_cast<const uintptr_t*>(ObjectAddress(*slots[i]));
    if (!ReadMemory(function + layout.shared_word, &shared)) return "V8's functions cannot be read";
    uintptr_t name = ScriptWordOf(layout, shared, kScriptNameWord);
    // The two differ where a comment in the script (sourceURL) gives it another name.
    if (name != 0 && name == WordAt(value.As<v8::Function>()->GetScriptOrigin().ResourceName())) ++fitting;
  }
  return fitting == 0 ? "V8's functions are not made as they should be" : nullptr;
}

}  // namespace memprof
