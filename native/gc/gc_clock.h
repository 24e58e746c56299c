// Measures one isolate's garbage collections and heap: pauses, bytes ever allocated, heap sizes.
//
// Thread safety: `published` may be copied and loaded by any thread; everything else belongs to the isolate's
// thread.
//
// Bytes ever allocated are the sum over GCs of (used at prologue - used at the previous epilogue), plus what
// is used now beyond the last epilogue. That is exact but for what V8 counts as used without an allocation
// (the ends of pages).

#ifndef MEMPROF_NATIVE_GC_GC_CLOCK_H_
#define MEMPROF_NATIVE_GC_GC_CLOCK_H_

#include <v8.h>

#include <cstdint>

#include "base/seq_lock.h"
#include "base/shared.h"
#include "base/thread_stack.h"
#include "gc/mem_figures.h"

namespace memprof {

// What other threads read. It outlives the clock for as long as they keep it.
using PublishedFigures = Shared<SeqLock<MemFigures>>;

class GcClock {
 public:
  explicit GcClock(v8::Isolate* isolate);
  GcClock(const GcClock&) = delete;
  GcClock& operator=(const GcClock&) = delete;

  // `OnPrologue` comes before, and `OnPauseBegin` after everything else that the prologue does: the harvest
  // is no part of the pause.
  void OnPrologue();
  void OnPauseBegin();
  void OnEpilogue(v8::GCType type, v8::GCCallbackFlags flags);

  // Counts a collection that a reader asked for, which V8 does not flag as forced.
  void CountForced() { ++figures_.forced; }
  uint64_t completed() const { return figures_.gc_count(); }
  // Monotonic; 0 before the first.
  uint64_t last_gc_end_ns() const { return last_gc_end_ns_; }
  // Bytes ever allocated, as of the last prologue, epilogue or `Fresh`.
  uint64_t total_alloc() const { return figures_.total_alloc; }
  // As of the last GC or `Fresh`.
  uint64_t heap_used() const { return figures_.heap_used; }
  uint64_t external() const { return figures_.external; }
  // As of now.
  MemFigures Fresh();
  // Cumulative figures (bytes ever allocated, collections, pauses) are as of now, the others as of the last
  // GC or `Fresh`.
  const MemFigures& Now() {
    OnPrologue();
    return figures_;
  }
  // As of the last GC, or of the last `Fresh`.
  const PublishedFigures& published() const { return published_; }

 private:
  void ReadHeap(bool with_spaces);
  void ReadStack();

  v8::Isolate* const isolate_;
  const uint64_t born_ns_;
  const StackBounds stack_;  // of the isolate's thread
  uint64_t base_used_ = 0;   // at the last epilogue; what is used beyond it was allocated since
  uint64_t pause_begin_ns_ = 0;
  uint64_t last_gc_end_ns_ = 0;
  MemFigures figures_;
  const PublishedFigures published_ = PublishedFigures::Make();
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_GC_GC_CLOCK_H_
