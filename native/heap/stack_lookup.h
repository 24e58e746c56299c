// The call paths of one isolate, which are looked up in the process's tables by the background thread where there is
// one: to put new stacks there takes several misses of the cache a frame, and at times the tables grow.
//
// Thread safety: belongs to the isolate's thread.

#ifndef MEMPROF_NATIVE_HEAP_STACK_LOOKUP_H_
#define MEMPROF_NATIVE_HEAP_STACK_LOOKUP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/background.h"
#include "base/shared.h"
#include "heap/call_paths.h"
#include "heap/function_frames.h"
#include "heap/stack_resolver.h"
#include "tables/profile_tables.h"

namespace memprof {

class StackLookup {
 public:
  // The resolver for the isolate's own thread remembers beginnings only if there is no other thread.
  StackLookup(ProfileTables* tables, Shared<FunctionFrames> frames, bool in_background)
      : frames_(std::move(frames)), here_(tables, &paths, &*frames_), there_(tables, &paths, &*frames_) {
    (in_background ? there_ : here_).Remember();
  }
  StackLookup(const StackLookup&) = delete;
  StackLookup& operator=(const StackLookup&) = delete;

  CallPaths paths;

  // Looks the path up at once. 0 as long as some function of it is not described.
  Ref StackOf(uint32_t path) { return here_.StackOf(path); }

  // Has `wanted` looked up in the background, soon, as far as their functions are described by then; `paths` tells what
  // was found. Returns false when the last ones are not done yet. REQUIRES: `StartBackground` returned true.
  static bool Begin(const Shared<StackLookup>& lookup, std::vector<uint32_t>* wanted) {
    if (lookup->at_work()) return false;
    lookup->wanted_.swap(*wanted);
    lookup->at_work_.store(true, std::memory_order_relaxed);
    RunInBackground([lookup] { lookup->Run(); });
    return true;
  }
  bool at_work() const { return at_work_.load(std::memory_order_acquire); }

  size_t bytes() const { return paths.bytes() + here_.bytes() + there_.bytes(); }

 private:
  void Run() {
    for (uint32_t path : wanted_) there_.StackOf(path);
    at_work_.store(false, std::memory_order_release);
  }

  const Shared<FunctionFrames> frames_;
  StackResolver here_;
  StackResolver there_;
  std::vector<uint32_t> wanted_;  // belongs to the background thread while `at_work`
  std::atomic<bool> at_work_{false};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STACK_LOOKUP_H_
