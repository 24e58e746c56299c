// Forges the samples of V8's sampler, and checks that they are read as V8 keeps them, that anything else is
// refused, and that nothing crashes.

#include "heap/v8_samples.h"

#include <array>
#include <cstring>
#include <deque>
#include <vector>

#include "check.h"
#include "heap/v8_layout.h"

namespace memprof {

namespace {

uintptr_t Address(const void* at) { return reinterpret_cast<uintptr_t>(at); }

struct Forged {
  std::array<uintptr_t, 40> sampler{};
  std::deque<std::array<uintptr_t, 5>> samples;
  std::deque<std::array<uintptr_t, 3>> list;
  std::deque<std::array<uintptr_t, 17>> nodes;
  std::deque<uintptr_t> handles;

  uintptr_t Node(uintptr_t parent, int script_id, int position, const char* name) {
    auto& node = nodes.emplace_back();
    node.fill(0);
    node[12] = parent;
    int32_t place[2] = {script_id, position};
    memcpy(&node[13], place, sizeof(place));
    node[14] = Address(name);
    return Address(node.data());
  }
  void Sample(uint64_t id, uint64_t size, uintptr_t node) {
    handles.push_back(0x1001 + id * 16);
    samples.push_back({size, node, Address(&handles.back()), Address(sampler.data()), id});
    uintptr_t sample = Address(samples.back().data());
    list.push_back({sampler[kSamplesWord + 2], sample, sample});
    sampler[kSamplesWord] = Address(&sampler);
    sampler[kSamplesWord + 1] = 13;
    sampler[kSamplesWord + 2] = Address(list.back().data());
    ++sampler[kSamplesWord + 3];
    MaxLoad(1);
  }
  void MaxLoad(float load) { memcpy(&sampler[kSamplesWord + 4], &load, sizeof(load)); }

  // Returns the number of samples, or -1 when something is wrong.
  int Count() {
    V8SampleReader reader(sampler.data());
    V8Sample sample;
    int count = 0;
    while (reader.Next(&sample)) ++count;
    return reader.broken() ? -1 : count;
  }
};

}  // namespace

TEST(V8SamplesAreRead) {
  Forged forged;
  uintptr_t root = forged.Node(0, 0, 0, "(root)");
  uintptr_t node = forged.Node(root, 7, 123, "work");
  forged.Sample(1, 100, node);
  forged.Sample(2, 200, root);
  V8SampleReader reader(forged.sampler.data());
  V8Sample sample;
  REQUIRE(reader.Next(&sample));
  CHECK_EQ(sample.id, 2u);
  CHECK_EQ(sample.size, 200u);
  REQUIRE(reader.Next(&sample));
  CHECK_EQ(sample.id, 1u);
  CHECK_EQ(sample.node, node);
  CHECK_EQ(sample.object, 0x1011u);
  CHECK(!reader.Next(&sample));
  CHECK(!reader.broken());
  V8Node read;
  REQUIRE(ReadV8Node(node, &read));
  CHECK_EQ(read.parent, root);
  CHECK_EQ(read.script_id, 7);
  CHECK_EQ(read.position, 123);
  std::string name;
  REQUIRE(ReadV8Name(read.name, 1000, &name));
  CHECK(name == "work");
  REQUIRE(ReadV8Name(read.name, 2, &name));
  CHECK(name == "wo");
}

TEST(V8SamplesMayBeNone) {
  Forged forged;
  forged.MaxLoad(1);
  CHECK_EQ(forged.Count(), 0);
}

TEST(V8SamplesOfAnotherLayoutAreRefused) {
  auto with_three = [](Forged* forged) {
    for (uint64_t id : {1, 2, 3}) forged->Sample(id, 100, 4096);
  };
  {
    Forged shifted;
    with_three(&shifted);
    for (size_t i = 39; i > kSamplesWord; --i) shifted.sampler[i] = shifted.sampler[i - 1];
    CHECK_EQ(shifted.Count(), -1);
  }
  for (size_t word = 0; word < 5; ++word) {
    // A field more in each sample.
    Forged more;
    with_three(&more);
    for (auto& sample : more.samples) {
      for (size_t i = 4; i > word; --i) sample[i] = sample[i - 1];
      sample[word] = 0;
    }
    // The id is the last field: what comes after it does not matter.
    CHECK_EQ(more.Count(), word == 4 ? 3 : -1);
  }
  for (uintptr_t garbage : {uintptr_t{1}, uintptr_t{8}, uintptr_t{0xdeadbeef}, ~uintptr_t{7}}) {
    Forged wild;
    with_three(&wild);
    wild.list[1][0] = garbage;
    CHECK_EQ(wild.Count(), -1);
    Forged sample;
    with_three(&sample);
    sample.list[1][1] = sample.list[1][2] = garbage;
    CHECK_EQ(sample.Count(), -1);
    Forged handle;
    with_three(&handle);
    handle.samples[1][2] = garbage;
    CHECK_EQ(handle.Count(), -1);
    V8Node node;
    CHECK(!ReadV8Node(garbage, &node));
    std::string name;
    CHECK(!ReadV8Name(garbage, 100, &name));
  }
  Forged endless;
  with_three(&endless);
  endless.list[0][0] = Address(endless.list[2].data());
  CHECK_EQ(endless.Count(), -1);
  Forged shorter;
  with_three(&shorter);
  shorter.list[1][0] = 0;
  CHECK_EQ(shorter.Count(), -1);
}

}  // namespace memprof
