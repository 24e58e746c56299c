#include "base/seeded_hash.h"

#include <bit>
#include <cstring>
#include <set>
#include <string>

#include "check.h"

namespace memprof {
namespace {

using test::Random;

TEST(SeededHashDependsOnItsSeed) {
  SeededHash one(1), same(1), other(2);
  for (std::string_view text : {"", "a", "file:///srv/app/node_modules/x/index.js"}) {
    CHECK_EQ(one.OfBytes(text), same.OfBytes(text));
    CHECK(one.OfBytes(text) != other.OfBytes(text));
  }
  CHECK_EQ(one.OfWords(1, 2), same.OfWords(1, 2));
  CHECK(one.OfWords(1, 2) != other.OfWords(1, 2));
}

// Those who know the hash but not the seed can make the upper bits of HashBytes agree: bits 63 and 28 undo
// what bit 63 of the word before did.
TEST(SeededHashIsNotFooledByTextsThatMeetUnderTheOtherHash) {
  char text[24] = "0123456789abcdefghijklm";
  char forged[24];
  memcpy(forged, text, sizeof(text));
  forged[7] ^= static_cast<char>(0x80);
  forged[15] ^= static_cast<char>(0x80);
  forged[11] ^= 0x10;
  std::string_view a(text, 24), b(forged, 24);
  CHECK(a != b);
  CHECK_EQ(HashBytes(a), HashBytes(b));
  for (uint64_t seed = 0; seed < 1000; ++seed)
    CHECK(SeededHash(seed).OfBytes(a) != SeededHash(seed).OfBytes(b));
}

TEST(SeededHashTellsLengthsApartAndReadsNothingBeyondTheEnd) {
  SeededHash hash(3);
  std::set<uint64_t> seen;
  std::string zeros(100, '\0');
  for (size_t length = 0; length <= zeros.size(); ++length) {
    CHECK(seen.insert(hash.OfBytes({zeros.data(), length})).second);
  }
  std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (size_t length = 0; length < text.size(); ++length) {
    std::string cut = text.substr(0, length);
    CHECK_EQ(hash.OfBytes({text.data(), length}), hash.OfBytes(cut));
  }
  CHECK_EQ(hash.OfBytes({}), hash.OfBytes(""));
}

TEST(SeededHashDependsOnEveryBit) {
  Random random(1);
  SeededHash hash(4);
  double flipped = 0;
  int tries = 0;
  for (size_t length = 1; length <= 40; ++length) {
    std::string text(length, 0);
    for (char& c : text) c = static_cast<char>(random.Next());
    uint64_t of_text = hash.OfBytes(text);
    for (size_t bit = 0; bit < length * 8; ++bit) {
      std::string other = text;
      other[bit / 8] ^= static_cast<char>(1 << bit % 8);
      int bits = std::popcount(of_text ^ hash.OfBytes(other));
      CHECK(bits >= 8);  // 32 is the mean; below 8 is one chance in 10^10
      flipped += bits;
      ++tries;
    }
  }
  CHECK(flipped / tries > 31 && flipped / tries < 33);
}

// The index of a table takes the home from the upper bits, and five bits to tell words apart from the lower.
TEST(SeededHashSpreadsSmallNumbersOverHomesAndTags) {
  constexpr int kHomes = 1024;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SeededHash hash(seed);
    int homes[kHomes] = {};
    int tags[32] = {};
    for (uint64_t stack = 1; stack <= 64; ++stack) {
      for (uint64_t size_class = 0; size_class < 128; ++size_class) {
        uint64_t of = hash.OfWords((stack * 4) << 32 | size_class, 0);
        ++homes[of >> 54];
        ++tags[of % 32];
      }
    }
    for (int count : homes) CHECK(count < 32);                 // 8 is the mean, 8.5 sigma
    for (int count : tags) CHECK(count > 128 && count < 384);  // 256 is the mean, 8 sigma
  }
}

}  // namespace
}  // namespace memprof
