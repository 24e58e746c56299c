#include "heap/cost_budget.h"

#include <algorithm>
#include <cmath>

namespace memprof {

namespace {

// What a harvest costs before it met a node or a sample, as so many of them: most of it is V8's walk over the
// loaded scripts.
constexpr uint64_t kFixedWork = 500;

}  // namespace

void CostBudget::Configure(double max_overhead, uint64_t max_pause_ns, uint64_t now_ns) {
  max_overhead_ = max_overhead;
  max_pause_ns_ = max_pause_ns;
  tokens_ns_ = kCapacityNs;
  refilled_ns_ = now_ns;
  skips_in_a_row_ = 0;
}

uint64_t CostBudget::Predict(uint64_t work) const {
  auto [a, b, c] = ns_per_work_;
  double typical = a;
  if (b != 0) typical = std::min(a, b);
  if (c != 0) typical = std::max(typical, std::min(std::max(a, b), c));  // the median
  return static_cast<uint64_t>(typical * static_cast<double>(work + kFixedWork));
}

bool CostBudget::Allows(uint64_t now_ns, uint64_t work, bool major) {
  double earned = static_cast<double>(now_ns - refilled_ns_) * max_overhead_;
  if (earned >= 1) {
    tokens_ns_ =
        std::min<int64_t>(kCapacityNs, tokens_ns_ + std::llround(std::min(earned, 2.0 * kCapacityNs)));
    refilled_ns_ = now_ns;
  }
  uint64_t predicted = Predict(work);
  uint64_t price = std::min<uint64_t>(predicted, kCapacityNs) >> std::min<uint64_t>(skips_in_a_row_ / 10, 30);
  // A long pause is only bearable where a long pause is due anyway.
  bool too_long = predicted > max_pause_ns_ && !major;
  if (too_long || tokens_ns_ < static_cast<int64_t>(price)) {
    ++skips_in_a_row_;
    return false;
  }
  return true;
}

void CostBudget::Spend(uint64_t cpu_ns, uint64_t work) {
  // Harvests that may not be skipped can run up any debt; more than the capacity would never be paid back.
  tokens_ns_ = std::max(tokens_ns_ - static_cast<int64_t>(cpu_ns), -kCapacityNs);
  skips_in_a_row_ = 0;
  Learn(cpu_ns, work);
}

void CostBudget::Learn(uint64_t cpu_ns, uint64_t work) {
  double sample = static_cast<double>(cpu_ns) / static_cast<double>(work + kFixedWork);
  ns_per_work_[2] = ns_per_work_[1];
  ns_per_work_[1] = ns_per_work_[0];
  ns_per_work_[0] = sample;
}

}  // namespace memprof
