// A sampled object that is alive, with the stack that allocated it. It leads from a record to what holds its
// memory: v8::HeapProfiler::GetObjectId(object) is the object's id in a heap snapshot that exists.

#ifndef MEMPROF_NATIVE_HEAP_SAMPLED_OBJECT_H_
#define MEMPROF_NATIVE_HEAP_SAMPLED_OBJECT_H_

#include <v8.h>

#include <cstdint>

#include "base/arena.h"

namespace memprof {

struct SampledObject {
  Ref stack;  // that of the record's bucket
  uint64_t size;
  // Many are objects of V8's own that JavaScript must never get, such as the elements of an array: ask
  // `IsObject()` first.
  v8::Local<v8::Value> object;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAMPLED_OBJECT_H_
