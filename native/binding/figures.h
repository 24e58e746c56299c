// Figures as JavaScript objects.

#ifndef MEMPROF_NATIVE_ADDON_FIGURES_H_
#define MEMPROF_NATIVE_ADDON_FIGURES_H_

#include <napi.h>

#include <algorithm>

namespace memprof {

template <typename Array, typename Values>
Array ToTypedArray(Napi::Env env, const Values& values) {
  Array array = Array::New(env, values.size());
  if (array.Data() == nullptr) return array;  // empty, or made while the worker was being terminated
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// `process`: of all threads; else of the calling thread's isolate alone.
Napi::Value ReadMemFigures(const Napi::CallbackInfo& info);
// Of all buffers that are counted, and whether the calling thread's are.
Napi::Value ReadBufferFigures(const Napi::CallbackInfo& info);
// See lib/meter-on-thread.ts.
Napi::Value WritingClock(const Napi::CallbackInfo& info);
void CountWriting(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ADDON_FIGURES_H_
