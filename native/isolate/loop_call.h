// Calls a function on an isolate's event loop when any thread asks for it.
//
// Thread safety: `Send`, and copies, by any thread at any time, also when the environment is gone; the rest
// by the isolate's thread.
//
// The loop's handle is closed by a hook that the environment's end waits for. Thread-safe functions of
// Node-API would do the same, but Node.js 24 and later never free one that was not released, and Node.js 20
// frees it whether it was or not, so that there is no right moment to release it.

#ifndef MEMPROF_NATIVE_LOOP_CALL_H_
#define MEMPROF_NATIVE_LOOP_CALL_H_

#include <node_api.h>
#include <v8.h>

#include <functional>
#include <mutex>

#include "base/shared.h"

namespace memprof {

class LoopCall {
 public:
  // `call` may come without a handle scope and without a context. It is destroyed when the environment begins
  // to end. Does not keep the loop alive. When the loop cannot be had, `Send` does nothing.
  LoopCall(napi_env env, v8::Isolate* isolate, std::function<void()> call);

  // Several calls may become one. Takes no memory and calls nothing of V8.
  void Send() const;

 private:
  struct Handle;
  // What other threads see. It may outlive the handle.
  struct Target {
    std::mutex mutex;
    Handle* handle = nullptr;
  };

  static void OnEnvironmentEnd(void* handle, void (*done)(void*), void* done_data);

  Shared<Target> target_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_LOOP_CALL_H_
