#include "heap/maglev_lines.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "check.h"

namespace memprof {

namespace {

constexpr MaglevFormat kMaglev = {11, false};

// A function's code, laid out as V8 does.
class FakeCode {
 public:
  static constexpr size_t kStart = 128;  // of the instructions, in the page
  explicit FakeCode(unsigned compiler = kMaglev.number) {
    page_.fill(0xcc);
    Set(&table_[8], uint64_t{6} << 32);
    // Three places: 4, 4 + 16 and 4 + 16 + 32. The position of an expression has a negative number.
    const uint8_t numbers[] = {(4 + 1) * 2 - 1, 10, 16 * 2, 2, (32 + 1) * 2 - 1, 4};
    memcpy(&table_[16], numbers, sizeof(numbers));
    code_[2] = Tagged(table_.data());
    code_[4] = At(kStart - 32) + 1;
    code_[5] = At(kStart);
    code_[6] = uint64_t{0x120 | compiler} << 32;
    code_[7] = uint64_t{24} << 32 | kInstructionBytes;
    Set(&page_[kStart - 24], Tagged(code_.data()));
    Set(&page_[kStart - 8], uint64_t{kInstructionBytes + 24});
  }

  void Write(size_t at, std::vector<uint8_t> bytes) {
    memcpy(&page_[kStart + at], bytes.data(), bytes.size());
  }
  // The place in the instructions where the line is; -1: there is none.
  int64_t Line(size_t at, const MaglevFormat& maglev = kMaglev) const {
    LinePlace place = FindLinePlace(At(kStart + at), {At(0), At(page_.size())}, maglev);
    return place.known ? static_cast<int64_t>(place.pc - At(kStart)) : -1;
  }
  int32_t MaybeLoopAt(size_t at) const {
    return FindLinePlace(At(kStart + at), {At(0), At(page_.size())}, kMaglev).maybe_loop_at;
  }
  std::array<uint64_t, 8>& code() { return code_; }
  std::array<uint8_t, 64>& table() { return table_; }

 private:
  static constexpr uint32_t kInstructionBytes = 200;
  static void Set(uint8_t* at, uint64_t word) { memcpy(at, &word, sizeof(word)); }
  static uint64_t Tagged(const void* object) { return reinterpret_cast<uintptr_t>(object) + 1; }
  uint64_t At(size_t at) const { return reinterpret_cast<uintptr_t>(page_.data()) + at; }

  alignas(4096) std::array<uint8_t, 4096> page_;
  alignas(16) std::array<uint8_t, 64> table_{};
  alignas(16) std::array<uint64_t, 8> code_{};
};

// mov rdi,rax; pop r8; pop rax; jmp back to 40
const std::vector<uint8_t> kBack = {0x48, 0x89, 0xc7, 0x41, 0x58, 0x58, 0xe9, 0xb9, 0xff, 0xff, 0xff};

TEST(MaglevLinesFollowsTheJumpBack) {
  FakeCode code;
  code.Write(100, kBack);
  CHECK_EQ(code.Line(100), 40);
  // vmovsd xmm1,[rsp+8]; movsd xmm9,[rsp]; add rsp,16; jmp back to 50
  code.Write(120, {0xc5, 0xfb, 0x10, 0x4c, 0x24, 0x08, 0xf2, 0x44, 0x0f, 0x10, 0x0c, 0x24, 0x48, 0x83, 0xc4,
                   0x10, 0xeb, 0xa8});
  CHECK_EQ(code.Line(120), 50);
  // test sil,1; je forwards; jmp back to 40
  code.Write(140, {0x40, 0xf6, 0xc6, 0x01, 0x0f, 0x84, 0x10, 0x00, 0x00, 0x00, 0xe9, 0x8d, 0xff, 0xff, 0xff});
  CHECK_EQ(code.Line(140), 40);
  // The same, but backwards, and with another bit.
  code.Write(140, {0x40, 0xf6, 0xc6, 0x01, 0x0f, 0x84, 0xf0, 0xff, 0xff, 0xff});
  CHECK_EQ(code.Line(140), -1);
  code.Write(140, {0x40, 0xf6, 0xc6, 0x02, 0x0f, 0x84, 0x10, 0x00, 0x00, 0x00});
  CHECK_EQ(code.Line(140), -1);
}

TEST(MaglevLinesLeavesTheTableWhereItIsRight) {
  FakeCode code;
  code.Write(30, kBack);
  CHECK_EQ(code.Line(30), 30);
  CHECK_EQ(code.Line(52), 52);
  CHECK_EQ(code.Line(53), -1);
  FakeCode other(kMaglev.number + 1);
  other.Write(100, kBack);
  CHECK_EQ(other.Line(100), 100);
}

TEST(MaglevLinesKnowsPositionsThatStayBehind) {
  FakeCode code;
  code.Write(100, kBack);
  CHECK_EQ(code.Line(100), 40);
  // The second position, which is that of 40, lies before the first one now: -3.
  code.table()[16 + 3] = 5;
  CHECK_EQ(code.Line(100), -1);
  // That position is 2 now: the first character, of which the lowest bit is no part.
  CHECK_EQ(code.MaybeLoopAt(100), 0);
  CHECK_EQ(code.MaybeLoopAt(4), -1);
  CHECK_EQ(code.Line(4), 4);
  CHECK_EQ(code.Line(30), -1);
  // Another inlined call has positions of its own: bit 31.
  std::array<uint8_t, 64>& table = code.table();
  table[12] = 10;
  const uint8_t numbers[] = {(4 + 1) * 2 - 1, 10, 16 * 2, 0xfb, 0xff, 0xff, 0xff, 0x1f, (32 + 1) * 2 - 1, 4};
  memcpy(&table[16], numbers, sizeof(numbers));
  CHECK_EQ(code.Line(100), 40);
}

TEST(MaglevLinesReadsTheOtherNumbers) {
  FakeCode code(12);
  const uint8_t numbers[] = {(4 * 2 + 1) * 2, 10, 16 * 2 * 2, 2, (24 * 2 + 1) * 2, 4};

  memcpy(&code.table()[16], numbers, sizeof(numbers));
  code.Write(100, kBack);
  CHECK_EQ(code.Line(100, {12, true}), 40);
  CHECK_EQ(code.Line(44, {12, true}), 44);
  CHECK_EQ(code.Line(45, {12, true}), -1);
}

TEST(MaglevLinesKnowsNothingOfOtherInstructions) {
  FakeCode code;
  // test al,1
  code.Write(100, {0xa8, 0x01, 0xe9, 0xb9, 0xff, 0xff, 0xff});
  CHECK_EQ(code.Line(100), -1);
  // Forwards, out of the code, and to where there are no lines either.
  code.Write(100, {0xeb, 0x20});
  CHECK_EQ(code.Line(100), -1);
  code.Write(100, {0xe9, 0x00, 0xff, 0xff, 0xff});
  CHECK_EQ(code.Line(100), -1);
  code.Write(100, {0xeb, 0xf0});
  CHECK_EQ(code.Line(100), -1);
  // At the very end.
  code.Write(198, {0x58, 0x58});
  CHECK_EQ(code.Line(198), -1);
}

TEST(MaglevLinesDoubtsWhatDoesNotFit) {
  for (size_t word : {4, 5, 7}) {
    FakeCode code;
    code.Write(100, kBack);
    code.code()[word] += 64;
    // It is no code of a function then.
    CHECK_EQ(code.Line(100), 100);
  }
  for (uint64_t table : {uint64_t{0}, uint64_t{1}, uint64_t{0x10001}}) {
    FakeCode code;
    code.Write(100, kBack);
    code.code()[2] = table;
    CHECK_EQ(code.Line(100), -1);
  }
  FakeCode code;
  code.Write(100, kBack);
  code.table()[12] = 5;  // its last number is missing
  CHECK_EQ(code.Line(100), -1);
  code.table()[12] = 6;
  code.table()[21] = 0x84;  // a number that goes on behind the end
  CHECK_EQ(code.Line(100), -1);
  CHECK_EQ(FindLinePlace(4096, {1 << 20, 1 << 21}, kMaglev).pc, 4096u);
}

TEST(MaglevLinesReadsNoProtectedPage) {
  size_t page = static_cast<size_t>(getpagesize());
  void* pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED);
  CHECK_EQ(mprotect(pages, page, PROT_NONE), 0);
  // Nothing is the start of a function, so that the search goes on to the page before.
  uintptr_t begin = reinterpret_cast<uintptr_t>(pages);
  LinePlace place = FindLinePlace(begin + page + 300, {begin, begin + 2 * page}, kMaglev);
  CHECK(place.known);
  CHECK_EQ(place.pc, begin + page + 300);
  munmap(pages, 2 * page);
}

}  // namespace

}  // namespace memprof
