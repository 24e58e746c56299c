// Figures of a heap and its garbage collections, for one isolate or summed over many.

#ifndef MEMPROF_NATIVE_GC_MEM_FIGURES_H_
#define MEMPROF_NATIVE_GC_MEM_FIGURES_H_

#include <cstddef>
#include <cstdint>

namespace memprof {

inline constexpr size_t kPauseRing = 256;  // as in Go

struct GcCounts {
  uint64_t count = 0;
  uint64_t pause_ns = 0;
};

// V8's spaces, put together by what lies there.
enum SpaceKind { kYoung, kOld, kCode, kLarge, kOther, kSpaceKinds };
struct SpaceFigures {
  uint64_t used = 0;
  uint64_t committed = 0;
};

// Bytes, nanoseconds, counts. Over isolates, all fields are summed but the rings, which are merged, `last_gc_ns`,
// of which the latest counts, and `largest_heap`.
struct MemFigures {
  uint64_t total_alloc = 0;
  uint64_t heap_used = 0;
  uint64_t largest_heap = 0;  // of one isolate, in use
  uint64_t heap_committed = 0;
  uint64_t heap_resident = 0;
  uint64_t heap_idle = 0;
  uint64_t heap_limit = 0;
  uint64_t malloced = 0;
  uint64_t global_handles = 0;
  uint64_t external = 0;
  uint64_t static_external = 0;      // of it, about, the sources of Node.js, which lie in its program
  SpaceFigures spaces[kSpaceKinds];  // as of the last major GC, or of a fresh reading
  uint64_t stack_inuse = 0;
  uint64_t stack_sys = 0;
  uint64_t lifetime_ns = 0;
  GcCounts minor;
  GcCounts major;
  uint64_t forced = 0;
  uint64_t last_gc_ns = 0;           // end of the last GC, since 1970; 0 before the first
  uint64_t pause_ns[kPauseRing]{};   // newest at (count + 255) % 256, as in Go
  uint64_t pause_end[kPauseRing]{};  // since 1970

  uint64_t gc_count() const { return minor.count + major.count; }
  // Adds another isolate's figures. Allocates nothing, since it is also called when memory has run out.
  void Add(const MemFigures& other);
  // Keeps what remains of an isolate that ended: its totals and pauses, but none of its memory.
  void KeepTotalsOnly();
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_GC_MEM_FIGURES_H_
