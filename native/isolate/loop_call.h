// Calls a function on an isolate's event loop when any thread asks for it.
//
// Thread safety: any thread may copy it, and call `Send`, at any time, even when the environment is gone; the
// rest belongs to the isolate's thread.
//
// A cleanup hook closes the loop's handle, and the environment's end waits for that hook. Thread-safe
// functions of Node-API would do the same, but Node.js 24 and later never free one that was not released, and
// Node.js 20 frees it in either case, so there is no right moment to release it.

#ifndef MEMPROF_NATIVE_ISOLATE_LOOP_CALL_H_
#define MEMPROF_NATIVE_ISOLATE_LOOP_CALL_H_

#include <node_api.h>
#include <v8.h>

#include <functional>
#include <mutex>

#include "base/shared.h"

namespace memprof {

class LoopCall {
 public:
  // `call` is called without a handle scope and without a context. It is destroyed when the environment
  // begins to end. It does not keep the loop alive. When there is no loop to be had, `Send` does nothing.
  LoopCall(napi_env env, v8::Isolate* isolate, std::function<void()> call);

  // Several calls of `Send` may lead to a single call. Allocates no memory, and does not call V8.
  void Send() const;

 private:
  struct Handle;
  // The part that other threads see, which may outlive the handle.
  struct Target {
    std::mutex mutex;
    Handle* handle = nullptr;
  };

  static void OnEnvironmentEnd(void* handle, void (*done)(void*), void* done_data);

  Shared<Target> target_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_LOOP_CALL_H_
