// Figures as JavaScript objects.

#ifndef MEMPROF_NATIVE_BINDING_FIGURES_H_
#define MEMPROF_NATIVE_BINDING_FIGURES_H_

#include <napi.h>

#include <algorithm>

namespace memprof {

template <typename Array, typename Values>
Array ToTypedArray(Napi::Env env, const Values& values) {
  Array array = Array::New(env, values.size());
  if (array.Data() == nullptr) return array;  // it is empty, or the worker is being terminated
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// With the argument true, of all threads, otherwise of the calling thread's isolate.
Napi::Value ReadMemFigures(const Napi::CallbackInfo& info);
// Of all buffers that are counted, and whether those of the calling thread are.
Napi::Value ReadBufferFigures(const Napi::CallbackInfo& info);
// See lib/addon/meter-on-thread.ts.
Napi::Value WritingClock(const Napi::CallbackInfo& info);
void CountWriting(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_FIGURES_H_
