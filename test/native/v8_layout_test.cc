// Forges V8's objects, and checks that those that fit are accepted, that others are refused, and that nothing
// crashes.

#include "heap/v8_layout.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include "check.h"
#include "heap/stack_walk.h"

namespace memprof {

namespace {

constexpr uint64_t kInterval = 524288;
constexpr int kDepth = 64;

void Destroy() {}
void Delete() {}
void Step() {}
intptr_t NextStepSize() { return 1; }

// Objects laid out as V8 does. `shift` moves all fields of the sampler after the first by so many words.
struct Forged {
  std::array<uint64_t, 48> profiler{};
  std::array<uint64_t, 160> isolate{};
  std::array<uint64_t, 40> sampler{};
  std::array<const void*, 6> vtable{};
  char root[8] = "(root)";
  SamplerFacts facts{isolate.data(), kInterval, kDepth};

  explicit Forged(const V8Layout& layout, size_t shift = 0) {
    vtable = {nullptr,
              nullptr,
              reinterpret_cast<const void*>(&Destroy),
              reinterpret_cast<const void*>(&Delete),
              reinterpret_cast<const void*>(&Step),
              reinterpret_cast<const void*>(&NextStepSize)};
    profiler[layout.profiler_word] = Address(sampler.data());
    auto set = [&](size_t word, uint64_t value) { sampler[word + (word == 0 ? 0 : shift)] = value; };
    set(0, Address(isolate.data()));
    set(4, Address(vtable.data() + 2));
    set(5, kInterval);
    set(6, Address(sampler.data()));
    set(9, kInterval);
    set(25, Address(root));
    set(34, kDepth);
    set(35, kInterval);
  }

  static uint64_t Address(const void* at) { return reinterpret_cast<uintptr_t>(at); }

  const char* Check() { return CheckSampler(sampler.data(), facts, reinterpret_cast<const void*>(&Destroy)); }
};

const V8Layout& Node20() { return *LayoutOf(115); }

}  // namespace

TEST(V8LayoutIsKnownForTheAbisOfNode) {
  for (int abi : {115, 127, 137, 147}) {
    const V8Layout* layout = LayoutOf(abi);
    REQUIRE(layout != nullptr);
    CHECK_EQ(layout->abi, abi);
  }
  CHECK(LayoutOf(108) == nullptr);
  CHECK(LayoutOf(148) == nullptr);
}

TEST(V8LayoutTakesWhatFits) {
  for (int abi : {115, 127, 137, 147}) {
    const V8Layout& layout = *LayoutOf(abi);
    Forged forged(layout);
    Found found = FindProfilerWord(layout, forged.profiler.data(), forged.facts);
    CHECK(found.at == forged.profiler.data() + layout.profiler_word);
    CHECK(forged.Check() == nullptr);
  }
}

TEST(V8LayoutFindsTheSamplerAWordFurtherOn) {
  Forged forged(Node20());
  std::swap(forged.profiler[13], forged.profiler[14]);
  Found found = FindProfilerWord(Node20(), forged.profiler.data(), forged.facts);
  CHECK(found.at == forged.profiler.data() + 14);
}

TEST(V8LayoutRefusesASamplerShiftedByAWord) {
  Forged forged(Node20(), 1);
  Found found = FindProfilerWord(Node20(), forged.profiler.data(), forged.facts);
  CHECK(found.at == nullptr);
  CHECK(found.problem != nullptr);
  CHECK(forged.Check() != nullptr);
}

TEST(V8LayoutRefusesAFieldMoreAnywhere) {
  // The extra field is in the observer, in the root of the tree, or before the interval.
  for (size_t word : {1, 3, 5, 6, 8, 9, 20, 25, 30, 34, 35}) {
    Forged forged(Node20());
    for (size_t i = 38; i > word; --i) forged.sampler[i] = forged.sampler[i - 1];
    forged.sampler[word] = 0;
    CHECK(FindProfilerWord(Node20(), forged.profiler.data(), forged.facts).at == nullptr);
  }
}

TEST(V8LayoutRefusesWhatWasNotAskedFor) {
  Forged forged(Node20());
  for (SamplerFacts other : {SamplerFacts{forged.root, kInterval, kDepth},
                             SamplerFacts{forged.isolate.data(), kInterval + 1, kDepth},
                             SamplerFacts{forged.isolate.data(), kInterval, kDepth + 1}}) {
    CHECK(FindProfilerWord(Node20(), forged.profiler.data(), other).at == nullptr);
    CHECK(CheckSampler(forged.sampler.data(), other, reinterpret_cast<const void*>(&Destroy)) != nullptr);
  }
}

TEST(V8LayoutRefusesAVtableThatIsNone) {
  Forged without(Node20());
  without.sampler[4] = 0;
  CHECK(without.Check() != nullptr);
  Forged into_nothing(Node20());
  into_nothing.sampler[4] = 0x1000;
  CHECK(into_nothing.Check() != nullptr);
  Forged with_offset(Node20());
  with_offset.vtable[0] = &with_offset;
  CHECK(with_offset.Check() != nullptr);
  for (size_t function = 2; function < 6; ++function) {
    Forged data(Node20());
    data.vtable[function] = &data;  // an address of data, not of code
    CHECK(data.Check() != nullptr);
    Forged of_others(Node20());
    of_others.vtable[function] = reinterpret_cast<const void*>(&abort);  // the code of another library
    CHECK(of_others.Check() != nullptr);
  }
}

TEST(V8LayoutSurvivesGarbage) {
  test::Random random(7);
  size_t taken = 0;
  for (int round = 0; round < test::Scaled(2000); ++round) {
    Forged forged(Node20());
    for (uint64_t& word : forged.profiler)
      word = random.OneIn(3) ? random.Next() & ~uint64_t{7} : random.Next() % 65536;
    if (random.OneIn(2)) forged.profiler[13] = Forged::Address(forged.sampler.data());
    for (int i = 0; i < 4; ++i) forged.sampler[random.Below(36)] = random.Next();
    if (FindProfilerWord(Node20(), forged.profiler.data(), forged.facts).at != nullptr) {
      if (forged.Check() == nullptr) ++taken;
    }
  }
  // Garbage in a word that is not checked does no harm, but four random words of 36 are seldom all such
  // words.
  CHECK(taken < 400);
}

TEST(V8LayoutFindsTheFrameThatJavaScriptLeftBy) {
  alignas(16) uintptr_t stack[64] = {};
  StackRange bounds{Forged::Address(stack), Forged::Address(stack + 64)};
  CodeRanges code{{0x10000, 0x20000}, {0x50000, 0x60000}};
  uintptr_t* exit = stack + 20;
  exit[-1] = 6;
  exit[0] = Forged::Address(stack + 30);
  exit[1] = 0x50010;
  Forged forged(Node20());
  CHECK(FindEntryWord(Node20(), forged.isolate.data(), bounds, code).at == nullptr);
  forged.isolate[48] = Forged::Address(exit);
  CHECK(FindEntryWord(Node20(), forged.isolate.data(), bounds, code).at == forged.isolate.data() + 48);
  std::swap(forged.isolate[48], forged.isolate[49]);
  CHECK(FindEntryWord(Node20(), forged.isolate.data(), bounds, code).at == forged.isolate.data() + 49);
  forged.isolate[60] = Forged::Address(exit);
  CHECK(FindEntryWord(Node20(), forged.isolate.data(), bounds, code).at == nullptr);  // two words fit
  forged.isolate[60] = 0;
  exit[1] = 0x30000;  // does not return to V8's code
  CHECK(FindEntryWord(Node20(), forged.isolate.data(), bounds, code).at == nullptr);
}

}  // namespace memprof
