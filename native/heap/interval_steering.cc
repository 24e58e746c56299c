#include "heap/interval_steering.h"

#include <algorithm>
#include <atomic>

#include "base/clocks.h"
#include "base/sample_code.h"

namespace memprof {

namespace {

constinit std::atomic<uint64_t> wanted{0};

// Of the limit: with twice the samples, the cost stays below it.
constexpr double kCheap = 0.4;

}  // namespace

IntervalRange WantedIntervals() {
  uint64_t both = wanted.load(std::memory_order_relaxed);
  return {static_cast<uint32_t>(both), static_cast<uint32_t>(both >> 32)};
}

void WantIntervals(IntervalRange range) {
  wanted.store(uint64_t{range.coarsest} << 32 | range.finest, std::memory_order_relaxed);
}

void IntervalSteering::Start(double max_overhead, uint32_t interval, uint64_t now_ns) {
  *this = IntervalSteering();
  max_overhead_ = max_overhead;
  interval_ = interval;
  paid_at_ns_ = window_from_ns_ = now_ns;
}

MEMPROF_SAMPLE_CODE uint32_t IntervalSteering::interval(IntervalRange range) const {
  return std::clamp(interval_, range.finest, std::max(range.finest, range.coarsest));
}

MEMPROF_SAMPLE_CODE void IntervalSteering::Pay(uint64_t now_ns, uint64_t cost_ns, size_t live,
                                               IntervalRange range) {
  auto earned = static_cast<double>(Elapsed(paid_at_ns_, now_ns)) * max_overhead_;
  paid_at_ns_ = now_ns;
  // What earns more than the capacity earns the capacity.
  tokens_ns_ += static_cast<int64_t>(std::min(earned, static_cast<double>(2 * kCapacityNs)));
  tokens_ns_ = std::min(tokens_ns_, kCapacityNs) - static_cast<int64_t>(std::min(cost_ns, uint64_t{1} << 40));
  tokens_ns_ = std::max(tokens_ns_, -kCapacityNs);
  window_cost_ns_ += cost_ns;
  interval_ = interval(range);
  if ((tokens_ns_ < 0 || live > kTooManyLive) && Elapsed(coarsened_at_ns_, now_ns) >= kPatienceNs) {
    coarsened_at_ns_ = now_ns;
    interval_ = static_cast<uint32_t>(std::min<uint64_t>(uint64_t{interval_} * 2, range.coarsest));
  }
  uint64_t window = Elapsed(window_from_ns_, now_ns);
  if (window < kWindowNs) return;
  double share = static_cast<double>(window_cost_ns_) / static_cast<double>(window);
  if (tokens_ns_ > kCapacityNs / 10 * 9 && share < kCheap * max_overhead_ && live < kManyLive) {
    interval_ = std::max(interval_ / 2, range.finest);
  }
  window_from_ns_ = now_ns;
  window_cost_ns_ = 0;
}

}  // namespace memprof
