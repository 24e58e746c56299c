#include "gc/gc_clock.h"

#include <algorithm>
#include <string_view>

#include "base/clocks.h"

namespace memprof {

namespace {

SpaceKind KindOfSpace(std::string_view name) {
  if (name.starts_with("new_")) return kYoung;
  if (name == "old_space") return kOld;
  if (name.starts_with("code_")) return kCode;
  return name.ends_with("large_object_space") ? kLarge : kOther;
}

}  // namespace

GcClock::GcClock(v8::Isolate* isolate)
    : isolate_(isolate), born_ns_(MonotonicNs()), stack_(BoundsOfThisStack()) {
  Fresh();
  // What there is before the program has made much of its own; it may be late, so no more than those sources.
  constexpr uint64_t kMostSources = uint64_t{3} << 20;
  figures_.static_external = std::min(figures_.external, kMostSources);
  published_->Store(figures_);
}

void GcClock::ReadStack() {
  if (stack_.bytes == 0) return;
  char here;
  figures_.stack_sys = stack_.bytes;
  figures_.stack_inuse = std::min<uint64_t>(stack_.bytes, stack_.base - reinterpret_cast<uintptr_t>(&here));
}

void GcClock::ReadHeap(bool with_spaces) {
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  figures_.heap_used = figures_.largest_heap = heap.used_heap_size();
  figures_.heap_committed = heap.total_heap_size();
  figures_.heap_resident = heap.total_physical_size();
  figures_.heap_limit = heap.heap_size_limit();
  figures_.malloced = heap.malloced_memory();
  figures_.global_handles = heap.total_global_handles_size();
  figures_.external = heap.external_memory();
  if (!with_spaces) return;
  // Go calls memory idle that belongs to spans without objects. Here that is the unused part of the young
  // generation, where objects lie one after another, and the spaces without any object. Holes between old
  // objects count as in use.
  uint64_t idle = 0;
  for (SpaceFigures& space : figures_.spaces) space = {};
  for (size_t i = 0; i < isolate_->NumberOfHeapSpaces(); ++i) {
    v8::HeapSpaceStatistics space;
    if (!isolate_->GetHeapSpaceStatistics(&space, i)) continue;
    std::string_view name = space.space_name();
    bool young = name.starts_with("new_");
    SpaceFigures& kind = figures_.spaces[KindOfSpace(name)];
    kind.used += space.space_used_size();
    kind.committed += space.space_size();
    if (young || space.space_used_size() == 0) {
      idle += space.space_size() - std::min(space.space_size(), space.space_used_size());
    }
  }
  figures_.heap_idle = idle;
}

void GcClock::OnPrologue() {
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  uint64_t used = heap.used_heap_size();
  if (used > base_used_) figures_.total_alloc += used - base_used_;
  base_used_ = used;
}

void GcClock::OnPauseBegin() { pause_begin_ns_ = MonotonicNs(); }

void GcClock::OnEpilogue(v8::GCType type, v8::GCCallbackFlags flags) {
  last_gc_end_ns_ = MonotonicNs();
  uint64_t pause = pause_begin_ns_ == 0 ? 0 : last_gc_end_ns_ - pause_begin_ns_;
  bool major = type == v8::kGCTypeMarkSweepCompact;
  GcCounts& kind = major ? figures_.major : figures_.minor;
  ++kind.count;
  kind.pause_ns += pause;
  if (flags & v8::kGCCallbackFlagForced) ++figures_.forced;
  figures_.last_gc_ns = WallNs();
  size_t slot = (figures_.gc_count() + kPauseRing - 1) % kPauseRing;
  figures_.pause_ns[slot] = pause;
  figures_.pause_end[slot] = figures_.last_gc_ns;
  figures_.lifetime_ns = last_gc_end_ns_ - born_ns_;
  ReadHeap(major);
  base_used_ = figures_.heap_used;
  published_->Store(figures_);
}

MemFigures GcClock::Fresh() {
  ReadHeap(true);
  ReadStack();
  if (figures_.heap_used > base_used_) figures_.total_alloc += figures_.heap_used - base_used_;
  base_used_ = figures_.heap_used;
  figures_.lifetime_ns = MonotonicNs() - born_ns_;
  published_->Store(figures_);
  return figures_;
}

}  // namespace memprof
