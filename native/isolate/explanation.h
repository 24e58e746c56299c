// A request to an isolate to say what holds the sampled objects of some stacks. The isolate's own thread takes the
// snapshot; the one who asks looks again and again whether it is done.
//
// Thread safety: every method may be called from any thread, except `Run`, which belongs to the isolate's.
//
// Invariant: at most one request of the process is open, from `Make` to its end, whichever way it ends.

#ifndef MEMPROF_NATIVE_ISOLATE_EXPLANATION_H_
#define MEMPROF_NATIVE_ISOLATE_EXPLANATION_H_

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/shared.h"
#include "heap/direct_sampler.h"

namespace memprof {

class Explanation {
 public:
  enum class Outcome {
    kOpen = 0,
    kDone = 1,
    kStopped = 2,    // by the one who asked, or the isolate has ended
    kNoObjects = 3,  // the samples come from V8, which does not tell of which objects they are
    kHeapFull = 4,   // too little room up to the heap limit
  };

  explicit Explanation(std::vector<Ref> stacks) : stacks_(std::move(stacks)) {}
  Explanation(Explanation&& other) : stacks_(std::move(other.stacks_)) {}
  ~Explanation();

  // Nothing when another one is open.
  static std::optional<Shared<Explanation>> Make(std::vector<Ref> stacks);
  void Run(v8::Isolate* isolate, DirectSampler* sampler);
  // Ends it, as soon as V8 listens when it is running.
  void Stop();

  Outcome outcome() const { return outcome_.load(std::memory_order_acquire); }
  // REQUIRES: the outcome is `kDone`.
  const std::string& json() const { return json_; }

 private:
  void End(Outcome outcome);

  const std::vector<Ref> stacks_;
  std::atomic<bool> owns_ = false;  // the process's one place
  std::atomic<bool> stop_ = false;
  std::atomic<bool> claimed_ = false;  // by the isolate, or by `Stop`
  std::atomic<Outcome> outcome_ = Outcome::kOpen;
  std::string json_;
};

using ExplanationRef = Shared<Explanation>;

// Holds the question that an isolate was asked, and its answer.
class ExplanationBox {
 public:
  void Put(const ExplanationRef& request) {
    std::lock_guard<std::mutex> lock(mutex_);
    request_.reset();
    request_.emplace(request);
  }
  std::optional<ExplanationRef> Take() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::optional<ExplanationRef> taken;
    if (request_) taken.emplace(*request_);
    request_.reset();
    return taken;
  }

 private:
  std::mutex mutex_;
  std::optional<ExplanationRef> request_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_EXPLANATION_H_
