// The budget under a simulated clock: GCs come, harvests cost what the test says.

#include "heap/cost_budget.h"

#include <algorithm>
#include <vector>

#include "check.h"

namespace memprof {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1000 * kMs;
constexpr int64_t kCapacity = CostBudget::kCapacityNs;
constexpr uint64_t kFixedWork = 500;  // what the model adds to every harvest's work

struct Harvested {
  uint64_t at;
  uint64_t cost;
  uint64_t overdraft;  // what it cost beyond the tokens there were
};

// Work for which a budget that learned `cost_a_unit` predicts `cost`.
uint64_t WorkFor(uint64_t cost, uint64_t cost_a_unit) { return cost / cost_a_unit - kFixedWork; }

class Simulation {
 public:
  Simulation(double max_overhead, uint64_t max_pause = kSecond) : max_overhead_(max_overhead) {
    budget_.Configure(max_overhead, max_pause, now_);
  }

  void Wait(uint64_t ns) { now_ += ns; }
  bool Gc(uint64_t work, uint64_t cost, bool major = true) {
    if (!budget_.Allows(now_, work, major)) {
      ++skipped_;
      return false;
    }
    int64_t had = budget_.tokens_ns();
    CHECK(had >= 0);
    budget_.Spend(cost, work);
    uint64_t overdraft = static_cast<int64_t>(cost) > had ? cost - had : 0;
    harvests_.push_back({now_, cost, overdraft});
    return true;
  }

  // The promise: over any stretch at most the capacity and the share of its wall time, but for what one
  // harvest cost beyond its prediction.
  void CheckEveryStretch() const {
    for (size_t first = 0; first < harvests_.size(); ++first) {
      uint64_t sum = 0;
      uint64_t worst = 0;
      for (size_t last = first; last < harvests_.size(); ++last) {
        sum += harvests_[last].cost;
        worst = std::max(worst, harvests_[last].overdraft);
        double wall = static_cast<double>(harvests_[last].at - harvests_[first].at);
        double allowed = static_cast<double>(kCapacity) + max_overhead_ * wall + static_cast<double>(worst);
        if (!CHECK(static_cast<double>(sum) <= allowed + 1000)) return;
      }
    }
  }

  CostBudget& budget() { return budget_; }
  uint64_t now() const { return now_; }
  uint64_t skipped() const { return skipped_; }
  const std::vector<Harvested>& harvests() const { return harvests_; }

 private:
  const double max_overhead_;
  CostBudget budget_;
  uint64_t now_ = 77 * kSecond;
  uint64_t skipped_ = 0;
  std::vector<Harvested> harvests_;
};

// Costs that follow the work, with noise and now and then a surprise, at GCs as irregular.
void RunRandomly(Simulation* simulation, uint64_t seed, int gcs) {
  test::Random random(seed);
  for (int i = 0; i < gcs; ++i) {
    simulation->Wait(random.OneIn(500) ? 30 * kSecond : random.Below(40 * kMs));
    uint64_t work = 100 + random.Below(5000);
    uint64_t cost = work * (700 + random.Below(600));
    if (random.OneIn(200)) cost *= 10;
    simulation->Gc(work, cost, random.OneIn(20));
  }
}

TEST(CostBudgetHoldsOverEveryStretch) {
  for (double max_overhead : {0.001, 0.005, 0.05}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      Simulation simulation(max_overhead);
      RunRandomly(&simulation, seed, test::Scaled(30'000));
      CHECK(simulation.harvests().size() > 50);
      simulation.CheckEveryStretch();
    }
  }
}

TEST(CostBudgetIsNotWastedEither) {
  Simulation simulation(0.005);
  RunRandomly(&simulation, 9, 30'000);
  uint64_t sum = 0;
  for (const Harvested& each : simulation.harvests()) sum += each.cost;
  uint64_t wall = simulation.now() - simulation.harvests().front().at;
  CHECK(simulation.skipped() > 1000);
  CHECK(static_cast<double>(sum) > 0.5 * 0.005 * static_cast<double>(wall));
}

TEST(CostBudgetCoversAShortProgramWhole) {
  Simulation simulation(0.001);
  for (int i = 0; i < kCapacity / static_cast<int64_t>(kMs); ++i) {
    simulation.Wait(kMs);
    CHECK(simulation.Gc(500, kMs));
  }
  CHECK_EQ(simulation.skipped(), 0);
}

TEST(CostBudgetHoardsNoIdleTime) {
  Simulation simulation(0.005);
  simulation.Gc(500, 50 * kMs);
  simulation.Wait(100 * 3600 * kSecond);
  uint64_t spent = 0;
  while (simulation.Gc(500, kMs)) spent += kMs;
  CHECK(simulation.budget().tokens_ns() <= kCapacity);
  CHECK(spent <= static_cast<uint64_t>(kCapacity) + kMs);
  CHECK(spent > static_cast<uint64_t>(kCapacity) / 2);
}

TEST(CostBudgetHalvesThePriceEveryTenSkips) {
  Simulation simulation(0.005);
  simulation.Gc(500, 48 * kMs);  // 12 ms of tokens are left
  CHECK_EQ(simulation.budget().Predict(500), 48 * kMs);
  for (int i = 0; i < 20; ++i) {
    CHECK(!simulation.Gc(500, 48 * kMs));
    CHECK_EQ(simulation.budget().skips_in_a_row(), i + 1);
  }
  CHECK(simulation.Gc(500, 48 * kMs));  // a quarter of the price: 12 ms
  CHECK_EQ(simulation.budget().skips_in_a_row(), 0);
}

TEST(CostBudgetAllowsADebtAndCollectsIt) {
  Simulation simulation(0.005);
  simulation.Gc(0, kMs);  // cheap, as far as is known
  CHECK(simulation.Gc(0, 110 * kMs));
  int64_t debt = -simulation.budget().tokens_ns();
  CHECK(debt > static_cast<int64_t>(50 * kMs) && debt < static_cast<int64_t>(52 * kMs));
  for (int i = 0; i < 1000; ++i) CHECK(!simulation.Gc(0, kMs));  // however cheap the price has become
  simulation.Wait(10 * kSecond);                                 // earns 50 ms
  CHECK(!simulation.Gc(0, kMs));
  simulation.Wait(kSecond);
  CHECK(simulation.Gc(0, kMs));
}

TEST(CostBudgetNeverStarves) {
  // Every harvest costs five times the capacity.
  for (double max_overhead : {0.001, 0.005}) {
    Simulation simulation(max_overhead);
    uint64_t last = simulation.now();
    uint64_t longest = 0;
    while (simulation.harvests().size() < 20) {
      simulation.Wait(50 * kMs);
      if (!simulation.Gc(5000, 500 * kMs)) continue;
      longest = std::max(longest, simulation.now() - last);
      last = simulation.now();
    }
    // No debt above the capacity is remembered.
    CHECK(static_cast<double>(longest) <= 2.0 * kCapacity / max_overhead);
  }
}

TEST(CostBudgetHarvestsLongOnesAtMajorsOnly) {
  Simulation simulation(0.5, 20 * kMs);
  simulation.Gc(500, 10 * kMs);  // 10 us a unit
  uint64_t bearable = WorkFor(19 * kMs, 10'000);
  uint64_t too_long = WorkFor(21 * kMs, 10'000);
  simulation.Wait(kSecond);
  CHECK(simulation.Gc(bearable, 19 * kMs, false));
  for (int i = 0; i < 200; ++i) {
    simulation.Wait(kSecond);
    CHECK(!simulation.Gc(too_long, 21 * kMs, false));
  }
  CHECK(simulation.Gc(too_long, 21 * kMs, true));
}

TEST(CostBudgetSpreadsSkipsEvenly) {
  test::Random random(4);
  for (double max_overhead : {0.001, 0.005}) {
    for (uint64_t cost : {kMs / 2, 2 * kMs, 8 * kMs}) {
      Simulation simulation(max_overhead);
      uint64_t work = WorkFor(cost, 1000);
      // The capacity is spent first.
      while (simulation.budget().tokens_ns() > static_cast<int64_t>(cost)) {
        simulation.Wait(kMs);
        simulation.Gc(work, cost);
      }
      size_t steady = simulation.harvests().size() + 10;
      while (simulation.harvests().size() < steady + 200) {
        simulation.Wait(8 * kMs + random.Below(4 * kMs));
        simulation.Gc(work, cost - cost / 10 + random.Below(cost / 5));
      }
      const std::vector<Harvested>& harvests = simulation.harvests();
      uint64_t mean = (harvests.back().at - harvests[steady].at) / (harvests.size() - 1 - steady);
      for (size_t i = steady + 1; i < harvests.size(); ++i) {
        uint64_t gap = harvests[i].at - harvests[i - 1].at;
        CHECK(gap * 2 >= mean && gap <= mean * 2);
      }
      CHECK(simulation.skipped() > harvests.size());
    }
  }
}

TEST(CostBudgetLearnsFromReadsWithoutPayingThem) {
  CostBudget budget;
  budget.Configure(0.005, 20 * kMs, 0);
  CHECK_EQ(budget.Predict(500), 0);
  budget.Learn(50 * kMs, 500);
  CHECK_EQ(budget.tokens_ns(), kCapacity);
  CHECK_EQ(budget.Predict(500), 50 * kMs);
  CHECK_EQ(budget.Predict(1500), 100 * kMs);
}

TEST(CostBudgetBeginsFullAgain) {
  CostBudget budget;
  budget.Configure(0.005, 20 * kMs, 0);
  budget.Spend(90 * kMs, 900);
  budget.Configure(0.001, 20 * kMs, kSecond);
  CHECK_EQ(budget.tokens_ns(), kCapacity);
  CHECK_EQ(budget.skips_in_a_row(), 0);
}

}  // namespace
}  // namespace memprof
