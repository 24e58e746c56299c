// Runs small concurrent programs in every order in which their atomic operations can follow one another.
//
// The threads of a program are coroutines of one thread. Each operation of a `ModelAtomic` first hands control
// back to the explorer, which decides whose turn it is. The explorer goes through all decisions, depth first,
// by running the program again from its start. It turns back where it has been before: what a thread does next
// follows from the values that it was given so far, so two moments are the same when the memory is, and the
// values that each thread was given are.
//
// Orders are those of sequential consistency. What weaker orders of memory could do is left to ThreadSanitizer.

#ifndef MEMPROF_TEST_NATIVE_INTERLEAVING_H_
#define MEMPROF_TEST_NATIVE_INTERLEAVING_H_

#undef _FORTIFY_SOURCE  // its longjmp refuses to go to another stack
#include <setjmp.h>
#include <ucontext.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "check.h"

namespace memprof::test {

class Explorer {
 public:
  using Body = std::function<void()>;

  // Calls `make` for each run: it sets the memory up and returns the threads. After each run that came to its
  // end it calls `check`. With `most_interruptions` only the orders in which threads are interrupted at most so
  // often. Returns how many different moments there were.
  static size_t Explore(const std::function<std::vector<Body>()>& make, const std::function<void()>& check,
                        size_t most_interruptions = ~size_t{0}) {
    Explorer explorer(make, check, most_interruptions);
    return explorer.Run();
  }

  static bool Active() { return active_ != nullptr && active_->running_ >= 0; }

  // Called by a thread before each operation that others can notice.
  static void Point() {
    if (!Active()) return;
    Thread& thread = active_->threads_[active_->running_];
    if (_setjmp(thread.at) == 0) _longjmp(active_->back_, 1);
  }

  // Tells the explorer a value that the running thread was given and may depend on.
  static void Observe(uint64_t value) {
    if (!Active()) return;
    uint64_t& history = active_->threads_[active_->running_].history;
    history = Combine(history, value);
  }

  // Tells it that memory changed.
  static void Changed(const void* at, uint64_t from, uint64_t to) {
    if (active_ == nullptr) return;
    active_->memory_ ^= Part(at, from) ^ Part(at, to);
  }

 private:
  static constexpr size_t kStackBytes = 64 * 1024;
  static constexpr size_t kMostSteps = 1000;  // of a run: more means that somebody waits for somebody

  struct Thread {
    Body body;
    std::unique_ptr<char[]> stack{new char[kStackBytes]};
    ucontext_t start;
    jmp_buf at;
    bool started = false;
    bool done = false;
    uint64_t history = 0;
  };

  Explorer(const std::function<std::vector<Body>()>& make, const std::function<void()>& check, size_t most)
      : make_(make), check_(check), most_interruptions_(most) {}

  static uint64_t Part(const void* at, uint64_t value) {
    return value == 0 ? 0 : Combine(reinterpret_cast<uintptr_t>(at), value);
  }

  size_t Run() {
    active_ = this;
    do {
      RunOnce();
    } while (failures == 0 && NextPath());
    active_ = nullptr;
    return seen_.size();
  }

  // Follows `path_` and then, where it has not been before, goes on with the same thread as long as it can.
  // Each step of the path says how many threads further than the last one it is.
  void RunOnce() {
    running_ = -1;
    memory_ = 0;
    std::vector<Body> bodies = make_();
    threads_.resize(bodies.size());
    for (size_t i = 0; i < bodies.size(); ++i) {
      Thread& thread = threads_[i];
      thread.body = std::move(bodies[i]);
      thread.started = thread.done = false;
      thread.history = 0;
    }
    size_t last = 0;
    size_t interruptions = 0;
    for (size_t step = 0;; ++step) {
      if (!CHECK(step < kMostSteps)) return;
      if (step == path_.size()) {
        if (!seen_.insert(Moment(last, interruptions)).second) return;
        size_t further = 0;
        while (further != threads_.size() && threads_[(last + further) % threads_.size()].done) ++further;
        if (further == threads_.size()) break;
        path_.push_back(further);
      }
      size_t next = (last + path_[step]) % threads_.size();
      if (threads_[next].done) return;
      if (next != last && threads_[last].started && !threads_[last].done) ++interruptions;
      if (interruptions > most_interruptions_) return;
      last = next;
      Resume(next);
    }
    check_();
  }

  bool NextPath() {
    while (!path_.empty()) {
      if (++path_.back() < threads_.size()) return true;
      path_.pop_back();
    }
    return false;
  }

  uint64_t Moment(size_t last, size_t interruptions) const {
    uint64_t moment = memory_;
    // Without a limit it does not matter who ran last.
    if (most_interruptions_ != ~size_t{0}) moment = Combine(moment, last << 32 | interruptions);
    for (const Thread& thread : threads_) {
      moment = Combine(moment, thread.history * 4 + thread.started * 2 + thread.done);
    }
    return moment;
  }

  static void Enter() {
    Explorer* explorer = active_;
    Thread& thread = explorer->threads_[explorer->running_];
    thread.body();
    explorer->threads_[explorer->running_].done = true;
    _longjmp(explorer->back_, 1);
  }

  // Lets a thread do one operation.
  void Resume(size_t which) {
    Thread& thread = threads_[which];
    running_ = static_cast<int>(which);
    if (_setjmp(back_) == 0) {
      if (thread.started) _longjmp(thread.at, 1);
      thread.started = true;
      getcontext(&thread.start);
      thread.start.uc_stack.ss_sp = thread.stack.get();
      thread.start.uc_stack.ss_size = kStackBytes;
      thread.start.uc_link = nullptr;
      makecontext(&thread.start, Enter, 0);
      setcontext(&thread.start);
    }
    running_ = -1;
  }

  static inline Explorer* active_ = nullptr;

  const std::function<std::vector<Body>()>& make_;
  const std::function<void()>& check_;
  std::vector<Thread> threads_;
  const size_t most_interruptions_;
  std::vector<size_t> path_;
  std::unordered_set<uint64_t> seen_;
  uint64_t memory_ = 0;
  int running_ = -1;
  jmp_buf back_;
};

// As much of std::atomic as is needed. Zeroed memory is one that holds 0.
template <typename T>
class ModelAtomic {
 public:
  ModelAtomic() = default;
  constexpr ModelAtomic(T value) : value_(value) {}

  T load(std::memory_order = std::memory_order_seq_cst) const {
    Explorer::Point();
    Explorer::Observe(value_);
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    Explorer::Point();
    Explorer::Observe(1);  // that the store is done
    Set(value);
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    Explorer::Point();
    T old = value_;
    Explorer::Observe(old);
    Set(value);
    return old;
  }
  T fetch_add(T value, std::memory_order = std::memory_order_seq_cst) {
    Explorer::Point();
    T old = value_;
    Explorer::Observe(old);
    Set(static_cast<T>(old + value));
    return old;
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
    Explorer::Point();
    Explorer::Observe(value_);
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    Set(desired);
    return true;
  }
  // The same without giving anybody else a turn.
  T Peek() const { return value_; }
  void Put(T value) { Set(value); }

 private:
  void Set(T value) {
    Explorer::Changed(this, value_, value);
    value_ = value;
  }

  T value_{};
};

}  // namespace memprof::test

#endif  // MEMPROF_TEST_NATIVE_INTERLEAVING_H_
