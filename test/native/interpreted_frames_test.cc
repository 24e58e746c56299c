#include "heap/interpreted_frames.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "check.h"
#include "forged_stack.h"

namespace memprof {

namespace {

constexpr uint8_t kLiteral = 0x81;

// Code in which one place calls V8's function that finds room, and one calls another function.
struct Code {
  Code() {
    Call(100, 200);
    Call(120, 300);
    Call(140, 200);
    const uint8_t compare[] = {0x48, 0x81, 0xfa, 0xff, 0xff, 0xff, 0x7f};
    std::memcpy(&bytes[200], compare, sizeof(compare));
  }
  uintptr_t allocates() const { return At(100); }
  uintptr_t also_allocates() const { return At(140); }
  uintptr_t calls() const { return At(120); }
  uintptr_t At(size_t at) const { return reinterpret_cast<uintptr_t>(&bytes[at]); }
  bool Contain(uintptr_t pc) const { return pc >= At(0) && pc < At(0) + sizeof(bytes); }

  uint8_t bytes[400] = {};

 private:
  // The call returns to `at`.
  void Call(size_t at, size_t target) {
    auto distance = static_cast<int32_t>(target) - static_cast<int32_t>(at);
    bytes[at - 5] = 0xe8;
    std::memcpy(&bytes[at - 4], &distance, sizeof(distance));
  }
};

// The bytecode of a function. Places are counted from the second byte, and the first is 63.
struct Bytecode {
  Bytecode(uint32_t length, std::vector<uint32_t> literals) : words(64) {
    words[1] = uint64_t{length} << 32;
    for (uint32_t at : literals) reinterpret_cast<uint8_t*>(words.data())[at + 1] = kLiteral;
  }
  uintptr_t tagged() const { return reinterpret_cast<uintptr_t>(words.data()) + 1; }
  std::vector<uint64_t> words;
};

struct Stack {
  // The function was last seen at `before`. `handler` are words of the frame of its bytecode's handler.
  Stack(const Code& code, const Bytecode& bytecode, uint32_t before, std::vector<uintptr_t> handler,
        uintptr_t returns_to) {
    stack.Enter(0);
    stack.Interpreted(0x101, before, code.At(10));
    stack.Typed(16, returns_to);
    left_by = stack.Leave();
    uintptr_t frame = stack.WordAt(left_by);
    function = reinterpret_cast<uintptr_t*>(stack.WordAt(frame)) - 2;
    function[kBytecodeWord] = bytecode.tagged();
    for (size_t i = 0; i < handler.size(); ++i) stack.WordAt(frame - 16 - 8 * i) = handler[i];
  }
  InterpretedLeaf Find(HandlerOffsets* offsets, const Code& code) {
    return offsets->Find(left_by, stack.bounds(), [&](uintptr_t pc) { return code.Contain(pc); });
  }
  ForgedStack stack;
  uintptr_t left_by;
  uintptr_t* function;
};

uint32_t OffsetFound(HandlerOffsets* offsets, const Code& code, const Bytecode& bytecode,
                     std::vector<uintptr_t> handler) {
  Stack stack(code, bytecode, 64, handler, code.allocates());
  InterpretedLeaf leaf = stack.Find(offsets, code);
  CHECK(leaf.function == stack.function);
  return leaf.offset;
}

}  // namespace

TEST(HandlerOffsetsBelieveTheOnlyWordThatIsAPlace) {
  Code code;
  Bytecode first(100, {70, 90});
  Bytecode second(50, {80});
  HandlerOffsets offsets(2);
  CHECK_EQ(OffsetFound(&offsets, code, first, {0xbad1, 70, 7}), 0u);
  CHECK_EQ(OffsetFound(&offsets, code, first, {0xbad1, 70, 7}), 0u);  // the same stack again
  CHECK_EQ(OffsetFound(&offsets, code, second, {0xbad1, 80, 7}), 80u);
  CHECK_EQ(OffsetFound(&offsets, code, first, {0xbad1, 90, 7}), 90u);
  HandlerOffsets at_once(1);
  CHECK_EQ(OffsetFound(&at_once, code, first, {0xbad1, 70, 7}), 70u);
}

TEST(HandlerOffsetsWaitUntilOneWordIsLeft) {
  Code code;
  Bytecode first(100, {70, 90});
  Bytecode second(50, {80});
  HandlerOffsets offsets(1);
  CHECK_EQ(OffsetFound(&offsets, code, first, {90, 70}), 0u);
  CHECK_EQ(OffsetFound(&offsets, code, second, {75, 80}), 80u);
}

TEST(HandlerOffsetsTakeTheWordOfABytecodeThatIsKnown) {
  Code code;
  Bytecode bytecode(100, {70, 90});
  HandlerOffsets offsets(1);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {75, 70}), 0u);
  Stack elsewhere(code, bytecode, 64, {90}, code.also_allocates());
  CHECK_EQ(elsewhere.Find(&offsets, code).offset, 90u);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {75, 70}), 70u);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {75, 80}), 75u);  // the other one has another bytecode now
}

TEST(HandlerOffsetsNoLongerBelieveAWordThatHasSomethingElse) {
  Code code;
  Bytecode bytecode(100, {70, 90});
  HandlerOffsets offsets(1);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {70}), 70u);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {80}), 0u);  // another bytecode
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {70}), 0u);
  HandlerOffsets others(1);
  CHECK_EQ(OffsetFound(&others, code, bytecode, {70}), 70u);
  CHECK_EQ(OffsetFound(&others, code, bytecode, {163}), 0u);  // after the last one
  CHECK_EQ(OffsetFound(&others, code, bytecode, {90}), 0u);
}

TEST(HandlerOffsetsFindThePlaceOfTheNextBytecode) {
  Code code;
  Bytecode bytecode(100, {70, 90});
  HandlerOffsets offsets(2);
  // The bytecodes there differ.
  for (uintptr_t next : {70, 75}) CHECK_EQ(OffsetFound(&offsets, code, bytecode, {7, next, 62}), 0u);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {7, 100, 62}), 99u);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {7, 90, 62}), 89u);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {7, 163, 62}), 0u);
  CHECK_EQ(OffsetFound(&offsets, code, bytecode, {7, 90, 62}), 0u);
}

TEST(HandlerOffsetsLeaveOtherFramesAsTheyAre) {
  Code code;
  Bytecode bytecode(100, {70});
  HandlerOffsets offsets(1);
  Stack calls(code, bytecode, 64, {70}, code.calls());
  CHECK(calls.Find(&offsets, code).function == nullptr);
  Stack elsewhere(code, bytecode, 64, {70}, ForgedStack::kCode);
  CHECK(elsewhere.Find(&offsets, code).function == nullptr);
  Stack compiled(code, bytecode, 64, {70}, code.allocates());
  compiled.function[kOffsetWord] = 0x1001;
  CHECK(compiled.Find(&offsets, code).function == nullptr);
  CHECK(offsets.Find(0, compiled.stack.bounds(), [](uintptr_t) { return true; }).function == nullptr);
  // JavaScript was left without a handler.
  ForgedStack direct;
  direct.Enter(0);
  direct.Interpreted(0x101, 64, code.allocates());
  uintptr_t left_by = direct.Leave();
  CHECK(offsets.Find(left_by, direct.bounds(), [](uintptr_t) { return true; }).function == nullptr);
}

}  // namespace memprof
