// Chooses the interval between samples, so that what sampling and reading cost together stays below
// max_overhead: finer while that is cheap, coarser before it becomes too much.
//
// Thread safety: none, except for `WantedIntervals` and `WantIntervals`, which any thread may call.
//
// It is a token bucket of time. What is spent beyond it coarsens the interval at once; to become finer, the
// bucket must be nearly full, and a stretch of `kWindowNs` must have cost so little that twice the samples
// fit.

#ifndef MEMPROF_NATIVE_HEAP_INTERVAL_STEERING_H_
#define MEMPROF_NATIVE_HEAP_INTERVAL_STEERING_H_

#include <cstddef>
#include <cstdint>

namespace memprof {

// Mean bytes between two samples. Equal ends fix the interval.
struct IntervalRange {
  uint32_t finest = 0;
  uint32_t coarsest = 0;
  bool operator==(const IntervalRange&) const = default;
};

// The range for all threads of the process.
IntervalRange WantedIntervals();
void WantIntervals(IntervalRange range);

class IntervalSteering {
 public:
  static constexpr int64_t kCapacityNs = 50'000'000;
  static constexpr uint64_t kWindowNs = 2'000'000'000;
  // From one coarsening to the next, so that its effect is seen.
  static constexpr uint64_t kPatienceNs = 100'000'000;
  // Each sample of a live object takes memory, so the interval does not become finer when there are so many.
  static constexpr size_t kManyLive = 1 << 15;
  static constexpr size_t kTooManyLive = 1 << 17;

  void Start(double max_overhead, uint32_t interval, uint64_t now_ns);
  uint32_t interval(IntervalRange range) const;
  // Counts `cost_ns` of work, which ended now. `live` is the number of samples of live objects.
  void Pay(uint64_t now_ns, uint64_t cost_ns, size_t live, IntervalRange range);

 private:
  double max_overhead_ = 0;
  uint32_t interval_ = 0;
  int64_t tokens_ns_ = kCapacityNs;
  uint64_t paid_at_ns_ = 0;
  uint64_t coarsened_at_ns_ = 0;
  uint64_t window_from_ns_ = 0;
  uint64_t window_cost_ns_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_INTERVAL_STEERING_H_
