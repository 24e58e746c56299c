#include "heap/stack_walk.h"

#include <vector>

#include "check.h"
#include "forged_stack.h"

namespace memprof {

namespace {

using Functions = std::vector<uintptr_t>;

}  // namespace

TEST(StackWalkOfNothingIsEmpty) {
  ForgedStack stack;
  bool sure = false;
  CHECK(stack.Walk(0, &sure).empty());
  CHECK(sure);
}

TEST(StackWalkIsLeafFirstAndPassesTypedFrames) {
  ForgedStack stack;
  stack.Enter(0);
  stack.Function(0x1111);
  stack.Typed(34);  // the marker of a construct frame, for example
  stack.Function(0x2221, ForgedStack::kEmbedded);
  bool sure = false;
  CHECK(stack.Walk(stack.Leave(), &sure) == Functions{0x2221, 0x1111});
  CHECK(sure);
}

TEST(StackWalkGoesOnWhereJavaScriptWasLeftBefore) {
  for (uintptr_t marker : {2, 4}) {
    ForgedStack stack;
    stack.Enter(0);
    stack.Function(0x1111);
    uintptr_t left_by = stack.Leave();
    stack.Enter(left_by, marker);
    stack.Function(0x2221);
    stack.Function(0x3331);
    bool sure = false;
    CHECK(stack.Walk(stack.Leave(), &sure) == Functions{0x3331, 0x2221, 0x1111});
    CHECK(sure);
  }
}

TEST(StackWalkIsCutAtItsDepth) {
  ForgedStack stack;
  stack.Enter(0);
  for (uintptr_t i = 1; i <= 10; ++i) stack.Function(i * 16 + 1);
  bool sure = false;
  CHECK(stack.Walk(stack.Leave(), &sure, 3) == Functions{0xa1, 0x91, 0x81});
  CHECK(sure);
}

TEST(StackWalkIsNotSureOfWhatItDoesNotKnow) {
  bool sure = true;
  {
    ForgedStack stack;
    stack.Enter(0);
    stack.Function(0x1111, 0x77770);  // code that is not V8's
    stack.Walk(stack.Leave(), &sure);
    CHECK(!sure);
  }
  {
    ForgedStack stack;
    stack.Enter(0);
    stack.Function(0x1110);  // a number where a function should be
    stack.Walk(stack.Leave(), &sure);
    CHECK(!sure);
  }
  for (uintptr_t next : {uintptr_t{0}, uintptr_t{8}, ~uintptr_t{7}, uintptr_t{0x7fff00000000}}) {
    ForgedStack stack;
    stack.Enter(0);
    stack.Function(0x1111);
    uintptr_t left_by = stack.Leave();
    stack.WordAt(left_by) = next;  // a caller outside this stack
    stack.Walk(left_by, &sure);
    CHECK(!sure);
    stack.WordAt(left_by) = left_by;  // a frame that is its own caller
    stack.Walk(left_by, &sure);
    CHECK(!sure);
    stack.Walk(left_by + 3, &sure);
    CHECK(!sure);
    stack.Walk(next == 0 ? 8 : next, &sure);
    CHECK(!sure);
  }
}

TEST(StackWalkSurvivesGarbage) {
  test::Random random(11);
  for (int round = 0; round < test::Scaled(3000); ++round) {
    ForgedStack stack;
    stack.Enter(0);
    for (int i = 0; i < 20; ++i) {
      if (random.OneIn(4)) {
        stack.Typed(random.Below(64) * 2);
      } else {
        stack.Function(random.Next());
      }
    }
    uintptr_t left_by = stack.Leave();
    for (int i = 0; i < 6; ++i) {
      uintptr_t at = stack.Address(0) + random.Below(ForgedStack::kWords) * 8;
      stack.WordAt(at) = random.OneIn(2) ? random.Next() : stack.Address(random.Below(ForgedStack::kWords));
    }
    bool sure = false;
    CHECK(stack.Walk(left_by, &sure, 16).size() <= 16);
  }
}

}  // namespace memprof
