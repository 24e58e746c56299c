#include "heap/interpreted_frames.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "heap/safe_memory.h"

namespace memprof {

namespace {

bool IsSmi(uint64_t word) { return static_cast<uint32_t>(word) == 0; }
uint32_t ValueOf(uint64_t smi) { return static_cast<uint32_t>(smi >> 32); }
bool IsMarker(uintptr_t word) { return word % 2 == 0; }

}  // namespace

uint32_t OffsetOf(const uintptr_t* function) {
  uintptr_t offset = function[kOffsetWord];
  return IsHeapObject(function[kBytecodeWord]) && IsSmi(offset) ? ValueOf(offset) : 0;
}

bool HandlerOffsets::FindFrames(uintptr_t left_by, const StackRange& stack, Frames* frames) {
  if (!stack.Contain(left_by)) return false;
  auto* exit = reinterpret_cast<const uintptr_t*>(left_by);
  if (!IsMarker(exit[-1]) || exit[-1] == kEntryMarker || exit[0] <= left_by || !stack.Contain(exit[0]))
    return false;
  auto* handler = reinterpret_cast<const uintptr_t*>(exit[0]);
  bool is_entry = handler[-1] == kEntryMarker || handler[-1] == kConstructEntryMarker;
  if (!IsMarker(handler[-1]) || is_entry || handler[0] <= exit[0] || !stack.Contain(handler[0])) return false;
  auto* function = reinterpret_cast<const uintptr_t*>(handler[0]);
  if (IsMarker(function[-1])) return false;
  *frames = {exit, handler, function - 2};
  return true;
}

InterpretedLeaf HandlerOffsets::FindAt(const Frames& frames) {
  uintptr_t returns_to = frames.exit[1];
  auto found = places_.find(returns_to);
  if (found == places_.end()) {
    if (places_.size() >= kMostPlaces) return {};
    found = places_.try_emplace(returns_to).first;
    found->second.allocates = CallsAllocation(returns_to);
  }
  if (!found->second.allocates || OffsetOf(frames.function) == 0) return {};
  return {frames.function, Learn(frames, &found->second)};
}

// Whether the call before `returns_to` is one of V8's function that finds room where there is none, which has no frame. It
// begins with a comparison of the size with the largest that there may be.
bool HandlerOffsets::CallsAllocation(uintptr_t returns_to) {
#if defined(__x86_64__)
  constexpr std::array<uint8_t, 7> kCompare = {0x48, 0x81, 0xfa, 0xff,
                                               0xff, 0xff, 0x7f};  // cmp rdx, 0x7fffffff
  constexpr uint8_t kCall = 0xe8;
  std::array<uint8_t, 5> call;
  std::array<uint8_t, 7> begin;
  if (!ReadMemory(reinterpret_cast<const void*>(returns_to - call.size()), &call) || call[0] != kCall)
    return false;
  int32_t distance;
  std::memcpy(&distance, &call[1], sizeof(distance));
  uintptr_t target = returns_to + static_cast<uintptr_t>(static_cast<intptr_t>(distance));
  return ReadMemory(reinterpret_cast<const void*>(target), &begin) && begin == kCompare;
#else
  return false;
#endif
}

// The place of the only word that may be one and is that of a bytecode known to allocate; 0 where there are several.
uint32_t HandlerOffsets::OnlyAllocating(const Frames& frames, const Place& place) const {
  uint32_t offset = 0;
  for (size_t i = 0; i < kWords; ++i) {
    if (!place.fitting[i] || !allocating_[place.bytecodes[i]]) continue;
    if (offset != 0) return 0;
    offset = static_cast<uint32_t>(*(frames.handler - 2 - i));
  }
  return offset;
}

// Returns 0 where it is not known.
uint32_t HandlerOffsets::Learn(const Frames& frames, Place* place) {
  constexpr uint64_t kFirst = 63;  // where a function begins
  uintptr_t bytecode = frames.function[kBytecodeWord] - 1;
  uint64_t length;
  if (!ReadMemory(reinterpret_cast<const void*>(bytecode + sizeof(uint64_t)), &length) || !IsSmi(length))
    return 0;
  uint64_t hash = length;
  size_t words = std::min<size_t>(kWords, std::max<ptrdiff_t>(frames.handler - 2 - (frames.exit + 1), 0));
  bool is_first = place->stacks == 0;
  bool is_proved = IsProved(*place) || IsNextProved(*place);
  uint32_t offset = 0;
  uint32_t next = 0;
  for (size_t i = 0; i < kWords; ++i) {
    uint64_t word = i < words ? *(frames.handler - 2 - i) : 0;
    bool is_place = word >= kFirst && word < kFirst + ValueOf(length);
    bool fits = is_place && (is_first || place->fitting[i]);
    if (fits) {
      uint8_t code;
      fits = ReadMemory(reinterpret_cast<const void*>(bytecode + 1 + word), &code) &&
             (is_first || code == place->bytecodes[i]);
      if (fits) place->bytecodes[i] = code;
    }
    place->fitting[i] = fits;
    if (fits) offset = static_cast<uint32_t>(word);
    bool may_be_next = is_place && (is_first || place->next[i]);
    place->next[i] = may_be_next;
    if (may_be_next) next = static_cast<uint32_t>(word);
    if (fits || may_be_next) hash = Combine(hash, word);
  }
  if (!is_proved && hash != place->last_stack) {
    ++place->stacks;
    place->last_stack = hash;
  }
  if (IsProved(*place)) {
    for (size_t i = 0; i < kWords; ++i) {
      if (place->fitting[i]) allocating_.set(place->bytecodes[i]);
    }
    return offset;
  }
  if (place->stacks >= proof_ && place->fitting.count() > 1) return OnlyAllocating(frames, *place);
  // One byte before the next one, it is in the same line.
  return IsNextProved(*place) ? next - 1 : 0;
}

}  // namespace memprof
