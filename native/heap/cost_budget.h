// Decides at each GC prologue whether there is time for a harvest.
//
// Thread safety: none; belongs to one isolate's thread.
//
// It is a token bucket of CPU time: over any stretch, harvests in prologues take at most `kPromisedNs` +
// max_overhead x wall time. The bucket holds less than is promised; the rest is for what one harvest costs
// beyond its prediction (a debt, which is paid before the next one). Idle time is not saved up beyond the
// capacity. The bucket begins full, so that a short program is covered completely.
//
// Figures must not grow old without limit where a harvest is expensive. A harvest is overdue when the last
// one was `AgeLimit` ago. It is then made at the next major GC, or at a minor one if it is short, although
// there is no time for it.
//
// Invariants:
// (1) Harvests never starve: a prediction is clamped to the capacity, and is halved with every ten skips.
// (2) Once the capacity is spent, harvests are spaced by cost / max_overhead, so that skips are spread
//     evenly.
// (3) A debt is paid in full before the next harvest in the budget, whatever caused it. Harvests that the
//     program asked for (`kForced`) cause none beyond the capacity, or there would be no harvests after them.
// (4) Overdue harvests take at most twice max_overhead, if they cost what was predicted.
// (5) A clock that jumps back earns nothing; one that jumps forward earns no more than the capacity, and one
//     overdue harvest.

#ifndef MEMPROF_NATIVE_HEAP_COST_BUDGET_H_
#define MEMPROF_NATIVE_HEAP_COST_BUDGET_H_

#include <cstdint>

namespace memprof {

enum class Verdict { kSkip, kInBudget, kOverdue };
enum class Payment { kInFull, kForced };

class CostBudget {
 public:
  static constexpr int64_t kPromisedNs = 100'000'000;
  static constexpr int64_t kCapacityNs = 60'000'000;

  static constexpr uint64_t kLeastAgeLimitNs = 60'000'000'000;
  // At a major GC, where a long pause is due anyway, a harvest may take so many times as long.
  static constexpr uint64_t kMajorPauses = 5;

  // `max_overhead` is a fraction of wall time, and `max_pause_ns` the longest that a harvest should take at a
  // minor GC.
  void Configure(double max_overhead, uint64_t max_pause_ns, uint64_t now_ns);

  // Whether to harvest now. `work` is the number of nodes and samples to translate and read, as far as it is
  // known.
  Verdict Decide(uint64_t now_ns, uint64_t work, bool major);
  // Charges the CPU time of a harvest in a prologue, which was so much work.
  void Spend(uint64_t now_ns, uint64_t cpu_ns, uint64_t work, Payment payment = Payment::kInFull);
  // The same for a harvest that the budget does not pay for, because a reader asked for it.
  void Learn(uint64_t now_ns, uint64_t cpu_ns, uint64_t work);
  // How old figures may become for lack of time, when a harvest is so much work.
  uint64_t AgeLimit(uint64_t work) const;

  uint64_t skips_in_a_row() const { return skips_in_a_row_; }
  int64_t tokens_ns() const { return tokens_ns_; }
  uint64_t Predict(uint64_t work) const;

 private:
  void Earn(uint64_t now_ns);

  double max_overhead_ = 0.005;
  uint64_t max_pause_ns_ = 20'000'000;
  int64_t tokens_ns_ = kCapacityNs;
  uint64_t refilled_ns_ = 0;
  uint64_t harvested_ns_ = 0;  // time of the last harvest, or of the beginning
  uint64_t skips_in_a_row_ = 0;
  // Of the last three harvests, newest first. Their median is the prediction, since V8's first look at a huge
  // script costs many times what later ones do.
  double ns_per_work_[3] = {};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_COST_BUDGET_H_
