// Tells whether a full GC ran while something was done, where V8 does not say: a GC inside a GC's prologue
// calls no callbacks, and the size of the heap shrinks for other reasons, too.
//
// Thread safety: belongs to the isolate's thread.
//
// It is an object in the old generation that nothing else refers to, held weakly as long as it takes. A young
// GC leaves it alone. A full one takes it, unless its marking had begun before and come by already.

#ifndef MEMPROF_NATIVE_COLLECTION_PROBE_H_
#define MEMPROF_NATIVE_COLLECTION_PROBE_H_

#include <v8.h>

namespace memprof {

class CollectionProbe {
 public:
  // REQUIRES: not within `Begin` and `End`.
  void Reset() { object_.Reset(); }
  void Begin(v8::Isolate* isolate) {
    if (object_.IsEmpty()) {
      v8::HandleScope scope(isolate);
      object_.Reset(isolate, v8::Symbol::New(isolate));  // V8 makes them old
    }
    object_.SetWeak();
  }
  // True when there was a full GC since `Begin`.
  bool End() {
    if (object_.IsEmpty()) return true;
    object_.ClearWeak();
    return false;
  }

 private:
  v8::Global<v8::Symbol> object_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_COLLECTION_PROBE_H_
