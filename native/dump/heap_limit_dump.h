// The dump before the crash: when V8 runs out of heap, the profile goes to a file, and then happens what
// would have happened anyway. One for each isolate.
//
// V8's out-of-memory handler is ours as long as a dump is wanted, and calls Node's own when it is done. Where
// this Node.js does not let us have Node's handler, a near-heap-limit callback stands in for it, in the main
// thread only: V8 calls just the last one that was added, and in a worker it would hide Node's, which turns
// the end of the process into that of the worker. A worker that Node ended that way dumps when its
// environment is torn down.
//
// Thread safety: made, used and destroyed on the isolate's thread. V8 may call the out-of-memory handler on a
// helper thread of its own, also while the isolate's thread is inside a GC.
//
// Invariants:
// (1) In there nothing of V8 is called, no memory is taken (but what a helper thread needs to find out that
// it
//     is one), and no lock is waited for without a limit. The profile is what the tables hold: as of the last
//     GC that was harvested.
// (2) At most one dump is under way in the process. A second thread that runs out of heap waits for it, for a
//     while, since its end would end the first one's dump.
// (3) At most `kMostDumps` files a process, and one more when the process dies; each of at most `kMostBytes`
//     and a trailer.

#ifndef MEMPROF_NATIVE_HEAP_LIMIT_DUMP_H_
#define MEMPROF_NATIVE_HEAP_LIMIT_DUMP_H_

#include <v8.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace memprof {

struct ProfileTextFacts;

class HeapLimitDump {
 public:
  static constexpr unsigned kMostDumps = 16;
  static constexpr size_t kMostBytes = size_t{32} << 20;

  // Where a dump has its facts from, under invariant (1). Of the whole process, before the first `Start`.
  static void SetFacts(void (*read)(ProfileTextFacts*));

  explicit HeapLimitDump(v8::Isolate* isolate) : isolate_(isolate) {}
  HeapLimitDump(const HeapLimitDump&) = delete;
  HeapLimitDump& operator=(const HeapLimitDump&) = delete;
  // REQUIRES: `Stop`.
  ~HeapLimitDump() = default;

  // `directory` is absolute, and exists. `thread` is the id that Node gives it, 0 for the main thread.
  void Start(const std::string& directory, uint64_t thread);
  void Stop();
  // Of a worker that Node ended for want of heap. REQUIRES: the isolate's last moments, with all its samples.
  void DumpAtEnd();

  // Where dumps go, or `nullptr`.
  const std::string* directory() const { return directory_; }
  // Why there may be none although they are wanted, or `nullptr`.
  const char* problem() const;

  // For tests: as if this Node.js did not export its handler. Of the whole process, from the next `Start` on.
  static void HideNodesHandler();

 private:
  static void OnOutOfMemory(const char* location, const v8::OOMDetails& details);
  static size_t OnNearHeapLimit(void* self, size_t current_limit, size_t initial_limit);

  v8::Isolate* const isolate_;
  const std::string* directory_ = nullptr;  // never freed
  uint64_t thread_ = 0;
  bool wanted_ = false;
  bool has_handler_ = false;
  bool has_callback_ = false;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_LIMIT_DUMP_H_
