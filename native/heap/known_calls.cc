#include "heap/known_calls.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/hash.h"
#include "heap/safe_memory.h"

namespace memprof {

namespace {

// Of V8's built-in code, to find where it was copied to.
constexpr size_t kPieceBytes = 64;

bool ReadPiece(uintptr_t at, std::array<char, kPieceBytes>* piece) {
  return ReadMemory(reinterpret_cast<const void*>(at), piece);
}

// Whether there is a copy of `original` at `begin`.
bool IsCopy(uintptr_t begin, std::string_view original) {
  constexpr size_t kPieces = 16;
  for (size_t i = 0; i < kPieces; ++i) {
    size_t at = (original.size() - kPieceBytes) / (kPieces - 1) * i;
    std::array<char, kPieceBytes> piece;
    if (!ReadPiece(begin + at, &piece)) return false;
    if (original.substr(at, kPieceBytes) != std::string_view(piece.data(), piece.size())) return false;
  }
  return true;
}

// Where V8's built-in functions are, of which one goes on at `pc`: V8 may run a copy of them. Empty if they are
// not found. Some of them have the same bytes.
CodeRanges::Range BuiltinsAt(uintptr_t pc, const CodeRanges& code) {
  if (code.embedded.Contain(pc)) return code.embedded;
  std::array<char, kPieceBytes> piece;
  if (!code.code.Contain(pc) || !ReadPiece(pc, &piece)) return {};
  std::string_view wanted(piece.data(), piece.size());
  std::string_view original(reinterpret_cast<const char*>(code.embedded.begin),
                            code.embedded.end - code.embedded.begin);
  for (size_t at = original.find(wanted); at != original.npos; at = original.find(wanted, at + 1)) {
    if (IsCopy(pc - at, original)) return {pc - at, pc - at + original.size()};
  }
  return {};
}

}  // namespace

bool KnownCalls::Start(uintptr_t left_by, const StackRange& stack, const CodeRanges& code) {
  constexpr int kMostFrames = 16;
  Stop();
  embedded_ = code.embedded;
  int frames = 0;
  WalkFrames(left_by, stack, code, [&](const uintptr_t*, uintptr_t returns_to) {
    builtins_ = BuiltinsAt(returns_to, code);
    started_ = builtins_.begin != 0;
    return !started_ && ++frames < kMostFrames;
  });
  return started_;
}

void KnownCalls::Stop() {
  Clear();
  started_ = false;
}

void KnownCalls::Clear() {
  ForgetPlaces();
  ForgetCurrent();
  calls_ = std::vector<Call>();
  frames_ = std::vector<Ref>();
}

void KnownCalls::ForgetPlaces() {
  numbers_.Clear();
  whole_ = {};
}

void KnownCalls::Trim() {
  if (!HasRoom()) Clear();
}

void KnownCalls::ListOffsets(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                             const InterpretedLeaf& leaf, std::vector<BytecodePlace>* places) const {
  places->clear();
  WalkFrames(left_by, stack, code, [&](const uintptr_t* function, uintptr_t returns_to) {
    uint32_t offset = OffsetFor(function, returns_to, leaf);
    if (offset != 0) places->push_back({const_cast<uintptr_t*>(function + kOffsetWord), offset});
    return true;
  });
}

// Returns 0 where the function is not interpreted, or it is not known where it is.
uint32_t KnownCalls::OffsetFor(const uintptr_t* function, uintptr_t returns_to,
                               const InterpretedLeaf& leaf) const {
  if (!IsBuiltin(returns_to)) return 0;
  return function == leaf.function ? leaf.offset : OffsetOf(function);
}

// Returns false where it cannot be told at which place of its function the frame is.
bool KnownCalls::KeyOf(const uintptr_t* function, uintptr_t returns_to, const InterpretedLeaf& leaf,
                       Key* key) const {
  key->offset = OffsetFor(function, returns_to, leaf);
  return key->offset != 0 || !IsBuiltin(returns_to);
}

void KnownCalls::Add(const Key& key) {
  uint64_t place = Combine(key.returns_to, uint64_t{key.offset} << 1 | (key.innermost ? 1 : 0));
  uint64_t sum = std::max<uint64_t>(Combine(place, key.function), 1);
  numbers_.Fetch(sum);
  sums_.push_back(sum);
  current_.hash = Combine(current_.hash, sum);
}

void KnownCalls::AddNoCall(uint32_t function) {
  sums_.push_back(0);
  current_.hash = Combine(current_.hash, function);
}

void KnownCalls::NumberCalls() {
  for (uint64_t sum : sums_) {
    auto next = static_cast<uint32_t>(calls_.size()) + 1;
    uint32_t number = sum == 0 ? 0 : numbers_.FindOrAdd(sum, next);
    if (number == next) calls_.emplace_back();
    current_.calls.push_back(number);
  }
}

KnownCalls::Found KnownCalls::FindWhole() const {
  auto found = whole_.find(current_.hash);
  return found == whole_.end() ? Found{} : found->second;
}

void KnownCalls::LearnWhole(Found found) {
  if (whole_.size() >= kMostStacks) whole_ = {};
  whole_[current_.hash] = found;
}

std::span<const Ref> KnownCalls::FramesOf(uint32_t number) const {
  const Call& call = calls_[number - 1];
  return std::span<const Ref>(frames_).subspan(call.first, call.count);
}

bool KnownCalls::AllAsked(const Stack& stack) const {
  return std::all_of(stack.calls.begin(), stack.calls.end(), [&](uint32_t call) {
    return call == 0 || calls_[call - 1].count != 0 || calls_[call - 1].asked == round_;
  });
}

void KnownCalls::Ask(const Stack& stack) {
  for (uint32_t call : stack.calls) {
    if (call != 0) calls_[call - 1].asked = round_;
  }
}

bool KnownCalls::Learn(uint32_t number, std::span<const Ref> frames, bool knows_line) {
  Call& call = calls_[number - 1];
  if (call.count != 0) {
    std::span<const Ref> known = FramesOf(number);
    return call.knows_line == knows_line &&
           std::equal(known.begin(), known.end(), frames.begin(), frames.end());
  }
  call.first = static_cast<uint32_t>(frames_.size());
  call.count = static_cast<uint32_t>(frames.size());
  call.knows_line = knows_line;
  frames_.insert(frames_.end(), frames.begin(), frames.end());
  return true;
}

}  // namespace memprof
