// Is a sampler that runs the one we left?

#include "heap/continuity.h"

#include <algorithm>

#include "check.h"

namespace memprof {
namespace {

// How often in `rounds` looks a sampler is taken for ours that had `id` samples when ours had `left`, and
// takes `speed` samples where ours takes one.
bool IsTakenForOurs(uint64_t seed, uint64_t left, double id, double speed, int rounds = 40) {
  test::Random random(seed);
  Continuity continuity;
  continuity.Begin(left, 0);
  for (int i = 0; i < rounds; ++i) {
    uint64_t taken = 100 + random.Below(200);
    // Roughly Poisson: a sum of small chances.
    double noise = 0;
    for (int j = 0; j < 12; ++j) noise += static_cast<double>(random.Below(1000)) / 1000.0 - 0.5;
    id += std::max(
        0.0, static_cast<double>(taken) * speed + noise * std::sqrt(static_cast<double>(taken) * speed));
    // The last few may be dead.
    uint64_t shown = static_cast<uint64_t>(id) - std::min(static_cast<uint64_t>(id), random.Below(5));
    if (continuity.Proves(shown, taken)) return true;
  }
  return false;
}

TEST(ContinuityKnowsOurSampler) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CHECK(IsTakenForOurs(seed, 5000, 5000, 1));
    CHECK(IsTakenForOurs(seed, 5000, 5000, 0.3));  // many objects are larger than the interval
  }
}

TEST(ContinuityIsNotDeceivedByAnother) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    for (double speed : {0.25, 1.0, 2.0, 3.0, 16.0, 512.0}) CHECK(!IsTakenForOurs(seed, 5000, 0, speed));
    CHECK(!IsTakenForOurs(seed, 5000, 2500, 1));
  }
}

TEST(ContinuityNeverSaysYesOfFewSamples) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CHECK(!IsTakenForOurs(seed, 20, 20, 1));
    CHECK(!IsTakenForOurs(seed, 20, 0, 1));
  }
}

TEST(ContinuityAsksForMoreThanOneProof) {
  Continuity continuity;
  continuity.Begin(10'000, 0);
  CHECK(!continuity.Proves(10'100, 100));
  CHECK(!continuity.Proves(10'110, 10));  // too little in between
  CHECK(!continuity.Proves(10'200, 90));
  CHECK(continuity.Proves(10'300, 100));
}

// V8's figure of what is used may fall short for once, as when a GC ends before all is swept.
TEST(HazardContinuityIsNotLostForGoodWhenOneLookDisagrees) {
  Continuity continuity;
  continuity.Begin(40'000, 0);
  CHECK(!continuity.Proves(40'500, 500));
  CHECK(!continuity.Proves(43'500, 500));
  CHECK(!continuity.Proves(44'000, 500));
  CHECK(!continuity.Proves(44'500, 500));
  CHECK(continuity.Proves(45'000, 500));
}

}  // namespace
}  // namespace memprof
