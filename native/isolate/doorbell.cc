#include "isolate/doorbell.h"

namespace memprof {

namespace {

// The one of this thread's isolate, until it is closed.
thread_local Doorbell* listening = nullptr;

}  // namespace

void Doorbell::Listen(const DoorbellRef& doorbell, napi_env env) {
  listening = &*doorbell;
  LoopCall loop(env, doorbell->isolate_, [doorbell] { doorbell->Answer(); });
  std::lock_guard<std::mutex> lock(doorbell->mutex_);
  doorbell->loop_.emplace(loop);
  doorbell->isolate_alive_ = true;
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
  // The interrupt owns nothing, since V8 drops those that have not come when the isolate ends.
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
  // Before answering: whoever rings from now on needs another interrupt.
  self->interrupting_ = false;
  self->Answer();
}

void Doorbell::Answer() {
  if (closed_ || answering_) return;
  answering_ = true;
  // What is asked for during the work is left for the next time.
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
