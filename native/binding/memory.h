#ifndef MEMPROF_NATIVE_BINDING_MEMORY_H_
#define MEMPROF_NATIVE_BINDING_MEMORY_H_

#include <napi.h>

namespace memprof {

// See `NativeMemory` in lib/addon/native.ts.
Napi::Value ReadMemory(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_MEMORY_H_
