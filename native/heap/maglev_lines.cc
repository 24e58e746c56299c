#include "heap/maglev_lines.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "heap/safe_memory.h"

namespace memprof {

namespace {

constexpr uintptr_t kCodeAlignment = 64;
// V8 reserves memory for code in pieces of this size.
constexpr uintptr_t kPageBytes = 256 * 1024;
// Of a larger function, V8's line is taken as it is.
constexpr uintptr_t kMostCodeBytes = 32 * 1024;
constexpr uintptr_t kHeaderBytes = 32;
// Read at a time: a page or part of one, readable as a whole or not at all. A header never crosses the end of a block.
constexpr uintptr_t kBlockBytes = 4096;
static_assert(kBlockBytes % kCodeAlignment == 0 && kBlockBytes <= kMostReadable &&
              kHeaderBytes <= kCodeAlignment);
constexpr size_t kPositionsWord = 2;
constexpr size_t kInstructionsWord = 4;
constexpr size_t kStartWord = 5;
constexpr size_t kFlagsWord = 6;
constexpr size_t kSizesWord = 7;
constexpr unsigned kCompilerMask = 15;
constexpr size_t kMostTableBytes = 1 << 20;
constexpr uint64_t kMore = 0x80;  // in a byte of a number

struct FunctionCode {
  uintptr_t start = 0;
  uintptr_t end = 0;  // of its instructions
  unsigned compiler = 0;
  uintptr_t positions = 0;
};

uint32_t LowHalf(uintptr_t word) { return static_cast<uint32_t>(word); }
uint32_t HighHalf(uintptr_t word) { return static_cast<uint32_t>(uint64_t{word} >> 32); }

// Whether instructions begin here, by the words before them.
bool IsStart(uintptr_t start, const std::array<uintptr_t, 4>& header, uintptr_t pc, FunctionCode* code) {
  uintptr_t object = header[1];
  uint64_t bytes = header[3];
  if (!IsHeapObject(object) || bytes > UINT32_MAX || start + bytes < pc) return false;
  std::array<uintptr_t, 8> words;
  if (!ReadMemory(reinterpret_cast<const void*>(ObjectAddress(object)), &words)) return false;
  uint64_t instructions = LowHalf(words[kSizesWord]);
  if (words[kStartWord] != start || words[kInstructionsWord] != start - kHeaderBytes + 1 ||
      instructions + HighHalf(words[kSizesWord]) != bytes || start + instructions < pc) {
    return false;
  }
  *code = {start, start + instructions, HighHalf(words[kFlagsWord]) & kCompilerMask, words[kPositionsWord]};
  return true;
}

// Looks backwards from `pc`, page by page, because most functions are short. V8 protects pages between those with
// code, so nothing here may be read without care before the start is found.
bool FindCode(uintptr_t pc, uintptr_t range_begin, FunctionCode* code) {
  uintptr_t lowest = std::max(pc / kPageBytes * kPageBytes, range_begin);
  lowest = std::max(lowest, pc - kMostCodeBytes);
  uintptr_t read = 0;  // the block in `bytes`
  std::array<uint8_t, kBlockBytes> bytes;
  for (uintptr_t start = (pc - 1) / kCodeAlignment * kCodeAlignment; start >= lowest + kHeaderBytes;
       start -= kCodeAlignment) {
    uintptr_t at = start - kHeaderBytes;
    uintptr_t block = at / kBlockBytes * kBlockBytes;
    if (block != read && !ReadMemory(reinterpret_cast<const void*>(block), bytes.data(), bytes.size()))
      return false;
    read = block;
    std::array<uintptr_t, 4> header;
    memcpy(header.data(), &bytes[at - block], sizeof(header));
    if (IsStart(start, header, pc, code)) return true;
  }
  return false;
}

// Reads numbers of seven bits a byte, of which the lowest is the sign.
class NumberReader {
 public:
  NumberReader(uintptr_t begin, size_t bytes) : next_(begin), end_(begin + bytes) {}
  bool AtEnd() const { return next_ == end_ && used_ == filled_; }
  bool Next(int64_t* number) {
    uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (used_ == filled_ && !Fill()) return false;
      uint8_t byte = bytes_[used_++];
      bits |= (uint64_t{byte} & ~kMore) << shift;
      if ((byte & kMore) != 0) continue;
      *number = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
      return true;
    }
    return false;
  }

 private:
  bool Fill() {
    used_ = 0;
    filled_ = std::min<size_t>(end_ - next_, bytes_.size());
    if (filled_ == 0 || !ReadMemory(reinterpret_cast<const void*>(next_), bytes_.data(), filled_)) {
      filled_ = 0;
      return false;
    }
    next_ += filled_;
    return true;
  }
  uintptr_t next_;
  uintptr_t end_;
  std::array<uint8_t, 512> bytes_;
  size_t used_ = 0;
  size_t filled_ = 0;
};

// Reads the entries of a table of positions.
class PositionReader {
 public:
  PositionReader(uintptr_t begin, size_t bytes, bool marks_expressions)
      : numbers_(begin, bytes), marks_expressions_(marks_expressions) {}
  bool AtEnd() const { return numbers_.AtEnd(); }
  bool Next() {
    int64_t further;
    int64_t moved;
    if (!numbers_.Next(&further) || !numbers_.Next(&moved)) return false;
    // Where the lowest bit does not mark the position of an expression, its number is negative, from -1.
    if (marks_expressions_) {
      further >>= 1;
    } else if (further < 0) {
      further = -(further + 1);
    }
    if (further < 0) return false;
    place_ += static_cast<uint64_t>(further);
    position_ += static_cast<uint64_t>(moved);
    return true;
  }
  uint64_t place() const { return place_; }  // in the code
  // Where it is in the text of its script, from 1, and the number of the inlined call of that.
  uint32_t text() const { return static_cast<uint32_t>(position_ >> 1) & ((1u << 30) - 1); }
  uint32_t call() const { return static_cast<uint32_t>(position_ >> 31); }

 private:
  NumberReader numbers_;
  const bool marks_expressions_;
  uint64_t place_ = 0;
  uint64_t position_ = 0;
};

class Positions {
 public:
  // Returns false when it cannot be read.
  bool Read(uintptr_t table, bool marks_expressions) {
    marks_expressions_ = marks_expressions;
    if (!IsHeapObject(table)) return false;
    uintptr_t words[2];
    if (!ReadMemory(reinterpret_cast<const void*>(ObjectAddress(table)), &words)) return false;
    begin_ = ObjectAddress(table) + sizeof(words);
    bytes_ = HighHalf(words[1]);
    if (LowHalf(words[1]) != 0 || bytes_ > kMostTableBytes) return false;
    PositionReader reader = Reader();
    while (!reader.AtEnd()) {
      if (!reader.Next()) return false;
    }
    last_ = reader.place();
    return true;
  }
  // The place in the code that the last entry is for.
  uint64_t last() const { return last_; }
  // Whether V8's position for this place in the code may be that of a loop's statement. Maglev takes the first round of
  // a loop out of it, and when it then compiles the loop itself, V8's positions stay at the loop's statement, which
  // comes before what was compiled already. But so does a call whose arguments have calls.
  // Sets `text_at` to where it is in the script, or to -1 where that is not known, as of what was inlined.
  bool MayBeStuckAt(uint64_t place, int32_t* text_at) const {
    PositionReader reader = Reader();
    uint32_t text = 0;
    uint32_t call = 0;
    while (!reader.AtEnd() && reader.Next() && reader.place() <= place) {
      text = reader.text();
      call = reader.call();
    }
    // V8 adds one to the position in the script.
    *text_at = call == 0 ? static_cast<int32_t>(text) - 1 : -1;
    PositionReader before = Reader();
    while (!before.AtEnd() && before.Next() && before.place() <= place) {
      if (before.call() == call && before.text() > text) return true;
    }
    return false;
  }

 private:
  PositionReader Reader() const { return PositionReader(begin_, bytes_, marks_expressions_); }
  uintptr_t begin_ = 0;
  size_t bytes_ = 0;
  bool marks_expressions_ = false;
  uint64_t last_ = 0;
};

uint8_t ByteAt(uintptr_t at) { return *reinterpret_cast<const uint8_t*>(at); }

// How long an operand is that begins with the byte at `at`, without an immediate value.
uintptr_t OperandBytes(uintptr_t at) {
  unsigned mode = ByteAt(at) >> 6;
  if (mode == 3) return 1;
  bool has_second = (ByteAt(at) & 7) == 4;
  return 1 + (has_second ? 1 : 0) + (mode == 1 ? 1 : mode == 2 ? 4 : 0);
}

// The length of the instruction, if it is one of those that bring back registers after a call: moves between
// registers, `pop`, loads of floating-point registers, and additions to the stack pointer.
uintptr_t RestoreBytes(uintptr_t at) {
  uint8_t first = ByteAt(at);
  uint8_t second = ByteAt(at + 1);
  uint8_t third = ByteAt(at + 2);
  if (first >= 0x58 && first <= 0x5f) return 1;
  if (first == 0x41 && second >= 0x58 && second <= 0x5f) return 2;
  if ((first & 0xf8) == 0x48 && (second == 0x89 || second == 0x8b) && third >= 0xc0) return 3;
  if (first == 0x48 && second == 0x83 && third == 0xc4) return 4;
  if (first == 0x48 && second == 0x81 && third == 0xc4) return 7;
  if (first == 0xc5 && third == 0x10) return 3 + OperandBytes(at + 3);
  if (first == 0xf2 || first == 0xf3) {
    uintptr_t prefix = (second & 0xf0) == 0x40 ? 2 : 1;
    if (ByteAt(at + prefix) == 0x0f && ByteAt(at + prefix + 1) == 0x10) {
      return prefix + 2 + OperandBytes(at + prefix + 2);
    }
  }
  return 0;
}

// The length of `test reg,1` and a conditional jump forwards, as where a number that is not small must be handled
// elsewhere; 0 if it is something else.
uintptr_t CheckBytes(uintptr_t at) {
  uintptr_t prefix = (ByteAt(at) & 0xf0) == 0x40 ? 1 : 0;
  uintptr_t jump = at + prefix + 3;
  if (ByteAt(at + prefix) != 0xf6 || (ByteAt(at + prefix + 1) & 0xf8) != 0xc0 || ByteAt(jump - 1) != 1)
    return 0;
  int32_t distance;
  memcpy(&distance, reinterpret_cast<const void*>(jump + 2), sizeof(distance));
  return ByteAt(jump) == 0x0f && (ByteAt(jump + 1) & 0xf0) == 0x80 && distance > 0 ? prefix + 9 : 0;
}

// Where it goes on after the call, if that only brings back registers, checks them and jumps back; else 0.
uintptr_t JumpBack(uintptr_t pc, const FunctionCode& code) {
  constexpr uintptr_t kLongest = 16;  // of an instruction
  constexpr int kMostInstructions = 64;
  uintptr_t at = pc;
  for (int i = 0; i < kMostInstructions && at + kLongest <= code.end; ++i) {
    uintptr_t to = 0;
    if (ByteAt(at) == 0xe9) {
      int32_t distance;
      memcpy(&distance, reinterpret_cast<const void*>(at + 1), sizeof(distance));
      to = at + 5 + static_cast<uintptr_t>(static_cast<intptr_t>(distance));
    } else if (ByteAt(at) == 0xeb) {
      to = at + 2 + static_cast<uintptr_t>(static_cast<intptr_t>(static_cast<int8_t>(ByteAt(at + 1))));
    }
    if (to != 0) return to > code.start && to < pc ? to : 0;
    uintptr_t bytes = RestoreBytes(at);
    if (bytes == 0) bytes = CheckBytes(at);
    if (bytes == 0) return 0;
    at += bytes;
  }
  return 0;
}

}  // namespace

LinePlace FindLinePlace(uintptr_t pc, const CodeRanges::Range& range, const MaglevFormat& maglev) {
  if (!range.Contain(pc)) return {true, pc};
  FunctionCode code;
  // V8 may keep a copy of its built-in functions in the range, such as those that run code not compiled yet.
  if (!FindCode(pc, range.begin, &code)) return {true, pc};
  if (code.compiler != maglev.number) return {true, pc};
  Positions positions;
  if (!positions.Read(code.positions, maglev.marks_expressions)) return {false, pc, -1, true};
  uintptr_t back = pc - code.start <= positions.last() ? pc : JumpBack(pc, code);
  if (back == 0 || back - code.start > positions.last()) return {false, pc, -1, true};
  int32_t text_at;
  if (!positions.MayBeStuckAt(back - code.start, &text_at)) return {true, back, -1, true};
  return {false, back, text_at, true};
}

}  // namespace memprof
