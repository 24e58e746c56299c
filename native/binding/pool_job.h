// Work on a thread of libuv's pool, for functions that return a promise.
//
// Thread safety: called on the thread of `env`.

#ifndef MEMPROF_NATIVE_BINDING_POOL_JOB_H_
#define MEMPROF_NATIVE_BINDING_POOL_JOB_H_

#include <napi.h>

#include <functional>

namespace memprof {

// Returns a promise of `result()`, which is called after `work()`. Empty when the thread is being terminated.
Napi::Value RunOnPool(Napi::Env env, std::function<void()> work,
                      std::function<Napi::Value(Napi::Env)> result);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_POOL_JOB_H_
