#include "gc/mem_figures.h"

#include <algorithm>
#include <iterator>

namespace memprof {

void MemFigures::Add(const MemFigures& other) {
  struct Pause {
    uint64_t end;
    uint64_t ns;
  };
  Pause pauses[2 * kPauseRing];
  size_t count = 0;
  for (const MemFigures* from : {static_cast<const MemFigures*>(this), &other}) {
    for (size_t i = 0; i < kPauseRing; ++i) {
      if (from->pause_end[i] != 0) pauses[count++] = {from->pause_end[i], from->pause_ns[i]};
    }
  }
  std::sort(pauses, pauses + count, [](const Pause& a, const Pause& b) { return a.end > b.end; });

  total_alloc += other.total_alloc;
  heap_used += other.heap_used;
  heap_committed += other.heap_committed;
  heap_resident += other.heap_resident;
  heap_idle += other.heap_idle;
  heap_limit += other.heap_limit;
  malloced += other.malloced;
  global_handles += other.global_handles;
  external += other.external;
  stack_inuse += other.stack_inuse;
  stack_sys += other.stack_sys;
  lifetime_ns += other.lifetime_ns;
  minor.count += other.minor.count;
  minor.pause_ns += other.minor.pause_ns;
  major.count += other.major.count;
  major.pause_ns += other.major.pause_ns;
  forced += other.forced;
  last_gc_ns = std::max(last_gc_ns, other.last_gc_ns);

  std::fill(std::begin(pause_ns), std::end(pause_ns), 0);
  std::fill(std::begin(pause_end), std::end(pause_end), 0);
  uint64_t newest = gc_count() + kPauseRing - 1;
  for (size_t i = 0; i < std::min(count, kPauseRing); ++i) {
    pause_ns[(newest - i) % kPauseRing] = pauses[i].ns;
    pause_end[(newest - i) % kPauseRing] = pauses[i].end;
  }
}

void MemFigures::KeepTotalsOnly() {
  heap_used = heap_committed = heap_resident = heap_idle = heap_limit = 0;
  malloced = global_handles = external = stack_inuse = stack_sys = 0;
}

}  // namespace memprof
