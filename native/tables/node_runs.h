// The nodes of one table, in runs: stretches of the arena that hold nothing else. So all of them can be walked
// in the order of memory, whatever the index is doing.
//
// Thread safety: every method may be called from any thread at any time. Readers never wait, and nobody waits
// for them.
//
// Invariants:
// (1) A place is taken once. Its node is met by walks from the moment that its hash is stored, the last that is
//     written of it.
// (2) A walk that begins after that meets the node: places and runs are only ever added.
// (3) A run leads to the older ones, and within a run places are taken upwards. So a walk from the newest run
//     downwards meets nodes in the opposite order of that in which they were taken.

#ifndef MEMPROF_NATIVE_TABLES_NODE_RUNS_H_
#define MEMPROF_NATIVE_TABLES_NODE_RUNS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/arena.h"
#include "base/prefetch.h"

namespace memprof {

// `Node` has `std::atomic<uint64_t> hash`, which is not 0 in a node that is ready, and `kAlignment`.
template <typename Node>
class NodeRuns {
 public:
  // REQUIRES: `arena` outlives the nodes.
  explicit NodeRuns(Arena* arena) : arena_(arena) {}
  NodeRuns(const NodeRuns&) = delete;
  NodeRuns& operator=(const NodeRuns&) = delete;

  // The place of a node, zeroed. 0 when there is none, or when fewer than `keep_free` bytes of the arena would be
  // left if it had to be allocated.
  Ref Take(size_t keep_free) {
    if (keep_free != 0 && !arena_->HasFree(keep_free + sizeof(Node))) return 0;
    Ref newest = newest_.load(std::memory_order_acquire);
    for (;;) {
      if (newest != 0) {
        Run* run = RunAt(newest);
        // Looks first, so that the number cannot run away when there is no room for another run.
        if (run->taken.load(std::memory_order_relaxed) < run->places) {
          uint32_t place = run->taken.fetch_add(1, std::memory_order_relaxed);
          if (place < run->places) return PlaceIn(newest, place);
        }
      }
      size_t bytes;
      Ref made = Make(newest, keep_free, &bytes);
      if (made == 0) return 0;
      RunAt(made)->older = newest;
      if (newest_.compare_exchange_strong(newest, made, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
        return PlaceIn(made, 0);
      }
      memset(static_cast<void*>(RunAt(made)), 0, sizeof(Run));
      arena_->GiveBack(made, bytes);
    }
  }

  // Calls `f(Ref, Node&)`, newest first, until it returns true. Returns whether it did.
  template <typename F>
  bool AnyOf(F&& f) const {
    for (Ref ref = newest_.load(std::memory_order_acquire); ref != 0; ref = RunAt(ref)->older) {
      Run* run = RunAt(ref);
      uint32_t place = std::min(run->taken.load(std::memory_order_acquire), run->places);
      while (place-- != 0) {
        Ref at = PlaceIn(ref, place);
        Node* node = static_cast<Node*>(arena_->At(at));
        for (size_t byte = 0; byte < sizeof(Node); byte += kLine) {
          Prefetch(reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(node) - kAhead + byte));
        }
        if (node->hash.load(std::memory_order_acquire) != 0 && f(at, *node)) return true;
      }
    }
    return false;
  }

 private:
  static constexpr size_t kLine = 64;
  static constexpr size_t kAhead = 1024;     // bytes that a walk fetches ahead, also from the run below
  static constexpr size_t kRunBytes = 4096;  // at most, since what is left of the last run is wasted
  static constexpr size_t kFirstPlaces = 4;

  struct Run {
    std::atomic<uint32_t> taken;  // may rise a little above `places`
    uint32_t places;
    Ref older;
  };
  static constexpr size_t kFirst = std::max(size_t{16}, Node::kAlignment);
  static constexpr size_t kMostPlaces = std::max(size_t{1}, (kRunBytes - kFirst) / sizeof(Node));
  static_assert(sizeof(Run) <= kFirst && sizeof(Node) % Arena::kRefUnit == 0 && kFirst % alignof(Node) == 0);

  Run* RunAt(Ref ref) const { return static_cast<Run*>(arena_->At(ref)); }
  static Ref PlaceIn(Ref run, uint32_t place) {
    return run + static_cast<Ref>((kFirst + size_t{place} * sizeof(Node)) / Arena::kRefUnit);
  }

  // A run whose first place is taken, of twice as many places as the newest. It is a shorter one when there is
  // no room for that.
  Ref Make(Ref newest, size_t keep_free, size_t* bytes) {
    size_t places = newest == 0 ? kFirstPlaces : 2 * size_t{RunAt(newest)->places};
    for (places = std::min(places, kMostPlaces); places != 0; places /= 2) {
      *bytes = kFirst + places * sizeof(Node);
      Ref made = arena_->Allocate(*bytes, kFirst, keep_free);
      if (made == 0) continue;
      Run* run = RunAt(made);
      run->places = static_cast<uint32_t>(places);
      run->taken.store(1, std::memory_order_relaxed);
      return made;
    }
    return 0;
  }

  Arena* const arena_;
  std::atomic<Ref> newest_{0};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_TABLES_NODE_RUNS_H_
