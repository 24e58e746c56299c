// Converts the figures behind `status()` into a JavaScript object.
//
// Thread safety: must be called on the thread of the environment.

#ifndef MEMPROF_NATIVE_BINDING_STATUS_H_
#define MEMPROF_NATIVE_BINDING_STATUS_H_

#include <napi.h>

namespace memprof {

// Returns a `NativeStatus` of lib/addon/status-figures.ts.
Napi::Value ReadStatus(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_STATUS_H_
