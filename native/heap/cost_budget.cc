#include "heap/cost_budget.h"

#include <algorithm>
#include <cmath>

#include "base/clocks.h"

namespace memprof {

namespace {

// The fixed cost of a harvest, expressed as a number of nodes and samples. Most of it is V8's walk over the
// loaded scripts.
constexpr uint64_t kFixedWork = 500;

constexpr uint64_t kSkipsToHalve = 10;
constexpr uint64_t kMostHalvings = 30;

}  // namespace

void CostBudget::Configure(double max_overhead, uint64_t max_pause_ns, uint64_t now_ns) {
  max_overhead_ = max_overhead;
  max_pause_ns_ = max_pause_ns;
  tokens_ns_ = kCapacityNs;
  refilled_ns_ = harvested_ns_ = now_ns;
  skips_in_a_row_ = 0;
}

uint64_t CostBudget::Predict(uint64_t work) const {
  auto [a, b, c] = ns_per_work_;
  double typical = a;
  if (b != 0) typical = std::min(a, b);
  if (c != 0) typical = std::max(typical, std::min(std::max(a, b), c));  // the median
  return static_cast<uint64_t>(typical * static_cast<double>(work + kFixedWork));
}

uint64_t CostBudget::AgeLimit(uint64_t work) const {
  double twice = static_cast<double>(Predict(work)) / (2 * max_overhead_);
  return std::max(kLeastAgeLimitNs, static_cast<uint64_t>(std::min(twice, 1e18)));
}

void CostBudget::Earn(uint64_t now_ns) {
  double earned = static_cast<double>(Elapsed(refilled_ns_, now_ns)) * max_overhead_;
  if (earned < 1 && now_ns >= refilled_ns_) return;
  // In floating point, in which neither a debt nor a clock that jumped can overflow.
  double tokens = std::min(static_cast<double>(kCapacityNs), static_cast<double>(tokens_ns_) + earned);
  tokens_ns_ = std::llround(tokens);
  refilled_ns_ = now_ns;
  harvested_ns_ = std::min(harvested_ns_, now_ns);
}

Verdict CostBudget::Decide(uint64_t now_ns, uint64_t work, bool major) {
  Earn(now_ns);
  uint64_t predicted = Predict(work);
  uint64_t halvings = std::min(skips_in_a_row_ / kSkipsToHalve, kMostHalvings);
  uint64_t price = std::min<uint64_t>(predicted, kCapacityNs) >> halvings;
  bool bearable = predicted <= max_pause_ns_ * (major ? kMajorPauses : 1);
  if (bearable && tokens_ns_ >= static_cast<int64_t>(price)) return Verdict::kInBudget;
  bool overdue = Elapsed(harvested_ns_, now_ns) >= AgeLimit(work);
  if (overdue && (bearable || major)) return Verdict::kOverdue;
  ++skips_in_a_row_;
  return Verdict::kSkip;
}

void CostBudget::Spend(uint64_t now_ns, uint64_t cpu_ns, uint64_t work, Payment payment) {
  int64_t left = tokens_ns_ - static_cast<int64_t>(cpu_ns);
  tokens_ns_ = payment == Payment::kForced ? std::max(left, std::min(tokens_ns_, -kCapacityNs)) : left;
  skips_in_a_row_ = 0;
  Learn(now_ns, cpu_ns, work);
}

void CostBudget::Learn(uint64_t now_ns, uint64_t cpu_ns, uint64_t work) {
  harvested_ns_ = now_ns;
  double sample = static_cast<double>(cpu_ns) / static_cast<double>(work + kFixedWork);
  ns_per_work_[2] = ns_per_work_[1];
  ns_per_work_[1] = ns_per_work_[0];
  ns_per_work_[0] = sample;
}

}  // namespace memprof
