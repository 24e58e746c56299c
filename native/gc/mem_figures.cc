#include "gc/mem_figures.h"

#include <algorithm>
#include <iterator>

namespace memprof {

namespace {

// A ring's pauses, newest first.
class Pauses {
 public:
  explicit Pauses(const MemFigures& figures)
      : figures_(figures), slot_(figures.gc_count() + kPauseRing), left_(kPauseRing + 1) {
    Next();
  }
  bool ended() const { return left_ == 0; }
  uint64_t end() const { return figures_.pause_end[slot_ % kPauseRing]; }
  uint64_t ns() const { return figures_.pause_ns[slot_ % kPauseRing]; }
  void Next() {
    --slot_;
    // Slots that were never written are the oldest.
    if (--left_ != 0 && end() == 0) left_ = 0;
  }

 private:
  const MemFigures& figures_;
  uint64_t slot_;
  size_t left_;
};

}  // namespace

void MemFigures::Add(const MemFigures& other) {
  // Both rings are in order, unless the clock was set back; then the merged one is as much out of order.
  uint64_t merged_ns[kPauseRing]{};
  uint64_t merged_end[kPauseRing]{};
  uint64_t newest = gc_count() + other.gc_count() + kPauseRing - 1;
  Pauses ours(*this);
  Pauses theirs(other);
  for (size_t i = 0; i < kPauseRing && !(ours.ended() && theirs.ended()); ++i) {
    bool take_ours = theirs.ended() || (!ours.ended() && ours.end() >= theirs.end());
    Pauses& from = take_ours ? ours : theirs;
    merged_ns[(newest - i) % kPauseRing] = from.ns();
    merged_end[(newest - i) % kPauseRing] = from.end();
    from.Next();
  }

  total_alloc += other.total_alloc;
  heap_used += other.heap_used;
  largest_heap = std::max(largest_heap, other.largest_heap);
  heap_committed += other.heap_committed;
  heap_resident += other.heap_resident;
  heap_idle += other.heap_idle;
  heap_limit += other.heap_limit;
  malloced += other.malloced;
  global_handles += other.global_handles;
  external += other.external;
  static_external += other.static_external;
  for (size_t i = 0; i < kSpaceKinds; ++i) {
    spaces[i].used += other.spaces[i].used;
    spaces[i].committed += other.spaces[i].committed;
  }
  stack_inuse += other.stack_inuse;
  stack_sys += other.stack_sys;
  lifetime_ns += other.lifetime_ns;
  minor.count += other.minor.count;
  minor.pause_ns += other.minor.pause_ns;
  major.count += other.major.count;
  major.pause_ns += other.major.pause_ns;
  forced += other.forced;
  last_gc_ns = std::max(last_gc_ns, other.last_gc_ns);

  std::copy(std::begin(merged_ns), std::end(merged_ns), pause_ns);
  std::copy(std::begin(merged_end), std::end(merged_end), pause_end);
}

void MemFigures::KeepTotalsOnly() {
  heap_used = largest_heap = heap_committed = heap_resident = heap_idle = heap_limit = 0;
  malloced = global_handles = external = static_external = stack_inuse = stack_sys = 0;
  for (SpaceFigures& space : spaces) space = {};
}

}  // namespace memprof
