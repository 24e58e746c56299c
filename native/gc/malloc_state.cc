#include "gc/malloc_state.h"

#include <charconv>

#ifdef __linux__
#include <stdio.h>
#include <stdlib.h>

// Not `dlsym`, whose version in a newer C library is one that older ones lack. What is missing is null.
extern "C" {
[[gnu::weak]] int MallocInfo(int options, FILE* stream) __asm__("malloc_info");
[[gnu::weak]] void JemallocControl() __asm__("mallctl");
[[gnu::weak]] void PrefixedJemallocControl() __asm__("je_mallctl");
[[gnu::weak]] void MimallocVersion() __asm__("mi_version");
[[gnu::weak]] void TcmallocRelease() __asm__("MallocExtension_ReleaseFreeMemory");
}
#endif

namespace memprof {

namespace {

// The number in the attribute `size="…"` of a tag.
uint64_t SizeOf(std::string_view tag) {
  constexpr std::string_view kName = "size=\"";
  size_t at = tag.find(kName);
  uint64_t value = 0;
  if (at == std::string_view::npos) return 0;
  tag.remove_prefix(at + kName.size());
  std::from_chars(tag.data(), tag.data() + tag.size(), value);
  return value;
}

}  // namespace

MallocState ParseMallocInfo(std::string_view xml) {
  MallocState state;
  bool in_arena = false;
  while (!xml.empty()) {
    size_t begin = xml.find('<');
    size_t end = xml.find('>', begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) break;
    std::string_view tag = xml.substr(begin + 1, end - begin - 1);
    xml.remove_prefix(end + 1);
    if (tag.starts_with("heap ")) {
      in_arena = true;
      state.arenas.emplace_back();
    } else if (tag == "/heap") {
      in_arena = false;
    } else if (in_arena &&
               (tag.starts_with("total type=\"fast\"") || tag.starts_with("total type=\"rest\""))) {
      state.arenas.back().free += SizeOf(tag);
    } else if (in_arena && tag.starts_with("system type=\"current\"")) {
      state.arenas.back().system = SizeOf(tag);
    } else if (!in_arena && tag.starts_with("total type=\"mmap\"")) {
      state.mapped = SizeOf(tag);
    }
  }
  if (state.arenas.empty()) state.problem = "malloc_info() of the C library gives no figures";
  return state;
}

MallocState ReadMallocState() {
  MallocState state;
#ifdef __linux__
  if (JemallocControl != nullptr || PrefixedJemallocControl != nullptr || MimallocVersion != nullptr ||
      TcmallocRelease != nullptr) {
    state.problem = "malloc is not the C library's (jemalloc, mimalloc or tcmalloc): ask it for its figures";
    return state;
  }
  if (MallocInfo == nullptr) {
    state.problem = "the C library (musl?) has no malloc_info(): what malloc keeps free is not known";
    return state;
  }
  char* text = nullptr;
  size_t bytes = 0;
  FILE* stream = open_memstream(&text, &bytes);
  bool written = stream != nullptr && MallocInfo(0, stream) == 0;
  if (stream != nullptr) fclose(stream);
  if (written)
    state = ParseMallocInfo(std::string_view(text, bytes));
  else
    state.problem = "malloc_info() failed";
  free(text);
#else
  state.problem = "figures of malloc are known on Linux only";
#endif
  return state;
}

}  // namespace memprof
