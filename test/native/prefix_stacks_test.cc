#include "heap/prefix_stacks.h"

#include "base/hash.h"
#include "check.h"

namespace memprof {

TEST(PrefixStacksForgetButNeverConfuse) {
  PrefixStacks stacks;
  stacks.Fetch(1);
  stacks.Put(1, 1);
  CHECK_EQ(stacks.Find(1), 0u);
  CHECK_EQ(stacks.bytes(), 0u);
  stacks.Start();
  CHECK_EQ(stacks.Find(0), 0u);
  uint32_t known = 0;
  for (Ref i = 1; i <= 10000; ++i) {
    stacks.Fetch(Mix(i));
    CHECK_EQ(stacks.Find(Mix(i)), 0u);
    stacks.Put(Mix(i), i);
    CHECK_EQ(stacks.Find(Mix(i)), i);
  }
  for (Ref i = 1; i <= 10000; ++i) {
    Ref found = stacks.Find(Mix(i));
    CHECK(found == 0 || found == i);
    known += found != 0;
  }
  CHECK(known > 1000 && known < 10000);
  CHECK(stacks.bytes() >= known * sizeof(Ref));
}

}  // namespace memprof
