// The state of the addon in one Node-API environment. An isolate may load the addon several times, for
// example under a test runner that empties the module cache. Each time makes a Node-API environment of its
// own, and all of them share the isolate's one sampler.
//
// Thread safety: none; belongs to the isolate's thread.

#ifndef MEMPROF_NATIVE_BINDING_INSTANCE_H_
#define MEMPROF_NATIVE_BINDING_INSTANCE_H_

#include <napi.h>

#include <optional>

#include "isolate/isolate_sampler.h"
#include "isolate/loop_call.h"

namespace memprof {

class AddonInstance {
 public:
  explicit AddonInstance(IsolateSampler* sampler) : sampler_(sampler->self()) {}
  AddonInstance(const AddonInstance&) = delete;
  AddonInstance& operator=(const AddonInstance&) = delete;

  // Node-API destroys it with the environment.
  static void Make(Napi::Env env, IsolateSampler* sampler) {
    env.SetInstanceData(new AddonInstance(sampler));
  }
  static AddonInstance* Of(Napi::Env env) { return env.GetInstanceData<AddonInstance>(); }

  IsolateSampler* sampler() const;
  // Sets what is called on this thread's loop after somebody else stopped our sampler. Replaces an earlier
  // callback.
  void set_on_displaced(Napi::Function callback);

 private:
  void TellDisplaced();

  const Shared<IsolateSampler*> sampler_;  // null when the sampler ended before the environment
  Napi::FunctionReference on_displaced_;
  std::optional<LoopCall> displaced_;
};

// The sampler of the calling isolate.
IsolateSampler* SamplerOf(Napi::Env env);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_INSTANCE_H_
