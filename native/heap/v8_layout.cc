#include "heap/v8_layout.h"

#include <cstring>
#include <iterator>

#include "heap/safe_memory.h"

#ifdef __linux__
#include <link.h>
#endif

namespace memprof {

namespace {

// The ABI, then the words in HeapProfiler, Isolate, JSFunction and SharedFunctionInfo.
constexpr V8Layout kLayouts[] = {
    {115, 13, 48, 3, 4},
    {127, 13, 34, 4, 4},
    {137, 9, 40, 4, 5},
    {147, 9, 41, 4, 5},
};

constexpr size_t kSamplerWords = 36;
constexpr size_t kProfilerNeighbourhood = 32;
constexpr size_t kIsolateNeighbourhood = 128;

struct SamplerWords {
  uint64_t words[kSamplerWords];
};

bool Points(uint64_t word) { return word >= 4096 && word % 8 == 0; }

bool IsRoot(uint64_t name) {
  char text[7];
  return ReadMemory(reinterpret_cast<const void*>(name), &text) && memcmp(text, "(root)", sizeof(text)) == 0;
}

// Checks the words of the sampler itself, but not the observer's vtable.
const char* CheckWords(uint64_t at, const SamplerWords& sampler, const SamplerFacts& facts) {
  const uint64_t* w = sampler.words;
  if (w[0] != reinterpret_cast<uintptr_t>(facts.isolate))
    return "V8's sampler does not begin with its isolate";
  if (w[6] != at) return "the observer does not belong to V8's sampler";
  if (w[5] != facts.interval || w[9] != facts.interval || w[35] != facts.interval) {
    return "V8's sampler does not have the interval where it should be";
  }
  if (static_cast<uint32_t>(w[34]) != static_cast<uint32_t>(facts.depth)) {
    return "V8's sampler does not have the depth of stacks where it should be";
  }
  if (!IsRoot(w[25])) return "V8's sampler has no root where it should be";
  return nullptr;
}

bool Fits(uint64_t at, const SamplerFacts& facts) {
  SamplerWords sampler;
  return Points(at) && ReadMemory(reinterpret_cast<const void*>(at), &sampler) &&
         CheckWords(at, sampler, facts) == nullptr;
}

// Whether JavaScript left by this frame: it is marked with a type, and returns to code of V8's.
bool IsExitFrame(uintptr_t frame, const StackRange& stack, const CodeRanges& code) {
  if (!stack.Contain(frame)) return false;
  auto* words = reinterpret_cast<const uintptr_t*>(frame);
  uintptr_t marker = words[-1];
  return marker % 2 == 0 && marker < 256 && code.Contain(words[1]) && words[0] > frame &&
         stack.Contain(words[0]);
}

}  // namespace

const V8Layout* LayoutOf(int abi) {
#if defined(__linux__) && defined(__x86_64__) && !defined(V8_COMPRESS_POINTERS) && !defined(V8_ENABLE_SANDBOX)
  for (const V8Layout& layout : kLayouts) {
    if (layout.abi == abi) return &layout;
  }
#endif
  return nullptr;
}

Found FindProfilerWord(const V8Layout& layout, const void* heap_profiler, const SamplerFacts& facts) {
  uint64_t words[kProfilerNeighbourhood];
  size_t readable = kProfilerNeighbourhood;
  // The words may not all be mapped. Fewer will do, as long as the known place is among them.
  while (readable > layout.profiler_word && !ReadMemory(heap_profiler, words, readable * sizeof(words[0])))
    --readable;
  if (readable <= layout.profiler_word) return {nullptr, "V8's heap profiler cannot be read"};
  auto* base = static_cast<uintptr_t*>(const_cast<void*>(heap_profiler));
  if (Fits(words[layout.profiler_word], facts)) return {base + layout.profiler_word};
  for (size_t i = 0; i < readable; ++i) {
    if (Fits(words[i], facts)) return {base + i};
  }
  SamplerWords sampler;
  uint64_t at = words[layout.profiler_word];
  if (!Points(at) || !ReadMemory(reinterpret_cast<const void*>(at), &sampler)) {
    return {nullptr, "V8's sampler is not where it should be"};
  }
  return {nullptr, CheckWords(at, sampler, facts)};
}

const char* CheckSampler(const void* sampler, const SamplerFacts& facts, const void* v8_function) {
  SamplerWords words;
  if (!ReadMemory(sampler, &words)) return "V8's sampler cannot be read";
  if (const char* problem = CheckWords(reinterpret_cast<uintptr_t>(sampler), words, facts)) return problem;
  const void* vtable[2 + kObserverFunctions];
  if (!ReadObserverVtable(sampler, vtable)) return "the observer's vtable cannot be read";
  if (vtable[0] != nullptr) return "the observer's vtable is no vtable";
  for (size_t i = 2; i < std::size(vtable); ++i) {
    if (!InSameCode(v8_function, vtable[i])) return "the observer's functions are not V8's";
  }
  return nullptr;
}

bool ReadObserverVtable(const void* sampler, const void* words[2 + kObserverFunctions]) {
  uint64_t vtable;
  if (!ReadMemory(static_cast<const uint64_t*>(sampler) + kObserverWord, &vtable) || !Points(vtable))
    return false;
  return ReadMemory(reinterpret_cast<const void*>(vtable - 2 * sizeof(void*)), words,
                    (2 + kObserverFunctions) * sizeof(void*));
}

Found FindEntryWord(const V8Layout& layout, const void* isolate, const StackRange& stack,
                    const CodeRanges& code) {
  uint64_t words[kIsolateNeighbourhood];
  if (!ReadMemory(isolate, &words)) return {nullptr, "the isolate cannot be read"};
  auto* base = static_cast<uintptr_t*>(const_cast<void*>(isolate));
  if (IsExitFrame(words[layout.entry_word], stack, code)) return {base + layout.entry_word};
  Found found{nullptr, "the isolate does not tell where JavaScript left"};
  for (size_t i = 0; i < std::size(words); ++i) {
    if (!IsExitFrame(words[i], stack, code)) continue;
    if (found.at != nullptr)
      return {nullptr, "it is not clear where the isolate tells where JavaScript left"};
    found = {base + i};
  }
  return found;
}

bool InSameCode(const void* known, const void* address) {
#ifdef __linux__
  struct Question {
    uintptr_t known;
    uintptr_t address;
    bool yes;
  } question{reinterpret_cast<uintptr_t>(known), reinterpret_cast<uintptr_t>(address), false};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto* question = static_cast<Question*>(data);
        bool has_known = false;
        bool has_address = false;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
          uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          uintptr_t end = begin + segment.p_memsz;
          has_known |= question->known >= begin && question->known < end;
          has_address |= question->address >= begin && question->address < end;
        }
        question->yes = has_known && has_address;
        return has_known ? 1 : 0;
      },
      &question);
  return question.yes;
#else
  return false;
#endif
}

uintptr_t ScriptWordOf(const V8Layout& layout, uintptr_t shared, size_t word) {
  auto read = [](uintptr_t object, size_t word, uintptr_t* to) {
    return IsHeapObject(object) &&
           ReadMemory(reinterpret_cast<const uintptr_t*>(ObjectAddress(object)) + word, to);
  };
  uintptr_t script;
  uintptr_t value;
  uintptr_t map;
  uintptr_t type;
  // V8 will look into the object's map, so the map must be readable too.
  bool readable = read(shared, layout.script_word, &script) && read(script, word, &value) &&
                  read(value, 0, &map) && read(map, 1, &type);
  return readable ? value : 0;
}

}  // namespace memprof
