#include "check.h"
#include "tables/profile_tables.h"

namespace memprof {
namespace {

constexpr uint64_t kLargest = uint64_t{1} << 40;

// What is so of every class: it holds its limit, the next size is in a later one, and it is at most 12.5 %
// wide.
void CheckClassOf(uint64_t size) {
  uint32_t size_class = SizeClassOf(size);
  uint64_t limit = SizeClassLimit(size_class);
  CHECK(size <= limit);
  CHECK_EQ(SizeClassOf(limit), size_class);
  uint32_t next = SizeClassOf(limit + 1);
  CHECK(next > size_class);
  uint64_t width = SizeClassLimit(next) - limit;  // of the next class, which begins at limit + 1
  CHECK(width == 1 || width * 8 <= limit + 1);
}

TEST(SizeClassesOfSmallSizesAreThemselves) {
  for (uint64_t size = 0; size < 16; ++size) {
    CHECK_EQ(SizeClassOf(size), size);
    CHECK_EQ(SizeClassLimit(SizeClassOf(size)), size);
  }
}

TEST(SizeClassesAreMonotoneAndNarrowForEverySmallSize) {
  uint32_t last = 0;
  for (uint64_t size = 1; size < 300'000; ++size) {
    uint32_t size_class = SizeClassOf(size);
    CHECK(size_class >= last);
    CheckClassOf(size);
    last = size_class;
  }
}

TEST(SizeClassesAreWalkedByTheirLimitsUpToTheLargest) {
  int classes = 0;
  for (uint64_t size = 0; size <= kLargest; size = SizeClassLimit(SizeClassOf(size)) + 1) {
    CheckClassOf(size);
    ++classes;
  }
  CHECK_EQ(classes, 16 + (40 - 4) * 8 + 1);
}

TEST(SizeClassesHoldRandomSizes) {
  test::Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    uint64_t a = random.Below(uint64_t{1} << random.Below(41));
    uint64_t b = random.Below(uint64_t{1} << random.Below(41));
    CheckClassOf(a);
    CHECK((a < b) <= (SizeClassOf(a) <= SizeClassOf(b)));
  }
}

TEST(SizeClassesReachTheLargestNumberThereIs) {
  CHECK_EQ(SizeClassLimit(SizeClassOf(~uint64_t{0})), ~uint64_t{0});
}

}  // namespace
}  // namespace memprof
