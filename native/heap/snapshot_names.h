// Lets V8 give back the names that it makes for a heap snapshot.
//
// V8 keeps the names of snapshots in one storage with those of the sampler, and empties it only when neither a snapshot
// nor a sampler is left. The name of an edge of a WeakMap contains the ids of three objects, which are other ones in each
// snapshot, so a program that is sampled would keep half a megabyte and more of each snapshot. While a `SnapshotNames`
// lives, the heap profiler has a storage of its own for them, and V8 deletes it in the end.
//
// This writes to two words of V8's heap profiler (see v8_layout.h), and does nothing where they are not as they must be.
//
// Thread safety: must be used on the isolate's thread, by one thread of the process at a time.

#ifndef MEMPROF_NATIVE_HEAP_SNAPSHOT_NAMES_H_
#define MEMPROF_NATIVE_HEAP_SNAPSHOT_NAMES_H_

#include <v8-profiler.h>

#include <cstdint>

namespace memprof {

class SnapshotNames {
 public:
  // `sampler_word` is the word of `profiler` that points to the sampler that runs.
  SnapshotNames(v8::HeapProfiler* profiler, uintptr_t* sampler_word);
  SnapshotNames(const SnapshotNames&) = delete;
  SnapshotNames& operator=(const SnapshotNames&) = delete;
  // REQUIRES: snapshots taken meanwhile are deleted.
  ~SnapshotNames();

  // Whether the names are given back.
  bool active() const { return own_ != 0; }

 private:
  void LetV8Renew();

  v8::HeapProfiler* const profiler_;
  uintptr_t* const sampler_word_;
  uintptr_t* const names_word_;
  uintptr_t own_ = 0;  // the sampler's storage, which the profiler gets back; 0 where nothing was changed
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SNAPSHOT_NAMES_H_
