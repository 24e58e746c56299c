#include "isolate/doorbell.h"

#include <memory>

namespace memprof {

DoorbellRef::DoorbellRef(Doorbell* doorbell) : doorbell_(doorbell) {
  if (doorbell_ != nullptr) doorbell_->references_.fetch_add(1, std::memory_order_relaxed);
}

DoorbellRef::~DoorbellRef() {
  if (doorbell_ != nullptr && doorbell_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete doorbell_;
  }
}

void Doorbell::ListenOnLoop(napi_env env) {
  napi_value name;
  if (napi_create_string_utf8(env, "memprof", NAPI_AUTO_LENGTH, &name) != napi_ok) return;
  // Both callbacks are given one reference, which the last of them drops.
  auto* self = new DoorbellRef(this);
  napi_threadsafe_function loop;
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 1, 1, self, OnLoopEnd, self, OnLoop,
                                      &loop) != napi_ok) {
    delete self;
    return;
  }
  napi_unref_threadsafe_function(env, loop);
  std::lock_guard<std::mutex> lock(mutex_);
  loop_ = loop;
}

void Doorbell::OnLoopEnd(napi_env, void* data, void*) {
  auto* self = static_cast<DoorbellRef*>(data);
  {
    std::lock_guard<std::mutex> lock((*self)->mutex_);
    (*self)->loop_ = nullptr;
  }
  delete self;
}

void Doorbell::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  isolate_alive_ = false;
  closed_ = true;
}

Doorbell::Ticket Doorbell::Ring(bool collect) {
  Queue& queue = collect ? collections_ : figures_;
  Ticket ticket{queue.asked.fetch_add(1) + 1, collect};
  std::lock_guard<std::mutex> lock(mutex_);
  if (!isolate_alive_) return ticket;
  if (!interrupting_.exchange(true)) {
    // An isolate that ends before it is interrupted forgets the reference, and a few hundred bytes with it.
    isolate_->RequestInterrupt(OnInterrupt, new DoorbellRef(this));
  }
  if (loop_ != nullptr) napi_call_threadsafe_function(loop_, nullptr, napi_tsfn_nonblocking);
  return ticket;
}

bool Doorbell::Answered(const Ticket& ticket) const {
  const Queue& queue = ticket.collect ? collections_ : figures_;
  return closed_ || queue.answered.load() >= ticket.number;
}

void Doorbell::OnInterrupt(v8::Isolate*, void* data) {
  std::unique_ptr<DoorbellRef> self(static_cast<DoorbellRef*>(data));
  // First: who rings from here on needs another interrupt.
  (*self)->interrupting_ = false;
  (*self)->Answer();
}

void Doorbell::OnLoop(napi_env env, napi_value, void* context, void*) {
  // Without an environment this one is being torn down.
  if (env != nullptr) (*static_cast<DoorbellRef*>(context))->Answer();
}

void Doorbell::Answer() {
  if (closed_ || answering_) return;
  answering_ = true;
  // What is asked for while we work is for the next time.
  uint64_t collections = collections_.asked.load();
  uint64_t figures = figures_.asked.load();
  bool collect = collections != collections_.answered.load();
  if (collect || figures != figures_.answered.load()) {
    v8::HandleScope scope(isolate_);
    work_(collect);
    collections_.answered = collections;
    figures_.answered = figures;
  }
  answering_ = false;
}

}  // namespace memprof
