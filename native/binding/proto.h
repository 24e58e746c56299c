// Encodes profiles as pprof's `profile.proto` on a thread of libuv's pool.

#ifndef MEMPROF_NATIVE_BINDING_PROTO_H_
#define MEMPROF_NATIVE_BINDING_PROTO_H_

#include <napi.h>

namespace memprof {

// Takes the profile of the heap, or with the argument true of buffers, as of now. Returns a promise of what
// lib/addon/native.ts calls `NativeSnapshot`.
Napi::Value TakeSnapshot(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_PROTO_H_
