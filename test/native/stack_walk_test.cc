#include "heap/stack_walk.h"

#include <vector>

#include "check.h"

namespace memprof {

namespace {

// A forged stack. `words_` begins at its low end, and frames are pushed from the outermost one inwards.
class ForgedStack {
 public:
  static constexpr size_t kWords = 4096;
  static constexpr uintptr_t kCode = 0x10010;
  static constexpr uintptr_t kEmbedded = 0x50010;

  ForgedStack() : words_(kWords), at_(kWords - 16) {}

  uintptr_t Address(size_t word) const { return reinterpret_cast<uintptr_t>(&words_[word]); }
  StackRange bounds() const { return {Address(0), Address(0) + kWords * 8}; }
  CodeRanges code() const { return {{0x10000, 0x20000}, {0x50000, 0x60000}}; }

  // C++ enters JavaScript. `left_by` is the frame by which JavaScript had been left before, or 0.
  void Enter(uintptr_t left_by, uintptr_t marker = 2) {
    Push(marker, 0, 0x999990);
    words_[frame_ - 8] = left_by;
  }
  void Function(uintptr_t function, uintptr_t pc = kCode) { Push(0x1001, function, pc); }
  void Typed(uintptr_t marker, uintptr_t pc = kEmbedded) { Push(marker, 0xbad, pc); }
  // JavaScript leaves for C++, which uses some of the stack.
  uintptr_t Leave() {
    Typed(6);
    uintptr_t left_by = Address(frame_);
    at_ -= 20;
    return left_by;
  }
  uintptr_t& WordAt(uintptr_t address) { return words_[(address - Address(0)) / 8]; }

  std::vector<uintptr_t> Walk(uintptr_t left_by, bool* sure, size_t most = 64) {
    std::vector<const uintptr_t*> slots(most);
    WalkedStack walked = WalkStack(left_by, bounds(), code(), slots);
    *sure = walked.sure;
    std::vector<uintptr_t> functions;
    for (size_t i = 0; i < walked.frames; ++i) functions.push_back(*slots[i]);
    return functions;
  }

 private:
  // `pc` is where the callee of the new frame will return to. The next call stores it in the callee's frame.
  void Push(uintptr_t marker, uintptr_t function, uintptr_t pc) {
    at_ -= 12;
    words_[at_] = frame_ == 0 ? 0 : Address(frame_);
    words_[at_ + 1] = pc_;
    words_[at_ - 1] = marker;
    words_[at_ - 2] = function;
    frame_ = at_;
    pc_ = pc;
  }

  std::vector<uintptr_t> words_;
  size_t at_;
  size_t frame_ = 0;
  uintptr_t pc_ = 0;
};

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
