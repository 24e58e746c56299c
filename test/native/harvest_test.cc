// Scripted sequences of harvests. `Look(n, ...)` is a harvest after n completed GCs: one in the prologue of
// the next, or one that a reader asked for.

#include "heap/harvest.h"

#include "check.h"
#include "scripted_isolate.h"

namespace memprof {
namespace {

using test::kNode;
using test::ScriptedIsolate;

struct Fixture {
  ProfileTables tables{ProfileTables::kMinLimit};
  ScriptedIsolate isolate{&tables};
};

// Rule 1.
TEST(HarvestFreesPublishedSamplesThatAreGone) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}, {3}});
  f.isolate.Look(1, {{1}, {2}, {3}});
  CHECK_EQ(f.isolate.Profile(), "3: 300 [3: 300]");
  f.isolate.Look(1, {{1}, {3}});
  CHECK_EQ(f.isolate.Profile(), "2: 200 [3: 300]");
  f.isolate.Look(2, {});
  CHECK_EQ(f.isolate.Profile(), "0: 0 [3: 300]");
  CHECK_EQ(f.isolate.harvest().live(), 0);
  CHECK_EQ(f.isolate.Counts(), "3, 0, 3");
}

// Rule 2, and that it takes a *completed* GC.
TEST(HarvestPublishesNewSamplesAfterTheNextCompletedGc) {
  Fixture f;
  f.isolate.Look(5, {{1}, {2}});
  CHECK_EQ(f.isolate.Profile(), "0: 0 [0: 0]");
  CHECK_EQ(f.isolate.harvest().live(), 2);
  CHECK_EQ(f.isolate.Counts(), "2, 0, 0");
  f.isolate.Look(5, {{1}, {2}, {3}});
  f.isolate.Look(5, {{1}, {2}, {3}, {4}});
  CHECK_EQ(f.isolate.Profile(), "0: 0 [0: 0]");
  f.isolate.Look(6, {{1}, {2}, {3}, {4}, {5}});
  CHECK_EQ(f.isolate.Profile(), "4: 400 [4: 400]");
  f.isolate.Look(7, {{1}, {2}, {3}, {4}, {5}});
  CHECK_EQ(f.isolate.Profile(), "5: 500 [5: 500]");
  CHECK_EQ(f.isolate.Counts(), "5, 0, 5");
}

TEST(HarvestPublishesPendingSamplesThatAreGoneWithTheirFree) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}, {3}});
  f.isolate.Look(1, {{3}});
  CHECK_EQ(f.isolate.Profile(), "1: 100 [3: 300]");
  f.isolate.Look(1, {{3}, {4}});
  f.isolate.Look(1, {{3}});  // gone within the GC that is running
  CHECK_EQ(f.isolate.Profile(), "1: 100 [4: 400]");
}

TEST(HarvestPublishesAtOnceWhatLiesBelowAGap) {
  Fixture f;
  f.isolate.Look(0, {{2}, {3}, {5}, {6}});
  CHECK_EQ(f.isolate.Profile(), "2: 200 [2: 200]");
  f.isolate.Look(0, {{2}, {3}, {5}, {6}, {8}, {10}, {11}});
  CHECK(f.isolate.harvest().live() == 7);
  f.isolate.Look(1, {{2}, {3}, {5}, {6}, {8}, {10}, {11}});
  CHECK_EQ(f.isolate.Profile(), "7: 700 [7: 700]");
}

TEST(HarvestTakesAGapBelowAllNewSamplesForNoSurvival) {
  Fixture f;
  f.isolate.Look(0, {{4}, {5}});
  CHECK_EQ(f.isolate.Profile(), "0: 0 [0: 0]");
  CHECK_EQ(f.isolate.Counts(), "2, 3, 0");
}

// Rule 2 again: 2 was taken after 1 and is gone, so a GC came by that 1 outlived, though it was not one of
// those counted (V8 calls nobody for one that is nested in a prologue).
TEST(HarvestPublishesOlderPendingSamplesBelowAGap) {
  Fixture f;
  f.isolate.Look(0, {{1}});
  f.isolate.Look(0, {{1}, {3}});
  CHECK_EQ(f.isolate.Counts(), "2, 1, 1");
  CHECK_EQ(f.isolate.Profile(), "1: 100 [1: 100]");
}

TEST(HarvestSeesSamplesInAnyOrder) {
  Fixture f;
  f.isolate.Look(0, {{6}, {2}, {5}, {3}});
  CHECK_EQ(f.isolate.Profile(), "2: 200 [2: 200]");
  CHECK_EQ(f.isolate.Counts(), "4, 2, 2");
  f.isolate.Look(1, {{3}, {7}, {6}, {5}, {2}});
  CHECK_EQ(f.isolate.Profile(), "4: 400 [4: 400]");
}

TEST(HarvestCountsLostSamplesByTheGaps) {
  Fixture f;
  f.isolate.Look(0, {});
  CHECK_EQ(f.isolate.Counts(), "0, 0, 0");
  f.isolate.Look(0, {{1}, {2}});
  CHECK_EQ(f.isolate.Counts(), "2, 0, 0");
  f.isolate.Look(1, {{2}, {6}});  // 3 to 5
  CHECK_EQ(f.isolate.Counts(), "3, 3, 2");
  f.isolate.Look(2, {});  // 7 and 8 came and went: nobody can know yet
  CHECK_EQ(f.isolate.Counts(), "3, 3, 3");
  f.isolate.Look(3, {{9}, {1'000'000}});
  CHECK_EQ(f.isolate.Counts(), "5, 999995, 4");
}

TEST(HarvestCountsTrueSizesAtTheStackOfEach) {
  Fixture f;
  Ref a = f.isolate.StackOf(1), b = f.isolate.StackOf(2);
  f.isolate.Look(0, {{1, 1, 24}, {2, 2, 1000}, {3, 1, 25}, {4, 1, 5000}});
  f.isolate.Look(1, {{1, 1, 24}, {2, 2, 1000}, {3, 1, 25}, {4, 1, 5000}});
  f.isolate.Look(2, {{1, 1, 24}, {4, 1, 5000}});
  CHECK_EQ(f.isolate.ProfileOf(a), "2: 5024 [3: 5049]");
  CHECK_EQ(f.isolate.ProfileOf(b), "0: 0 [1: 1000]");
}

TEST(HarvestWaitsForTheStackOfANodeThatWasNotInTheTree) {
  Fixture f;
  Ref stack = f.isolate.StackOf(kNode);
  f.isolate.Look(0, {{1, kNode, 100, false}});
  f.isolate.Look(1, {{1, kNode, 100, true}});
  CHECK_EQ(f.isolate.ProfileOf(stack), "1: 100 [1: 100]");
  f.isolate.Look(2, {{1, kNode, 100, false}});  // known all the same
  f.isolate.Look(3, {});
  CHECK_EQ(f.isolate.ProfileOf(stack), "0: 0 [1: 100]");
}

TEST(HarvestCountsSamplesWithoutAStackAsUnknown) {
  Fixture f;
  f.isolate.Look(0, {{1, kNode, 100, false}, {2, kNode, 100, false}});
  f.isolate.Look(1, {{2, kNode, 100, false}});
  CHECK_EQ(f.isolate.ProfileOf(f.tables.unknown_stack()), "1: 100 [2: 200]");
  f.isolate.Look(2, {{2, kNode, 100, true}});  // too late: its free goes where its allocation went
  f.isolate.Look(3, {});
  CHECK_EQ(f.isolate.ProfileOf(f.tables.unknown_stack()), "0: 0 [2: 200]");
  CHECK_EQ(f.isolate.Profile(), "0: 0 [2: 200]");
}

// Rule 3.
TEST(HarvestPublishesPendingSamplesWhenAsked) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}});
  f.isolate.harvest().PublishPending();
  CHECK_EQ(f.isolate.Profile(), "2: 200 [2: 200]");
  f.isolate.harvest().PublishPending();
  f.isolate.Look(1, {{1}, {2}});
  CHECK_EQ(f.isolate.Profile(), "2: 200 [2: 200]");
  CHECK_EQ(f.isolate.Counts(), "2, 0, 2");
  f.isolate.Look(1, {{1}, {3}});
  CHECK_EQ(f.isolate.Profile(), "1: 100 [2: 200]");
}

TEST(HarvestForgetsByFreeingEverything) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}});
  f.isolate.Look(1, {{1}, {2}, {3}});  // 3 is pending
  f.isolate.harvest().Forget();
  CHECK_EQ(f.isolate.Profile(), "0: 0 [3: 300]");
  CHECK_EQ(f.isolate.harvest().live(), 0);
  f.isolate.harvest().Forget();
  CHECK_EQ(f.isolate.Profile(), "0: 0 [3: 300]");
  CHECK(f.isolate.Look(1, {{1, 9, 50}, {2, 9, 50}}));  // ids begin anew: no restart by others, nothing lost
  CHECK(f.isolate.Look(2, {{1, 9, 50}, {2, 9, 50}}));
  CHECK_EQ(f.isolate.Profile(), "2: 100 [5: 400]");
  CHECK_EQ(f.isolate.Counts(), "5, 0, 5");
}

// Ids are not the continuation of those before: nothing may be counted but by `Forget`.
void CheckForeign(std::initializer_list<test::Seen> samples) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}, {3}});
  f.isolate.Look(1, {{1}, {3}, {4}});
  std::string profile = f.isolate.Profile(), counts = f.isolate.Counts();
  CHECK_EQ(profile, "2: 200 [3: 300]");
  CHECK(!f.isolate.Look(9, samples));
  CHECK_EQ(f.isolate.Profile(), profile);
  CHECK_EQ(f.isolate.Counts(), counts);
  CHECK_EQ(f.isolate.harvest().live(), 3);
  f.isolate.harvest().Forget();
  CHECK_EQ(f.isolate.Profile(), "0: 0 [4: 400]");
  CHECK(f.isolate.Look(9, {{1}}));
}

TEST(HarvestNoticesAnOldIdItDoesNotKnow) {
  CheckForeign({{2}});
  CheckForeign({{1}, {2}, {3}, {4}, {5}});
}
TEST(HarvestNoticesAKnownIdOfAnotherSize) { CheckForeign({{1}, {3, kNode, 101}, {4}, {5}}); }
TEST(HarvestNoticesAKnownIdOfAnotherNode) { CheckForeign({{1}, {3}, {4, kNode + 1}, {5}}); }
TEST(HarvestNoticesAForeignIdAmongNewOnes) { CheckForeign({{7}, {6}, {2}, {8}}); }

// None of ours is shown, and no id contradicts us: only the circumstances tell.
TEST(HarvestNoticesASamplerThatBeganAnewBeyondItsIds) {
  struct {
    HarvestMoment moment;
    std::initializer_list<test::Seen> samples;
    bool continues;
  } cases[] = {
      {{.completed_gcs = 1, .expected_taken = 10}, {{88}}, true},       // 84 more: 2 * 10 + 64
      {{.completed_gcs = 1, .expected_taken = 10}, {{89}}, false},      // more than can be
      {{.completed_gcs = 1, .expected_taken = 10}, {{4}, {89}}, true},  // but one of ours
      {{.completed_gcs = 1, .expected_taken = 10, .collected = true}, {{89}}, false},
      {{.completed_gcs = 1}, {}, true},
  };
  for (auto& it : cases) {
    Fixture f;
    f.isolate.Look(0, {{1}, {2}, {3}, {4}});
    CHECK_EQ(f.isolate.Look(it.moment, it.samples), it.continues);
    if (!it.continues) CHECK_EQ(f.isolate.Counts(), "4, 0, 0");
    f.isolate.harvest().Forget();
    CHECK_EQ(f.isolate.harvest().counts().published, f.isolate.harvest().counts().seen);
  }
}

// A collection while V8 was asked may have freed all of ours by chance: the harvest after tells.
TEST(HarvestNoticesASamplerThatCollectsEachTimeItIsAsked) {
  for (auto samples : {std::initializer_list<test::Seen>{}, {{5}}}) {
    Fixture f;
    f.isolate.Look(0, {{1}, {2}, {3}, {4}});
    CHECK(f.isolate.Look({.completed_gcs = 1, .collected = true}, samples));
    CHECK_EQ(f.isolate.Profile(), "0: 0 [4: 400]");
    CHECK_EQ(f.isolate.Counts(), "4, 0, 4");
    CHECK(!f.isolate.Look({.completed_gcs = 2, .collected = true}, samples));
    CHECK(!f.isolate.harvest().contradicted());
  }
}

TEST(HarvestNoticesAtOnceWhenManyThatOutlivedACollectionAreGone) {
  for (uint64_t count : {15, 16}) {
    Fixture f;
    Harvest& harvest = f.isolate.harvest();
    for (uint64_t gcs : {0, 1}) {
      harvest.Begin();
      for (uint64_t id = 1; id <= count; ++id)
        harvest.See(id, kNode, 100, [&] { return f.isolate.StackOf(kNode); });
      CHECK(harvest.End(gcs));
    }
    CHECK_EQ(f.isolate.Look({.completed_gcs = 1, .collected = true}, {}), count == 15);
  }
}

TEST(HarvestNoticesASamplerWhoseFirstSamplesLookLikeOurs) {
  for (bool again : {true, false}) {
    Fixture f;
    f.isolate.Look(0, {{1}, {2}, {3}, {4}, {5}});
    f.isolate.Look(1, {{1}, {2}, {3}, {4}, {5}});
    CHECK(f.isolate.Look({.completed_gcs = 1, .collected = true}, {{1}}));
    CHECK_EQ(f.isolate.Look({.completed_gcs = 2, .collected = again}, {{1}, {6}}), !again);
  }
}

TEST(HarvestDoesNotWonderThatPendingSamplesDie) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}});
  f.isolate.Look(1, {{1}, {2}, {3}, {4}, {5}, {6}});
  for (uint64_t gcs : {2, 3, 4}) {
    CHECK(f.isolate.Look({.completed_gcs = gcs, .collected = true}, {{1}, {gcs * 10}}));
  }
}

TEST(HarvestIsNotDeceivedByACollectionThatFreedAll) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}, {3}, {4}});
  CHECK(f.isolate.Look({.completed_gcs = 1, .expected_taken = 3, .collected = true}, {{6}, {7}}));
  CHECK_EQ(f.isolate.Counts(), "4, 0, 4");
  CHECK(f.isolate.Look({.completed_gcs = 2, .expected_taken = 1}, {{7}, {8}}));  // what is new is new still
  CHECK_EQ(f.isolate.Counts(), "6, 2, 4");
  CHECK(f.isolate.Look({.completed_gcs = 3, .collected = true}, {{8}}));
  CHECK(f.isolate.Look({.completed_gcs = 4, .collected = true}, {{8}}));
}

TEST(HarvestThatWasUnsureNoticesIdsBeyondItsOwn) {
  for (uint64_t id : {94, 95}) {
    Fixture f;
    f.isolate.Look(0, {{1}, {2}, {3}, {4}});
    CHECK(f.isolate.Look({.completed_gcs = 1, .expected_taken = 3, .collected = true}, {{6}}));
    // 4 + 2 * (3 + 10) + 64
    CHECK_EQ(f.isolate.Look({.completed_gcs = 2, .expected_taken = 10}, {{id}}), id == 94);
  }
}

TEST(HarvestGoesOnAfterAForeignHarvestThatWasForgotten) {
  Fixture f;
  f.isolate.Look(0, {{1}, {2}});
  CHECK(!f.isolate.Look(1, {{1, 3, 3}, {5}}));
  f.isolate.harvest().Forget();
  f.isolate.Look(1, {{1}});
  CHECK_EQ(f.isolate.Counts(), "3, 0, 2");  // 5 left no trace
}

// Rules 1 to 3 speak of what was counted; a reset of the tables (nobody samples then) took that back.
TEST(HarvestCountsNothingOfBeforeAReset) {
  for (bool publish_first : {false, true}) {
    Fixture f;
    f.isolate.Look(0, {{1}, {2}});
    f.isolate.Look(1, {{1}, {2}, {3}});
    f.tables.Reset();
    if (publish_first) f.isolate.harvest().PublishPending();
    CHECK_EQ(f.isolate.Profile(), "0: 0 [0: 0]");
    f.isolate.harvest().Forget();
    CHECK_EQ(f.isolate.Profile(), "0: 0 [0: 0]");
    CHECK(f.isolate.Look(1, {{1}}));
    CHECK(f.isolate.Look(2, {{1}}));
    CHECK_EQ(f.isolate.Profile(), "1: 100 [1: 100]");
    f.isolate.harvest().Forget();  // that was after the reset
    CHECK_EQ(f.isolate.Profile(), "0: 0 [1: 100]");
  }
}

TEST(HarvestMadeAfterAResetPublishesWhatItSaw) {
  ProfileTables tables(ProfileTables::kMinLimit);
  tables.Reset();
  ScriptedIsolate isolate(&tables);
  isolate.Look(0, {{1}, {2}});
  isolate.harvest().PublishPending();
  CHECK_EQ(isolate.Profile(), "2: 200 [2: 200]");
  CHECK(isolate.Look(1, {{1}, {2}}));
}

TEST(HarvestsOfTwoIsolatesShareTheTablesAndNothingElse) {
  Fixture f;
  ScriptedIsolate other(&f.tables);
  f.isolate.Look(0, {{1}, {2}});
  other.Look(7, {{1, 3, 9}});
  f.isolate.Look(1, {{1}, {2}});
  CHECK_EQ(f.isolate.Profile(), "2: 200 [2: 200]");
  other.Look(8, {{1, 3, 9}});
  CHECK_EQ(f.isolate.Profile(), "3: 209 [3: 209]");
  other.harvest().Forget();
  CHECK_EQ(f.isolate.Profile(), "2: 200 [3: 209]");
}

// 100,000 samples once, then eleven for ever: 2.7 MB stayed for them.
TEST(HarvestGivesBackWhatALargeOneNeeded) {
  ProfileTables tables(ProfileTables::kDefaultLimit);
  Harvest harvest(&tables, 1);
  Ref stack = tables.InternStack(0, tables.InternFrame("f", "", 1, 0));
  uint64_t gcs = 1;
  auto look = [&](uint64_t from, uint64_t to) {
    harvest.Begin();
    for (uint64_t id = from; id <= to; ++id) harvest.See(id, 7, 100, [&] { return stack; });
    CHECK(harvest.End(gcs++));
  };
  look(1, 11);
  size_t little = harvest.bytes();
  look(1, 100'000);
  CHECK(harvest.bytes() > 1'000'000);
  for (int i = 0; i < 3; ++i) look(1, 11);
  CHECK_EQ(harvest.live(), 11);
  // What many donors leave behind is bounded, too.
  CHECK(harvest.bytes() <= little + 2 * Imputer::kMostKept * sizeof(Imputer::Donor));
  CHECK(harvest.bytes() < 150'000);
}

}  // namespace
}  // namespace memprof
