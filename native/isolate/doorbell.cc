#include "isolate/doorbell.h"

namespace memprof {

namespace {

// Of this thread's isolate, until it is closed.
thread_local Doorbell* listening = nullptr;

}  // namespace

DoorbellRef::DoorbellRef(Doorbell* doorbell) : doorbell_(doorbell) {
  if (doorbell_ != nullptr) doorbell_->references_.fetch_add(1, std::memory_order_relaxed);
}

DoorbellRef::~DoorbellRef() {
  if (doorbell_ != nullptr && doorbell_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete doorbell_;
  }
}

void Doorbell::Listen(napi_env env) {
  listening = this;
  LoopCall loop(env, isolate_, [self = DoorbellRef(this)] { self->Answer(); });
  std::lock_guard<std::mutex> lock(mutex_);
  loop_.emplace(loop);
  isolate_alive_ = true;
}

void Doorbell::Close() {
  if (listening == this) listening = nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  isolate_alive_ = false;
  closed_ = true;
}

Doorbell::Ticket Doorbell::Ring(bool collect) {
  Queue& queue = collect ? collections_ : figures_;
  Ticket ticket{queue.asked.fetch_add(1) + 1, collect};
  std::lock_guard<std::mutex> lock(mutex_);
  if (!isolate_alive_) return ticket;
  // V8 drops interrupts that have not come when the isolate ends: this one owns nothing.
  if (!interrupting_.exchange(true)) isolate_->RequestInterrupt(OnInterrupt, nullptr);
  loop_->Send();
  return ticket;
}

bool Doorbell::Answered(const Ticket& ticket) const {
  const Queue& queue = ticket.collect ? collections_ : figures_;
  return closed_ || queue.answered.load() >= ticket.number;
}

void Doorbell::OnInterrupt(v8::Isolate* isolate, void*) {
  Doorbell* self = listening;
  if (self == nullptr || self->isolate_ != isolate) return;
  // First: who rings from here on needs another interrupt.
  self->interrupting_ = false;
  self->Answer();
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
