// Counts every allocation on one isolate's heap for a while: V8's sampler at interval 1, apart from the
// profiler.
//
// Thread safety: belongs to the isolate's thread.
//
// V8 numbers the samples it takes. So how many allocations there were is known even when their samples are
// gone; with `kept`, V8 keeps those of dead objects too, until `Stop`. What has to be read for that allocates
// by itself: the count ends where a function of a name that nobody else has allocates (`kEndMark`).
//
// An allocation is what V8 takes in one piece. Optimised code and V8's builtins take several objects at once.

#ifndef MEMPROF_NATIVE_ALLOCATION_COUNTER_H_
#define MEMPROF_NATIVE_ALLOCATION_COUNTER_H_

#include <v8-profiler.h>
#include <v8.h>

#include <cstdint>
#include <string>
#include <vector>

namespace memprof {

struct AllocationFrame {
  std::string function_name;
  std::string url;
  int line;
  int column;
};

// What was allocated on one stack; at other intervals than 1, estimates.
struct AllocationSite {
  double events = 0;
  double bytes = 0;
  std::vector<uint32_t> frames;  // leaf first, indexes of AllocationCounts::frames
};

struct AllocationCounts {
  uint64_t events = 0;
  std::vector<AllocationFrame> frames;
  std::vector<AllocationSite> sites;  // of the samples that V8 still has
};

class AllocationCounter {
 public:
  static constexpr const char* kEndMark = "memprofEndOfCount";

  explicit AllocationCounter(v8::Isolate* isolate) : isolate_(isolate) {}
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  // False when this isolate is sampled already, by whomever. Nothing is allocated after V8 was told to begin.
  bool Start(uint64_t interval, int stack_depth, bool kept);
  // What was allocated from `Start` to the end mark. False when somebody else stopped the sampler.
  bool Read(AllocationCounts* counts);
  // Must happen before the isolate is disposed.
  void Stop();
  bool running() const { return running_; }

 private:
  v8::Isolate* const isolate_;
  bool running_ = false;
  uint64_t interval_ = 1;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ALLOCATION_COUNTER_H_
