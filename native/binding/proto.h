// Profiles in pprof's proto, written on a thread of libuv's pool.

#ifndef MEMPROF_NATIVE_ADDON_PROTO_H_
#define MEMPROF_NATIVE_ADDON_PROTO_H_

#include <napi.h>

namespace memprof {

// Of the heap, or with `true` of buffers, as of now: a promise of what lib/native.ts calls `NativeSnapshot`.
Napi::Value TakeSnapshot(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ADDON_PROTO_H_
