// Decides at each GC prologue whether there is time for a harvest.
//
// Thread safety: none; belongs to one isolate's thread.
//
// A token bucket of CPU time: harvests in prologues take at most `kPromisedNs` + max_overhead x wall time,
// over any stretch. The bucket holds less than is promised: the rest is for what one harvest costs beyond its
// prediction (a debt, paid before the next one). Idle time is not hoarded beyond the capacity, and the bucket
// begins full, so that a short program is covered whole.
//
// Figures must not grow old for ever where a harvest is dear: one is overdue when the last is `AgeLimit` ago.
// It is made at the next major GC, or at a minor one where it is short, though there is no time for it.
//
// Invariants:
// (1) It never starves: a prediction is clamped to the capacity and halves with every ten skips.
// (2) Once the capacity is spent, harvests are spaced by cost / max_overhead: skips are spread evenly.
// (3) Debt is paid in full before the next harvest in the budget, whatever ran it up; but harvests that the
//     program asked for (`kForced`) run up none beyond the capacity, or it would have none after them.
// (4) Overdue harvests take at most twice max_overhead, if they cost what was predicted.
// (5) A clock that jumps back earns nothing; one that jumps forward no more than the capacity, and one
//     overdue harvest.

#ifndef MEMPROF_NATIVE_COST_BUDGET_H_
#define MEMPROF_NATIVE_COST_BUDGET_H_

#include <cstdint>

namespace memprof {

enum class Verdict { kSkip, kInBudget, kOverdue };
enum class Payment { kInFull, kForced };

class CostBudget {
 public:
  static constexpr int64_t kPromisedNs = 100'000'000;
  static constexpr int64_t kCapacityNs = 60'000'000;

  static constexpr uint64_t kLeastAgeLimitNs = 60'000'000'000;
  // A long pause is bearable where a long pause is due anyway, but not any.
  static constexpr uint64_t kMajorPauses = 5;

  // `max_overhead` is a fraction of wall time, `max_pause_ns` the longest a harvest should take at a minor
  // GC; at a major one it may take `kMajorPauses` times as long.
  void Configure(double max_overhead, uint64_t max_pause_ns, uint64_t now_ns);

  // Whether to harvest now. `work` is how much there is to translate and read: nodes and samples, as far as
  // known.
  Verdict Decide(uint64_t now_ns, uint64_t work, bool major);
  // What a harvest in a prologue took, in CPU time, and how much work it was.
  void Spend(uint64_t now_ns, uint64_t cpu_ns, uint64_t work, Payment payment = Payment::kInFull);
  // The same for a harvest that is not paid from the budget, since a reader asked for it.
  void Learn(uint64_t now_ns, uint64_t cpu_ns, uint64_t work);
  // How old figures may become for want of time, where a harvest of so much work is due.
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
  uint64_t harvested_ns_ = 0;  // the last time, or the beginning
  uint64_t skips_in_a_row_ = 0;
  // Of the last three harvests, newest first. The median predicts: V8's first look at a huge script costs
  // many times what it costs from then on.
  double ns_per_work_[3] = {};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_COST_BUDGET_H_
