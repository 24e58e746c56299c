#include "heap/line_counter.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>

namespace memprof {

namespace {

constexpr uint16_t kLineSeparator = 0x2028;
constexpr uint16_t kParagraphSeparator = 0x2029;

// Which of the next 16 bytes end a line or may do so.
#ifdef __SSE2__
struct Ends {
  uint32_t feeds;
  uint32_t returns;
};
Ends EndsIn(const uint8_t* text) {
  __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  return {static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')))),
          static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'))))};
}
#endif

}  // namespace

template <typename Char>
void LineCounter::Count(const Char* text, size_t length, uint32_t begin, State* state) {
  for (size_t i = 0; i < length; ++i) {
#ifdef __SSE2__
    if constexpr (sizeof(Char) == 1) {
      while (!state->after_return && i + 16 <= length) {
        Ends ends = EndsIn(text + i);
        if (ends.returns != 0) break;
        if (ends.feeds != 0) {
          // There is one, as a rule. Without a processor's own instruction, std::popcount is a call.
          for (uint32_t feeds = ends.feeds; feeds != 0; feeds &= feeds - 1) ++state->lines;
          state->start = begin + static_cast<uint32_t>(i) + static_cast<uint32_t>(std::bit_width(ends.feeds));
        }
        i += 16;
      }
      if (i == length) return;
    }
#endif
    Char character = text[i];
    if (state->after_return && character != '\n') {
      ++state->lines;
      state->start = begin + static_cast<uint32_t>(i);
    }
    state->after_return = character == '\r';
    bool ends = character == '\n';
    if constexpr (sizeof(Char) == 2) ends |= character == kLineSeparator || character == kParagraphSeparator;
    if (ends) {
      ++state->lines;
      state->start = begin + static_cast<uint32_t>(i) + 1;
    }
  }
}

template <typename Char>
void LineCounter::ReadNext(const Char* text, size_t length) {
  uint32_t begin = known();
  portions_.push_back(next_);
  Count(text, length, begin, &next_);
}

template <typename Char>
LineCounter::Place LineCounter::PlaceOf(uint32_t position, const Char* portion) const {
  State state = portions_[position / kPortion];
  uint32_t begin = position / kPortion * kPortion;
  Count(portion, position - begin, begin, &state);
  // A carriage return just before the position ends a line, unless the character there is a line feed.
  if (state.after_return && portion[position - begin] != '\n') {
    ++state.lines;
    state.start = position;
  }
  return {state.lines, position - state.start};
}

template void LineCounter::ReadNext(const uint8_t*, size_t);
template void LineCounter::ReadNext(const uint16_t*, size_t);
template LineCounter::Place LineCounter::PlaceOf(uint32_t, const uint8_t*) const;
template LineCounter::Place LineCounter::PlaceOf(uint32_t, const uint16_t*) const;

}  // namespace memprof
