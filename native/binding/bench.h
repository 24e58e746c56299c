// For `memprof/bench`: calls a function, and measures what the calls allocated.

#ifndef MEMPROF_NATIVE_BINDING_BENCH_H_
#define MEMPROF_NATIVE_BINDING_BENCH_H_

#include <napi.h>

namespace memprof {

Napi::Value ReadMeter(const Napi::CallbackInfo& info);
Napi::Value MeterCalls(const Napi::CallbackInfo& info);
Napi::Value StartCount(const Napi::CallbackInfo& info);
Napi::Value CountCalls(const Napi::CallbackInfo& info);
Napi::Value EndCount(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_BENCH_H_
