// Asks an isolate, from any thread, to do a little work on its own: to bring its figures up to date, perhaps
// after a garbage collection.
//
// Thread safety: `Ring` and `Answered` by any thread at any time, also after the isolate is gone; the rest by
// the isolate's thread.
//
// An interrupt reaches JavaScript that runs, or waits in `Atomics.wait`; a message to its loop reaches an
// idle isolate; nothing reaches one in a long native call. Both are sent, and whichever comes first does the
// work: who asks must not wait without a limit.

#ifndef MEMPROF_NATIVE_DOORBELL_H_
#define MEMPROF_NATIVE_DOORBELL_H_

#include <node_api.h>
#include <v8.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "isolate/loop_call.h"

namespace memprof {

class Doorbell;

// A counted reference. Not std::shared_ptr, which asks the C library for a symbol that older ones lack.
class DoorbellRef {
 public:
  DoorbellRef() = default;
  explicit DoorbellRef(Doorbell* doorbell);
  DoorbellRef(const DoorbellRef& other) : DoorbellRef(other.doorbell_) {}
  DoorbellRef(DoorbellRef&& other) noexcept : doorbell_(std::exchange(other.doorbell_, nullptr)) {}
  DoorbellRef& operator=(DoorbellRef other) noexcept {
    std::swap(doorbell_, other.doorbell_);
    return *this;
  }
  ~DoorbellRef();
  Doorbell* operator->() const { return doorbell_; }
  explicit operator bool() const { return doorbell_ != nullptr; }

 private:
  Doorbell* doorbell_ = nullptr;
};

// Lives as long as there are references to it.
class Doorbell {
 public:
  // What was asked for; answered when `Answered` says so, or never.
  struct Ticket {
    uint64_t number;
    bool collect;
  };

  // `work(collect)` may run inside an interrupt: it must not run JavaScript.
  Doorbell(v8::Isolate* isolate, std::function<void(bool collect)> work)
      : isolate_(isolate), work_(std::move(work)) {}
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // Without it nobody is reached. Once.
  void Listen(napi_env env);
  // Nothing is done for anybody any more. Everything asked counts as answered.
  void Close();

  Ticket Ring(bool collect);
  bool Answered(const Ticket& ticket) const;

 private:
  friend class DoorbellRef;
  // Invariant: answered <= asked. Both only grow.
  struct Queue {
    std::atomic<uint64_t> asked{0};
    std::atomic<uint64_t> answered{0};
  };

  static void OnInterrupt(v8::Isolate*, void* data);
  void Answer();

  std::atomic<uint32_t> references_{0};
  v8::Isolate* const isolate_;
  const std::function<void(bool)> work_;
  Queue figures_;
  Queue collections_;
  std::atomic<bool> interrupting_{false};  // an interrupt is on its way
  bool answering_ = false;                 // a collection may run interrupts: they must not begin another
  std::atomic<bool> closed_{false};

  // Guards what another thread uses of an isolate that may be about to end.
  std::mutex mutex_;
  bool isolate_alive_ = false;
  std::optional<LoopCall> loop_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_DOORBELL_H_
