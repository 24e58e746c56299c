#include "heap/line_counter.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"

namespace memprof {

namespace {

// V8's rule, character by character.
template <typename Char>
std::vector<LineCounter::Place> ByV8sRule(const std::vector<Char>& text) {
  std::vector<LineCounter::Place> places;
  LineCounter::Place now;
  for (size_t i = 0; i < text.size(); ++i) {
    places.push_back(now);
    bool end = text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'));
    if (sizeof(Char) == 2) end |= text[i] == 0x2028 || text[i] == 0x2029;
    now = end ? LineCounter::Place{now.line + 1, 0} : LineCounter::Place{now.line, now.column + 1};
  }
  return places;
}

// Each place is counted from the beginning of its portion. Under a sanitizer only some are asked for: as 17 and 16 have no
// common factor, at every distance from the 16 bytes that are looked at together.
constexpr uint32_t kStep = MEMPROF_TEST_DIVISOR == 1 ? 1 : 17;

template <typename Char>
void CheckAll(const std::vector<Char>& text) {
  LineCounter counter;
  while (counter.known() < text.size()) {
    size_t begin = counter.known();
    counter.ReadNext(text.data() + begin, std::min<size_t>(LineCounter::kPortion, text.size() - begin));
  }
  std::vector<LineCounter::Place> expected = ByV8sRule(text);
  size_t different = 0;
  auto is_asked_for = [&](uint32_t i) {
    uint32_t in_portion = i % LineCounter::kPortion;
    return i % kStep == 0 || in_portion < 40 || in_portion + 40 >= LineCounter::kPortion ||
           i + 40 >= text.size();
  };
  for (uint32_t i = 0; i < text.size(); ++i) {
    if (!is_asked_for(i)) continue;
    const Char* portion = text.data() + i / LineCounter::kPortion * LineCounter::kPortion;
    LineCounter::Place place = counter.PlaceOf(i, portion);
    different += place.line != expected[i].line || place.column != expected[i].column;
  }
  CHECK_EQ(different, 0u);
}

template <typename Char>
std::vector<Char> Text(size_t length, int one_in, unsigned seed) {
  static constexpr uint16_t kEnds[] = {'\n', '\r', 0x2028, 0x2029};
  std::srand(seed);
  std::vector<Char> text;
  while (text.size() < length) {
    if (std::rand() % one_in == 0) {
      auto end = static_cast<Char>(kEnds[std::rand() % (sizeof(Char) == 1 ? 2 : 4)]);
      text.push_back(end);
      if (end == '\r' && std::rand() % 2 == 0) text.push_back('\n');
    } else {
      text.push_back('x');
    }
  }
  return text;
}

}  // namespace

TEST(LineCounterFollowsV8sRule) {
  for (int one_in : {2, 20, 500}) {
    for (size_t length : {1, 15, 16, 17, 8191, 8192, 8193, 30000}) {
      CheckAll(Text<uint8_t>(length, one_in, static_cast<unsigned>(length)));
      CheckAll(Text<uint16_t>(length, one_in, static_cast<unsigned>(length)));
    }
  }
}

TEST(LineCounterSeesAReturnAtTheEndOfAPortion) {
  for (char next : {'\n', 'x'}) {
    std::vector<uint8_t> text(LineCounter::kPortion - 1, 'x');
    text.push_back('\r');
    text.push_back(static_cast<uint8_t>(next));
    text.push_back('x');
    CheckAll(text);
  }
}

}  // namespace memprof
