#include "binding/instance.h"

#include "isolate/isolate_registry.h"

namespace memprof {

IsolateSampler* AddonInstance::sampler() const {
  return *sampler_ != nullptr ? *sampler_ : IsolateRegistry::Process()->FindOrMake();
}

void AddonInstance::set_on_displaced(Napi::Function callback) {
  on_displaced_ = Napi::Persistent(callback);
  if (!displaced_) displaced_.emplace(callback.Env(), sampler()->isolate(), [this] { TellDisplaced(); });
  sampler()->set_on_displaced([call = *displaced_] { call.Send(); });
}

void AddonInstance::TellDisplaced() {
  Napi::Env env = on_displaced_.Env();
  Napi::HandleScope scope(env);
  napi_value callback = on_displaced_.Value();
  napi_value receiver = env.Global();
  if (callback == nullptr || receiver == nullptr) return;
  // An exception would end the program, and this is no reason to end it.
  if (napi_make_callback(env, nullptr, receiver, callback, 0, nullptr, nullptr) == napi_pending_exception) {
    napi_value exception;
    napi_get_and_clear_last_exception(env, &exception);
  }
}

IsolateSampler* SamplerOf(Napi::Env env) { return AddonInstance::Of(env)->sampler(); }

}  // namespace memprof
