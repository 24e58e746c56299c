// The dump before the crash: when V8 runs out of heap, this writes the profile to a file. After that Node.js
// proceeds as it would have done. Each isolate has one.
//
// While a dump is wanted, V8's out-of-memory handler is ours; it calls Node's own when it is done. Where this
// Node.js does not export its handler, a near-heap-limit callback stands in for it, on the main thread only:
// V8 calls just the callback that was added last, and in a worker ours would hide Node's, which ends the
// worker instead of the process. A worker that Node ended that way dumps when its environment is torn down.
//
// Thread safety: made, used and destroyed on the isolate's thread. V8 may call the out-of-memory handler on a
// helper thread of its own, even while the isolate's thread is inside a GC.
//
// Invariants:
// (1) The out-of-memory handler does not call V8, and waits for no lock without a limit. The profile is what
//     the tables hold: as of this moment where we take the isolate's samples ourselves, else as of the last GC
//     that was harvested. The handler allocates no memory, with two exceptions: a helper thread needs some to
//     find out that it is one; and on the isolate's thread, if V8's heap is full and not the system's memory,
//     the function given to `set_update` may allocate.
// (2) At most one dump is under way in the process. Another thread that runs out of heap waits a while for
//     it, because its own end would cut off the first one's dump.
// (3) A process writes at most `kMostDumps` files, and one more when it dies, each of at most `kMostBytes`
//     and a trailer.

#ifndef MEMPROF_NATIVE_DUMP_HEAP_LIMIT_DUMP_H_
#define MEMPROF_NATIVE_DUMP_HEAP_LIMIT_DUMP_H_

#include <v8.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace memprof {

struct ProfileTextFacts;

class HeapLimitDump {
 public:
  static constexpr unsigned kMostDumps = 16;
  static constexpr size_t kMostBytes = size_t{32} << 20;

  // Sets where the dumps of the process get their facts; `read` must keep invariant (1).
  // REQUIRES: comes before the first `Start`.
  static void SetFacts(void (*read)(ProfileTextFacts*));

  explicit HeapLimitDump(v8::Isolate* isolate) : isolate_(isolate) {}
  HeapLimitDump(const HeapLimitDump&) = delete;
  HeapLimitDump& operator=(const HeapLimitDump&) = delete;
  // REQUIRES: `Stop`.
  ~HeapLimitDump() = default;

  // Sets what brings the tables up to date before a dump on the isolate's thread. It must not call V8, which
  // may be in the middle of a GC. It returns false when it had to leave the tables as they were at the last GC,
  // and the message about the dump then says so.
  void set_update(std::function<bool()> update) { update_ = std::move(update); }

  // `directory` is absolute, and exists. `thread` is the id that Node.js gives the thread, 0 for the main
  // one.
  void Start(const std::string& directory, uint64_t thread);
  void Stop();
  // Dumps for a worker that Node.js ended because it ran out of heap.
  // REQUIRES: the isolate is about to end, and its samples are still there.
  void DumpAtEnd();

  // Where dumps go, or `nullptr`.
  const std::string* directory() const { return directory_; }
  // Why a dump may be missing although it is wanted, or `nullptr`.
  const char* problem() const;

  // For tests: from the next `Start` on, the whole process behaves as if Node.js did not export its handler.
  static void HideNodesHandler();
  // For tests: ends the process as when V8 runs out of heap at this moment. Does nothing unless `Start` set
  // our handler.
  static void PretendOutOfMemory();

 private:
  static void OnOutOfMemory(const char* location, const v8::OOMDetails& details);
  static size_t OnNearHeapLimit(void* self, size_t current_limit, size_t initial_limit);

  bool Update() const { return !update_ || update_(); }

  v8::Isolate* const isolate_;
  std::function<bool()> update_;
  const std::string* directory_ = nullptr;  // never freed
  uint64_t thread_ = 0;
  bool wanted_ = false;
  bool has_handler_ = false;
  bool has_callback_ = false;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_DUMP_HEAP_LIMIT_DUMP_H_
