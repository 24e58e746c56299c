#include "binding/pool_job.h"

#include <memory>
#include <utility>

#include "binding/instance.h"

namespace memprof {

namespace {

// Not Napi::AsyncWorker, which turns every failure into an exception: a worker that is being terminated has
// no use for one.
struct Job {
  std::function<void()> work;                    // on a thread of the pool
  std::function<Napi::Value(Napi::Env)> result;  // on the thread that asked
  napi_async_work handle = nullptr;
  napi_deferred deferred = nullptr;
};

void Execute(napi_env, void* data) { static_cast<Job*>(data)->work(); }

void Complete(napi_env env, napi_status status, void* data) {
  std::unique_ptr<Job> job(static_cast<Job*>(data));
  napi_delete_async_work(env, job->handle);
  if (status != napi_ok) return;
  IsolateSampler* current = SamplerOf(env);
  uint64_t begin = current->WritingClock();
  Napi::Value result = job->result(env);
  current->CountWriting(begin);
  if (!result.IsEmpty()) napi_resolve_deferred(env, job->deferred, result);
}

}  // namespace

Napi::Value RunOnPool(Napi::Env env, std::function<void()> work,
                      std::function<Napi::Value(Napi::Env)> result) {
  auto job = std::make_unique<Job>(Job{std::move(work), std::move(result)});
  napi_value promise;
  napi_value name = Napi::String::New(env, "memprof");
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, nullptr, name, Execute, Complete, job.get(), &job->handle) != napi_ok) {
    return Napi::Value();
  }
  if (napi_queue_async_work(env, job->handle) != napi_ok) {
    napi_delete_async_work(env, job->handle);
    return Napi::Value();
  }
  job.release();
  return Napi::Value(env, promise);
}

}  // namespace memprof
