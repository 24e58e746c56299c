// Records, stacks and frames of a profile as JavaScript values. The last argument of each function chooses
// the profile: false is that of the heap, true that of buffers.

#ifndef MEMPROF_NATIVE_BINDING_RECORDS_H_
#define MEMPROF_NATIVE_BINDING_RECORDS_H_

#include <napi.h>

namespace memprof {

// A record is one bucket: four figures and the ref of its stack. The first argument is that of Go's
// MemProfile: whether to include records with nothing in use.
Napi::Value CountRecords(const Napi::CallbackInfo& info);
Napi::Value ReadRecords(const Napi::CallbackInfo& info);
// The refs of a stack's frames, leaf first.
Napi::Value StackFrames(const Napi::CallbackInfo& info);
Napi::Value ReadFrame(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_RECORDS_H_
