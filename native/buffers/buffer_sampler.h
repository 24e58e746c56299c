// Samples the buffers that one isolate allocates, with the stack of the call and its lines.
//
// Thread safety: made, used and destroyed on the isolate's thread.
//
// V8 may collect garbage where it asks for a buffer's memory, so a stack may be captured there. No stack is
// captured where that could end badly: inside a collection or another capture, while another isolate is at
// work or this one is being terminated, or with hardly any heap left. Such a sample counts under `(unknown)`.
//
// The time for samples is bounded, like that for harvests: 7 ms (at an interval of 512 KiB or more; up to
// 100 ms at smaller ones) and `max_overhead` of wall time. As it runs low, samples are thinned more and more,
// and each counts for more: figures stay right on average, but are less precise.
//
// Samples of large buffers have three times as much for themselves, which is filled from what the other
// allowance cannot hold. A few thousand of them are gigabytes, and the program pays more for the pages of one
// than for its sample. So the first gigabytes of a program are known well, although its code is cold.

#ifndef MEMPROF_NATIVE_BUFFERS_BUFFER_SAMPLER_H_
#define MEMPROF_NATIVE_BUFFERS_BUFFER_SAMPLER_H_

#include <v8.h>

#include <cstdint>
#include <vector>

#include "buffers/buffer_allocator.h"
#include "buffers/buffer_profile.h"
#include "buffers/even_counts.h"
#include "buffers/stack_cache.h"
#include "heap/async_labels.h"

namespace memprof {

struct BufferSamplerOptions {
  uint64_t interval;
  int stack_depth;
  double max_overhead;  // of the thread's time
  uint32_t thread;      // of the bucket keys; 0 to share buckets with other threads
  uint64_t existing;    // bytes that the isolate's allocator has given out so far
};

class BufferSampler final : private BufferListener {
 public:
  BufferSampler(v8::Isolate* isolate, const AsyncLabels* labels) : isolate_(isolate), labels_(labels) {}
  BufferSampler(const BufferSampler&) = delete;
  BufferSampler& operator=(const BufferSampler&) = delete;
  // REQUIRES: `Stop`.
  ~BufferSampler() = default;

  // False when buffers cannot be sampled: `problem()` says why.
  bool Start(const BufferSamplerOptions& options);
  void Stop();
  bool running() const { return profile_ != nullptr; }
  // The number of samples that one stands for at present.
  double thinning() const { return thinning_; }
  // Why the last `Start` failed, or `nullptr`.
  const char* problem() const { return problem_; }

  void OnPrologue() { collecting_ = true; }
  // `full` says that hardly any heap is left.
  void OnEpilogue(bool major, bool full);
  // There may have been a full GC for which V8 called no callbacks.
  void OnUnseenGc() {
    if (running()) stacks_.Clear();
  }

  // Whether all of the isolate's buffers are counted in the totals, sampled or not.
  static bool IsCounted(v8::Isolate* isolate);

 private:
  // Frames that were seen before, by their places: looking up their names costs more than everything else.
  struct KnownFrame {
    int script = 0;
    int line = 0;
    int column = 0;
    Ref frame = 0;
  };
  static constexpr size_t kKnownFrames = 1024;

  void OnSampled(const void* data, size_t bytes, double count) override;
  void Charge(uint64_t took_ns, bool is_large);
  void Earn(uint64_t now_ns);
  void Thin();
  bool MayCapture() const;
  Ref Capture();
  Ref Describe();
  Ref FrameOf(v8::Local<v8::StackFrame> frame);
  Ref InternFrame(v8::Local<v8::StackFrame> frame, v8::Location location);

  v8::Isolate* const isolate_;
  const AsyncLabels* const labels_;
  BufferProfile* profile_ = nullptr;
  BufferSamplerOptions options_{};
  const char* problem_ = nullptr;
  double budget_ns_ = 0;  // may be negative
  double most_budget_ns_ = 0;
  double large_budget_ns_ = 0;  // never negative: what it lacks is paid by the other
  uint64_t last_took_ns_ = 0;
  bool described_ = false;  // the stack of the last sample was not known before
  uint64_t earned_at_ns_ = 0;
  double thinning_ = 1;
  bool collecting_ = false;
  bool capturing_ = false;
  bool heap_full_ = false;
  EvenCounts counts_;
  StackCache stacks_;
  std::vector<KnownFrame> known_;
  std::vector<Ref> path_;  // outermost first; kept to spare allocations
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BUFFERS_BUFFER_SAMPLER_H_
