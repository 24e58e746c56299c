#include "base/hash.h"

#include <bit>
#include <cstring>
#include <set>
#include <string>

#include "check.h"

namespace memprof {
namespace {

using test::Random;

// Promises to stored profiles: frame addresses are made from these.
TEST(HashIsFixedForEver) {
  CHECK_EQ(Mix(1), 0x5692161d100b05e5u);
  CHECK_EQ(Combine(1, 2), 0x1d0b14e4db018fedu);
  CHECK_EQ(HashBytes(""), 0x5692161d100b05e5u);
  CHECK_EQ(HashBytes("a"), 0xf0eea8c8a0607d15u);
  CHECK_EQ(HashBytes("handler"), 0x7e43c7d314603f94u);
  CHECK_EQ(HashBytes("/srv/app/"), 0x714a274dc8ec5c6du);
  CHECK_EQ(HashBytes("file:///srv/app/node_modules/x/index.js"), 0xfe0ec235eef8783fu);
}

TEST(HashOfAViewWithoutDataIsThatOfAnEmptyString) { CHECK_EQ(HashBytes({}), HashBytes("")); }

TEST(HashTellsLengthsApart) {
  std::set<uint64_t> seen;
  std::string zeros(100, '\0');
  for (size_t length = 0; length <= zeros.size(); ++length) {
    CHECK(seen.insert(HashBytes({zeros.data(), length})).second);
  }
}

TEST(HashDoesNotDependOnWhereBytesAre) {
  std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  char buffer[64];
  for (size_t offset = 0; offset < 16; ++offset) {
    memcpy(buffer + offset, text.data(), text.size());
    CHECK_EQ(HashBytes({buffer + offset, text.size()}), HashBytes(text));
  }
}

TEST(HashReadsNothingBeyondTheEnd) {
  std::string text = "0123456789abcdef";
  for (size_t length = 0; length < text.size(); ++length) {
    std::string cut = text.substr(0, length);
    CHECK_EQ(HashBytes({text.data(), length}), HashBytes(cut));
  }
}

TEST(HashDependsOnEveryBit) {
  Random random(1);
  double flipped = 0;
  int tries = 0;
  for (size_t length = 1; length <= 40; ++length) {
    std::string text(length, 0);
    for (char& c : text) c = static_cast<char>(random.Next());
    uint64_t hash = HashBytes(text);
    for (size_t bit = 0; bit < length * 8; ++bit) {
      std::string other = text;
      other[bit / 8] ^= static_cast<char>(1 << bit % 8);
      int bits = std::popcount(hash ^ HashBytes(other));
      CHECK(bits >= 8);  // 32 is the mean; below 8 is one chance in 10^10
      flipped += bits;
      ++tries;
    }
  }
  CHECK(flipped / tries > 31 && flipped / tries < 33);
}

TEST(CombineDependsOnOrderAndOnBoth) {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    for (uint64_t value = 0; value < 300; ++value) CHECK(seen.insert(Combine(seed, value)).second);
  }
}

}  // namespace
}  // namespace memprof
