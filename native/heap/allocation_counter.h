// Counts every allocation on one isolate's heap for a while, independently of the profiler: it runs V8's
// sampler at interval 1.
//
// Thread safety: none; belongs to the isolate's thread.
//
// V8 numbers the samples it takes, so the number of allocations is known even when their samples are gone.
// With `kept`, V8 keeps the samples of dead objects too, until `Stop`. Reading the samples allocates in turn,
// so the count ends where a function with a name of its own (`kEndMark`) allocates.
//
// An allocation is what V8 allocates in one piece. Optimised code and V8's builtins allocate several objects
// at once.

#ifndef MEMPROF_NATIVE_HEAP_ALLOCATION_COUNTER_H_
#define MEMPROF_NATIVE_HEAP_ALLOCATION_COUNTER_H_

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

// What was allocated on one stack. At intervals other than 1, these are estimates.
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

  // False when this isolate is already being sampled, by us or others. Allocates nothing once V8 has begun.
  bool Start(uint64_t interval, int stack_depth, bool kept);
  // Reads what was allocated from `Start` to the end mark. False when somebody else stopped the sampler.
  bool Read(AllocationCounts* counts);
  // Must be called before the isolate is disposed.
  void Stop();
  bool running() const { return running_; }

 private:
  v8::Isolate* const isolate_;
  bool running_ = false;
  uint64_t interval_ = 1;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_ALLOCATION_COUNTER_H_
