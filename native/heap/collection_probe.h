// Detects whether a full GC ran during an operation, where V8 does not say: a GC inside a GC's prologue calls
// no callbacks, and the heap also shrinks for other reasons.
//
// Thread safety: none; belongs to the isolate's thread.
//
// The probe is an object in the old generation to which nothing else refers, and which is held weakly during
// the operation. A young GC leaves it alone. A full one collects it, unless its marking began earlier and has
// already reached it.

#ifndef MEMPROF_NATIVE_HEAP_COLLECTION_PROBE_H_
#define MEMPROF_NATIVE_HEAP_COLLECTION_PROBE_H_

#include <v8.h>

namespace memprof {

class CollectionProbe {
 public:
  // REQUIRES: not called between `Begin` and `End`.
  void Reset() { object_.Reset(); }
  void Begin(v8::Isolate* isolate) {
    if (object_.IsEmpty()) {
      v8::HandleScope scope(isolate);
      object_.Reset(isolate, v8::Symbol::New(isolate));  // V8 allocates symbols in the old generation
    }
    object_.SetWeak();
  }
  // Whether there was a full GC since `Begin`.
  bool End() {
    if (object_.IsEmpty()) return true;
    object_.ClearWeak();
    return false;
  }

 private:
  v8::Global<v8::Symbol> object_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_COLLECTION_PROBE_H_
