// Reads what was in use at earlier moments.

#ifndef MEMPROF_NATIVE_BINDING_MOMENTS_H_
#define MEMPROF_NATIVE_BINDING_MOMENTS_H_

#include <napi.h>

namespace memprof {

// lib/addon/native.ts says what they take and return.
Napi::Value ReadPeak(const Napi::CallbackInfo& info);
Napi::Value HistoryTimes(const Napi::CallbackInfo& info);
Napi::Value ReadMoment(const Napi::CallbackInfo& info);
Napi::Value AddMoment(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_MOMENTS_H_
