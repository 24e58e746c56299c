// Knows where things lie in V8's private memory. This file alone knows the objects; stack_walk.cc knows the
// frames of a stack, step_hook.cc the two functions of the observer, and v8_map.h a JavaScript Map.
//
// No public function leads to V8's sampler, to the stack that it would walk, or from a frame to its function.
// Their places are fixed numbers for each ABI of Node.js, which were found in the official binaries (x64,
// Linux). A process trusts them only after it has read the objects there, by reads that cannot fault, and has
// found what must be there in every word that is used. After that it trusts them only as long as the samples
// taken with them equal those of V8's own sampler (see direct_sampler.h). Whatever does not fit is refused,
// with the reason.
//
// Words have 8 bytes and are counted from the beginning of the object:
//
//   v8::HeapProfiler    [profiler_word] -> the running sampler, or null
//                       [5] -> the storage of names of snapshots and samples
//   sampler             [0] the isolate
//                       [2] the id of the last sample
//                       [4] an allocation observer; its first word is its vtable: two destructors, Step,
//                           GetNextStepSize
//                       [5] the first step, [6] the sampler, [9] the interval: the rest of the observer
//                       [10] -> the storage of names
//                       [25] -> "(root)"
//                       [27] its samples (see v8_samples.cc)
//                       [34] the depth of stacks (the low half), [35] the interval
//   v8::Isolate         [entry_word] the frame by which JavaScript left for C++, or null (V8's "c_entry_fp")
//   JSFunction          [shared_word] -> its SharedFunctionInfo, which all closures of one function share
//   SharedFunctionInfo  [script_word] -> its Script
//   Script              [1] -> its text, [2] -> its name
//
// Thread safety: the functions only read the memory that they are given, and keep no state.

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
constexpr size_t kSamplesWord = 27;
constexpr size_t kNamesWord = 5;
constexpr size_t kSamplerNamesWord = 10;
constexpr size_t kScriptTextWord = 1;
constexpr size_t kScriptNameWord = 2;
// Places in the observer's vtable.
constexpr size_t kStepSlot = 2;
constexpr size_t kNextStepSizeSlot = 3;

// Returns `nullptr` where no layout is known: for another ABI, platform or build of V8.
const V8Layout* LayoutOf(int abi);

// What the sampler was started with, and so must contain.
struct SamplerFacts {
  const void* isolate;
  uint64_t interval;
  int depth;
};

struct Found {
  uintptr_t* at = nullptr;        // null if nothing was found
  const char* problem = nullptr;  // why nothing was found
};

// Finds the word of `heap_profiler` that points to the sampler just started. It looks at the known place
// first, then for a word nearby that points to a fitting sampler.
Found FindProfilerWord(const V8Layout& layout, const void* heap_profiler, const SamplerFacts& facts);

// Returns `nullptr` when the sampler is as it must be, else what is wrong with it. `v8_function` is any
// function of V8: the observer's functions must be in the same library.
const char* CheckSampler(const void* sampler, const SamplerFacts& facts, const void* v8_function);

// The bounds of a thread's stack.
struct StackRange {
  uintptr_t low = 0;
  uintptr_t high = 0;
  bool Contain(uintptr_t frame) const { return frame % 8 == 0 && frame >= low + 64 && frame <= high - 16; }
};

// The addresses of the code generated from JavaScript and of V8's built-in functions.
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

// Finds the isolate's word that holds the frame by which JavaScript left for C++. It looks at the known place
// first, then at the words nearby, of which exactly one must fit. REQUIRES: called from JavaScript, on its
// thread.
Found FindEntryWord(const V8Layout& layout, const void* isolate, const StackRange& stack,
                    const CodeRanges& code);

// Copies the observer's vtable to `words`: the two words before the functions, then the functions. Returns
// false when it cannot be read.
constexpr size_t kObserverFunctions = 4;
bool ReadObserverVtable(const void* sampler, const void* words[2 + kObserverFunctions]);

// Whether both addresses are in the code of the same library.
bool InSameCode(const void* known, const void* address);

// V8 tags a pointer to an object in its heap by adding 1.
constexpr bool IsHeapObject(uintptr_t word) { return (word & 3) == 1; }
constexpr uintptr_t ObjectAddress(uintptr_t word) { return word - 1; }

// Reads a word of an object without any check. REQUIRES: `object` is a live heap object that has this word.
inline uintptr_t WordOf(uintptr_t object, size_t word) {
  return reinterpret_cast<const uintptr_t*>(ObjectAddress(object))[word];
}

// Returns a word of the function's script (`kScriptTextWord` or `kScriptNameWord`), or 0 where the words that
// lead to it, or to the type of the object that it points to, cannot be read.
uintptr_t ScriptWordOf(const V8Layout& layout, uintptr_t shared, size_t word);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_V8_LAYOUT_H_
