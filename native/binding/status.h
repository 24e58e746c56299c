// What `status()` says, as a JavaScript object.

#ifndef MEMPROF_NATIVE_BINDING_STATUS_H_
#define MEMPROF_NATIVE_BINDING_STATUS_H_

#include <napi.h>

namespace memprof {

// `NativeStatus` of lib/addon/status-figures.ts.
Napi::Value ReadStatus(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_STATUS_H_
