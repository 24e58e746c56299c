#include "binding/explain.h"

#include <optional>
#include <vector>

#include "isolate/isolate_registry.h"

namespace memprof {

namespace {

constexpr int kAnotherIsOpen = -1;
constexpr int kNoSuchThread = -2;

}  // namespace

Napi::Value Explain(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto stacks = info[0].As<Napi::Uint32Array>();
  uint64_t thread_id = info[1].As<Napi::Number>().Uint32Value();
  std::optional<ExplanationRef> made =
      Explanation::Make(std::vector<Ref>(stacks.Data(), stacks.Data() + stacks.ElementLength()));
  if (!made) return Napi::Number::New(env, kAnotherIsOpen);
  ExplanationRef request = *made;
  std::optional<Refreshment> asked = IsolateRegistry::Process()->Explain(thread_id, request);
  if (!asked) {
    request->Stop();
    return Napi::Number::New(env, kNoSuchThread);
  }
  Refreshment ringing = *asked;
  return Napi::Function::New(env, [request, ringing](const Napi::CallbackInfo& info) -> Napi::Value {
    Napi::Env env = info.Env();
    bool stop = info[0].ToBoolean().Value();
    // A thread that has ended counts as one that has answered.
    if (stop || (request->outcome() == Explanation::Outcome::kOpen && ringing.done())) request->Stop();
    Explanation::Outcome outcome = request->outcome();
    if (outcome != Explanation::Outcome::kDone) return Napi::Number::New(env, static_cast<int>(outcome));
    return Napi::String::New(env, request->json());
  });
}

}  // namespace memprof
