#include "isolate/loop_call.h"

#include <node.h>
#include <uv.h>

#include <utility>

namespace memprof {

// It lives until the loop has closed it.
struct LoopCall::Handle {
  explicit Handle(std::function<void()> call, Shared<Target> target)
      : call(std::move(call)), target(std::move(target)) {}

  uv_async_t async;
  std::function<void()> call;
  const Shared<Target> target;
  node::AsyncCleanupHookHandle hook;
  void (*done)(void*) = nullptr;
  void* done_data = nullptr;
};

LoopCall::LoopCall(napi_env env, v8::Isolate* isolate, std::function<void()> call)
    : target_(Shared<Target>::Make()) {
  uv_loop_t* loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return;
  auto* handle = new Handle(std::move(call), target_);
  auto on_call = [](uv_async_t* async) {
    auto* handle = static_cast<Handle*>(async->data);
    if (handle->call) handle->call();
  };
  if (uv_async_init(loop, &handle->async, on_call) != 0) {
    delete handle;
    return;
  }
  handle->async.data = handle;
  uv_unref(reinterpret_cast<uv_handle_t*>(&handle->async));
  handle->hook = node::AddEnvironmentCleanupHook(isolate, OnEnvironmentEnd, handle);
  std::lock_guard<std::mutex> lock(target_->mutex);
  target_->handle = handle;
}

void LoopCall::Send() const {
  std::lock_guard<std::mutex> lock(target_->mutex);
  if (target_->handle != nullptr) uv_async_send(&target_->handle->async);
}

void LoopCall::OnEnvironmentEnd(void* data, void (*done)(void*), void* done_data) {
  auto* handle = static_cast<Handle*>(data);
  {
    std::lock_guard<std::mutex> lock(handle->target->mutex);
    handle->target->handle = nullptr;
  }
  handle->call = nullptr;
  handle->done = done;
  handle->done_data = done_data;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->async), [](uv_handle_t* closed) {
    auto* handle = static_cast<Handle*>(closed->data);
    void (*done)(void*) = handle->done;
    void* done_data = handle->done_data;
    delete handle;
    done(done_data);
  });
}

}  // namespace memprof
