// With this, any thread asks an isolate to bring its figures up to date, perhaps after a garbage collection.
// The isolate's own thread does the work.
//
// Thread safety: `Ring` and `Answered` may be called from any thread at any time, even after the isolate is
// gone; the rest belongs to the isolate's thread.
//
// An interrupt reaches an isolate that runs JavaScript or waits in `Atomics.wait`, and a message to its loop
// reaches an idle one. Both are sent, and whichever comes first does the work. Nothing reaches an isolate in
// a long native call, so those who ask must not wait without a limit.

#ifndef MEMPROF_NATIVE_ISOLATE_DOORBELL_H_
#define MEMPROF_NATIVE_ISOLATE_DOORBELL_H_

#include <node_api.h>
#include <v8.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/shared.h"
#include "isolate/loop_call.h"

namespace memprof {

class Doorbell;
using DoorbellRef = Shared<Doorbell>;

class Doorbell {
 public:
  // A request. It is answered when `Answered` says so, or never.
  struct Ticket {
    uint64_t number;
    bool collect;
  };

  // `work(collect)` may run inside an interrupt, so it must not run JavaScript.
  Doorbell(v8::Isolate* isolate, std::function<void(bool collect)> work)
      : isolate_(isolate), work_(std::move(work)) {}
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // From now on, rings reach the isolate. REQUIRES: called at most once.
  static void Listen(const DoorbellRef& doorbell, napi_env env);
  // From now on, no work is done and every request counts as answered.
  void Close();

  Ticket Ring(bool collect);
  bool Answered(const Ticket& ticket) const;

 private:
  // Invariant: answered <= asked. Both only grow.
  struct Queue {
    std::atomic<uint64_t> asked{0};
    std::atomic<uint64_t> answered{0};
  };

  static void OnInterrupt(v8::Isolate*, void* data);
  void Answer();

  v8::Isolate* const isolate_;
  const std::function<void(bool)> work_;
  Queue figures_;
  Queue collections_;
  std::atomic<bool> interrupting_{false};  // an interrupt is on its way
  bool answering_ = false;                 // a collection may run interrupts, which must not begin another
  std::atomic<bool> closed_{false};

  // Guards what another thread uses of an isolate that may be about to end.
  std::mutex mutex_;
  bool isolate_alive_ = false;
  std::optional<LoopCall> loop_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_DOORBELL_H_
