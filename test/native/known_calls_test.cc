#include "heap/known_calls.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "check.h"
#include "forged_stack.h"

namespace memprof {

namespace {

using Calls = std::vector<uint32_t>;

constexpr uint32_t kBuiltIn = 7;

bool IsOfScript(uint32_t function) { return function != kBuiltIn; }

class Known {
 public:
  Known() {
    ForgedStack stack;
    stack.Enter(0);
    stack.Interpreted(0x101, 16);
    CHECK(known.Start(stack.Leave(), stack.bounds(), stack.code()));
  }
  // The numbers of the calls; empty where they cannot be told apart.
  Calls Read(ForgedStack* stack, std::vector<uint32_t> functions) {
    uintptr_t left_by = stack->Leave();
    bool read = known.Read(left_by, stack->bounds(), stack->code(), leaf, functions, IsOfScript);
    CHECK(read || known.current().calls.empty());
    return known.current().calls;
  }
  KnownCalls known;
  InterpretedLeaf leaf;
};

// One function, compiled or interpreted, with one callee.
Calls ReadOne(Known* known, uint32_t function, uintptr_t pc, uint32_t offset = 0) {
  ForgedStack stack;
  stack.Enter(0);
  if (offset == 0) {
    stack.Function(0x101, pc);
  } else {
    stack.Interpreted(0x101, offset, pc);
  }
  return known->Read(&stack, {function});
}

}  // namespace

// Whoever asks for the current calls must not get numbers of calls that are forgotten.
TEST(KnownCallsForgetsTheCurrentStackWithItsCalls) {
  Known known;
  CHECK_EQ(ReadOne(&known, 64, ForgedStack::kCode).size(), 1u);
  known.known.ForgetCurrent();
  CHECK(known.known.current().calls.empty());
  ReadOne(&known, 64, ForgedStack::kCode);
  known.known.Stop();
  CHECK(known.known.current().calls.empty());
  known.known.Ask(known.known.current());
}

TEST(KnownCallsTellsCallsApartByWhereTheyReturnTo) {
  Known known;
  Calls first = ReadOne(&known, 64, ForgedStack::kCode);
  CHECK(first.size() == 1 && first[0] != 0);
  CHECK(ReadOne(&known, 64, ForgedStack::kCode) == first);
  CHECK(ReadOne(&known, 64, ForgedStack::kCode + 8) != first);
  CHECK(ReadOne(&known, 65, ForgedStack::kCode) != first);
}

TEST(KnownCallsTellsInterpretedCallsApartByTheirOffsets) {
  Known known;
  Calls first = ReadOne(&known, 64, ForgedStack::kEmbedded, 40);
  CHECK(first.size() == 1);
  CHECK(ReadOne(&known, 64, ForgedStack::kEmbedded, 40) == first);
  CHECK(ReadOne(&known, 64, ForgedStack::kEmbedded, 44) != first);
  // The frame does not tell the offset.
  CHECK(ReadOne(&known, 64, ForgedStack::kEmbedded).empty());
}

// In the innermost frame, that may be another one.
TEST(KnownCallsTakesTheOffsetOfTheLeaf) {
  Known known;
  ForgedStack stack;
  stack.Enter(0);
  stack.Interpreted(0x101, 40);
  stack.Interpreted(0x201, 40);
  Calls first = known.Read(&stack, {64, 65});
  std::vector<BytecodePlace> places;
  uintptr_t left_by = stack.Leave();
  known.known.ListOffsets(left_by, stack.bounds(), stack.code(), {}, &places);
  CHECK(places.size() == 2 && places[0].offset == 40 && places[1].offset == 40);
  known.leaf = {places[0].word - kOffsetWord, 44};
  Calls others = known.Read(&stack, {64, 65});
  CHECK(others.size() == 2 && others[0] != first[0] && others[1] == first[1]);
  known.known.ListOffsets(left_by, stack.bounds(), stack.code(), known.leaf, &places);
  CHECK(places.size() == 2 && places[0].offset == 44);
  {
    OffsetsInCalls in_calls(&places);
    CHECK_EQ(*places[0].word, uintptr_t{45} << 32);
    CHECK_EQ(*places[1].word, uintptr_t{41} << 32);
  }
  CHECK_EQ(*places[0].word, uintptr_t{40} << 32);
  CHECK_EQ(*places[1].word, uintptr_t{40} << 32);
  // It is not known where the innermost one is.
  known.leaf.offset = 0;
  CHECK(known.Read(&stack, {64, 65}).empty());
  known.known.ListOffsets(left_by, stack.bounds(), stack.code(), known.leaf, &places);
  CHECK_EQ(places.size(), 1u);
}

TEST(KnownCallsTellsTheInnermostCallFromOthers) {
  Known known;
  ForgedStack stack;
  stack.Enter(0);
  stack.Function(0x101);
  stack.Function(0x101);
  Calls calls = known.Read(&stack, {64, 64});
  CHECK(calls.size() == 2 && calls[0] != calls[1]);
}

TEST(KnownCallsLeavesOutFramesWithoutLines) {
  Known known;
  ForgedStack stack;
  stack.Enter(0);
  stack.Function(0x101);
  stack.Function(0x201, ForgedStack::kEmbedded);
  // The last one is no frame of the stack.
  Calls calls = known.Read(&stack, {kBuiltIn, 64, kBuiltIn});
  CHECK(calls.size() == 3 && calls[0] == 0 && calls[1] != 0 && calls[2] == 0);
}

TEST(KnownCallsLearnsOnce) {
  Known known;
  uint32_t call = ReadOne(&known, 64, ForgedStack::kCode)[0];
  CHECK(known.known.FramesOf(call).empty());
  std::array<Ref, 2> frames{11, 12};
  CHECK(known.known.Learn(call, frames, true));
  CHECK(std::ranges::equal(known.known.FramesOf(call), frames));
  CHECK(known.known.KnowsLine(call));
  CHECK(known.known.Learn(call, frames, true));
  // V8 says something else.
  CHECK(!known.known.Learn(call, frames, false));
  std::array<Ref, 2> others{11, 13};
  CHECK(!known.known.Learn(call, others, true));
  CHECK(!known.known.Learn(call, std::array<Ref, 1>{11}, true));
}

TEST(KnownCallsForgetsPlacesWhenCodeMayHaveMoved) {
  Known known;
  uint32_t call = ReadOne(&known, 64, ForgedStack::kCode)[0];
  known.known.LearnWhole({21, true});
  CHECK_EQ(known.known.FindWhole().stack, 21u);
  known.known.ForgetPlaces();
  CHECK_EQ(known.known.FindWhole().stack, 0u);
  uint32_t later = ReadOne(&known, 64, ForgedStack::kCode)[0];
  CHECK(later != call);
  // Whoever waits for the call still learns of it, and the one that is there now does not.
  CHECK(known.known.Learn(call, std::array<Ref, 1>{11}, true));
  CHECK_EQ(known.known.FramesOf(call).size(), 1u);
  CHECK(known.known.FramesOf(later).empty());
}

TEST(KnownCallsAsksForEachCallOnceARound) {
  Known known;
  uint32_t call = ReadOne(&known, 64, ForgedStack::kCode)[0];
  CHECK(!known.known.AllAsked(known.known.current()));
  known.known.Ask(known.known.current());
  CHECK(known.known.AllAsked(known.known.current()));
  known.known.Answered();
  CHECK(!known.known.AllAsked(known.known.current()));
  known.known.Learn(call, std::array<Ref, 1>{11}, true);
  CHECK(known.known.AllAsked(known.known.current()));
}

TEST(KnownCallsRemembersNothingWhereItMustNot) {
  Known known;
  CHECK(!ReadOne(&known, 64, ForgedStack::kCode).empty());
  known.known.Distrust();
  CHECK(ReadOne(&known, 64, ForgedStack::kCode).empty());
}

TEST(KnownCallsAreBounded) {
  Known known;
  uintptr_t pc = 0x10010;
  for (size_t i = 0; i < KnownCalls::kMostCalls; ++i) {
    CHECK(!ReadOne(&known, static_cast<uint32_t>(64 + i), pc).empty());
  }
  CHECK(ReadOne(&known, 64, pc + 8).empty());
  known.known.Trim();
  CHECK_EQ(known.known.bytes(), 0u);
  CHECK(!ReadOne(&known, 64, pc + 8).empty());
}

TEST(KnownCallsFindsWhereBuiltInFunctionsWereCopiedTo) {
  constexpr size_t kBytes = 16384;
  constexpr size_t kAt = 2048;
  std::vector<char> original(kBytes);
  uint32_t random = 1;
  for (char& byte : original) byte = static_cast<char>((random = random * 1664525 + 1013904223) >> 24);
  // Two of them are the same.
  std::copy_n(original.begin() + 8192, 256, original.begin() + 1024);
  std::vector<char> code(3 * kBytes);
  std::copy(original.begin(), original.end(), code.begin() + kAt);
  auto begin = reinterpret_cast<uintptr_t>(original.data());
  auto range = reinterpret_cast<uintptr_t>(code.data());
  CodeRanges ranges{{range, range + code.size()}, {begin, begin + original.size()}};
  for (size_t at : {size_t{8200}, size_t{8300}, size_t{5000}}) {
    ForgedStack stack;
    stack.Enter(0);
    stack.Interpreted(0x101, 40, range + kAt + at);
    uintptr_t left_by = stack.Leave();
    KnownCalls known;
    CHECK(known.Start(left_by, stack.bounds(), ranges));
    uint32_t function = 64;
    CHECK(known.Read(left_by, stack.bounds(), ranges, {}, {&function, 1}, IsOfScript));
    uint32_t call = known.current().calls[0];
    CHECK(call != 0);
  }
  // Not all of it was copied.
  code[kAt] = static_cast<char>(code[kAt] + 1);
  ForgedStack stack;
  stack.Enter(0);
  stack.Interpreted(0x101, 40, range + kAt + 8200);
  KnownCalls known;
  CHECK(!known.Start(stack.Leave(), stack.bounds(), ranges));
}

}  // namespace memprof
