// Where things lie in V8's private memory. Only this file knows the objects; stack_walk.cc knows the frames of
// a stack, and step_hook.cc the two functions of the observer.
//
// No public call leads to V8's sampler, to the stack that it would walk, or from a frame to its function. Their
// places are fixed numbers for each ABI of Node.js, found on the official binaries (x64, Linux). A process
// believes them only after it has looked at the objects there, by reads that cannot fault, and found in every
// word that is used what must be there. After that it believes them only as long as the samples taken with
// them equal those of V8's own sampler (see direct_sampler.h). What does not fit is refused, with the reason.
//
// Words are of 8 bytes, counted from the beginning of an object.
//
//   v8::HeapProfiler    [profiler_word] -> the running sampler, or null
//   sampler             [0] the isolate
//                       [2] the id of the last sample
//                       [4] an allocation observer; its first word is its vtable: two destructors, Step,
//                           GetNextStepSize
//                       [5] the first step, [6] the sampler, [9] the interval: the rest of the observer
//                       [25] -> "(root)"
//                       [34] the depth of stacks (the low half), [35] the interval
//   v8::Isolate         [entry_word] the frame by which JavaScript left for C++, or null ("c_entry_fp")
//   JSFunction          [shared_word] -> its SharedFunctionInfo, which all closures of one function share
//   SharedFunctionInfo  [script_word] -> its Script
//   Script              [2] -> its name
//
// Thread safety: pure functions of the memory they are given.

#ifndef MEMPROF_NATIVE_HEAP_V8_LAYOUT_H_
#define MEMPROF_NATIVE_HEAP_V8_LAYOUT_H_

#include <cstddef>
#include <cstdint>

namespace memprof {

struct V8Layout {
  int abi;  // NODE_MODULE_VERSION
  uint8_t profiler_word;
  uint8_t entry_word;
  uint8_t shared_word;
  uint8_t script_word;
};

constexpr size_t kLastIdWord = 2;
constexpr size_t kObserverWord = 4;
constexpr size_t kScriptNameWord = 2;
// In the observer's vtable.
constexpr size_t kStepSlot = 2;
constexpr size_t kNextStepSizeSlot = 3;

// `nullptr` where none is known: another ABI, platform or way to build V8.
const V8Layout* LayoutOf(int abi);

// What was asked of the sampler that should be there.
struct SamplerFacts {
  const void* isolate;
  uint64_t interval;
  int depth;
};

struct Found {
  uintptr_t* at = nullptr;  // or nothing
  // Why there is nothing.
  const char* problem = nullptr;
};

// The word of `heap_profiler` that points to the sampler just started: at its known place, else wherever one
// is in the neighbourhood that fits.
Found FindProfilerWord(const V8Layout& layout, const void* heap_profiler, const SamplerFacts& facts);

// `nullptr` when the sampler has what it must have, else what it lacks. `v8_function` is any function of V8:
// those of the observer must be in the same library.
const char* CheckSampler(const void* sampler, const SamplerFacts& facts, const void* v8_function);

// Of a thread's stack.
struct StackRange {
  uintptr_t low = 0;
  uintptr_t high = 0;
  bool Contain(uintptr_t frame) const { return frame % 8 == 0 && frame >= low + 64 && frame <= high - 16; }
};

// Where machine code made from JavaScript and V8's built-in functions lies.
struct CodeRanges {
  struct Range {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    bool Contain(uintptr_t pc) const { return pc >= begin && pc < end; }
  };
  Range code;
  Range embedded;
  bool Contain(uintptr_t pc) const { return code.Contain(pc) || embedded.Contain(pc); }
};

// The word of the isolate that tells the frame by which JavaScript left for C++. REQUIRES: called from
// JavaScript, on its thread. At its known place, else the only one in the neighbourhood that fits.
Found FindEntryWord(const V8Layout& layout, const void* isolate, const StackRange& stack,
                    const CodeRanges& code);

// Copies the observer's vtable to `words`: the two words before it, then its functions. False when it cannot
// be read.
constexpr size_t kObserverFunctions = 4;
bool ReadObserverVtable(const void* sampler, const void* words[2 + kObserverFunctions]);

// Whether an address is in the code of the library that `known` is in the code of.
bool InSameCode(const void* known, const void* address);

// A pointer of V8 to an object in its heap, and the address of that object.
constexpr bool IsHeapObject(uintptr_t word) { return (word & 3) == 1; }
constexpr uintptr_t ObjectAddress(uintptr_t word) { return word - 1; }

// A word of an object that is there. REQUIRES: `object` is a heap object of the kind that has this word.
inline uintptr_t WordOf(uintptr_t object, size_t word) {
  return reinterpret_cast<const uintptr_t*>(ObjectAddress(object))[word];
}

// The pointer to the name of the function's script, or 0 where what should lead there cannot be read.
uintptr_t ScriptNameOf(const V8Layout& layout, uintptr_t shared);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_V8_LAYOUT_H_
