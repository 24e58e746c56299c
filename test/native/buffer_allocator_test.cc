#include "buffers/buffer_allocator.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "buffers/even_counts.h"
#include "check.h"

namespace memprof {

// Not in the anonymous namespace: the compiler would know all there is, and call it without a vtable.
namespace buffer_allocator_test {

// Laid out as v8::ArrayBuffer::Allocator and what Node.js makes of it.
class Allocator {
 public:
  virtual ~Allocator() = default;
  virtual void* Allocate(size_t bytes) = 0;
  virtual void* AllocateUninitialized(size_t bytes) = 0;
  virtual void Free(void* data, size_t bytes) = 0;
  virtual size_t MaxAllocationSize() const { return size_t{1} << 40; }
};

class Real : public Allocator {
 public:
  explicit Real(bool* destroyed = nullptr) : destroyed_(destroyed) {}
  ~Real() override {
    if (destroyed_ != nullptr) *destroyed_ = true;
  }
  void* Allocate(size_t bytes) override { return bytes > kMost ? nullptr : calloc(bytes, 1); }
  void* AllocateUninitialized(size_t bytes) override { return bytes > kMost ? nullptr : malloc(bytes); }
  void Free(void* data, size_t) override { free(data); }
  virtual int Identity() { return 42; }

  static constexpr size_t kMost = size_t{1} << 30;

 private:
  bool* destroyed_;
};

}  // namespace buffer_allocator_test

namespace {

using buffer_allocator_test::Allocator;
using buffer_allocator_test::Real;
using test::InParallel;
using test::Random;
using test::Scaled;

const AllocatorSlots kSlots{VtableSlot(&Allocator::Allocate), VtableSlot(&Allocator::AllocateUninitialized),
                            VtableSlot(&Allocator::Free)};

struct Sampler final : BufferListener {
  Sampler(BufferProfile* profile, Ref stack) : profile(profile), stack(stack) {}
  void OnSampled(const void* data, size_t bytes, double count) override {
    ++samples;
    uint64_t whole = counts.Whole(stack, 0, count);
    if (whole != 0) profile->AddSample(data, bytes, stack, 0, 0, whole);
  }
  BufferProfile* profile;
  Ref stack;
  uint64_t samples = 0;
  EvenCounts counts;
};

BufferProfile* Profile() {
  static BufferProfile* profile = BufferProfile::Process();
  return profile;
}

Ref Stack(const char* function) {
  ProfileTables* tables = Profile()->tables();
  return tables->InternStack(0, tables->InternFrame(function, "file", 1, 1));
}

Figures Sum() {
  Figures sum;
  Profile()->tables()->ForEachBucket([&](const Bucket&, const Figures& figures) {
    CHECK(figures.alloc_objects >= figures.free_objects && figures.alloc_bytes >= figures.free_bytes);
    sum.alloc_objects += figures.alloc_objects;
    sum.alloc_bytes += figures.alloc_bytes;
    sum.free_objects += figures.free_objects;
    sum.free_bytes += figures.free_bytes;
  });
  return sum;
}

// Calls go through the vtable, as those of another binary do.
[[gnu::noinline]] Allocator* Opaque(Allocator* allocator) {
  asm volatile("" : "+r"(allocator));
  return allocator;
}

std::unique_ptr<Real> WrappedAllocator(bool* destroyed = nullptr) {
  auto made = std::make_unique<Real>(destroyed);
  CHECK(WrapAllocator(made.get(), kSlots, Profile()) == WrapResult::kWrapped);
  return made;
}

TEST(BufferAllocatorFindsSlotsByMemberPointers) {
  // After the two destructors, in the order of declaration.
  CHECK_EQ(kSlots.allocate, 2);
  CHECK_EQ(kSlots.allocate_uninitialized, 3);
  CHECK_EQ(kSlots.free, 4);
}

TEST(BufferAllocatorIsWrappedOnceAndKeepsItsOtherFunctions) {
  bool destroyed = false;
  auto real = WrappedAllocator(&destroyed);
  CHECK(IsWrapped(real.get()));
  CHECK(WrapAllocator(real.get(), kSlots, Profile()) == WrapResult::kWrappedBefore);
  CHECK_EQ(static_cast<Real*>(Opaque(real.get()))->Identity(), 42);
  CHECK_EQ(Opaque(real.get())->MaxAllocationSize(), size_t{1} << 40);
  real.reset();
  CHECK(destroyed);
  // Allocators of workers come and go: no place is used up.
  for (int i = 0; i < 100; ++i) WrappedAllocator();
}

TEST(BufferAllocatorRefusesMoreClassesThanItHasPlacesFor) {
  struct A : Real {};
  struct B : Real {};
  struct C : Real {};
  struct D : Real {};
  struct E : Real {};
  A a;
  B b;
  C c;
  D d;
  E e;
  for (Allocator* allocator : {static_cast<Allocator*>(&a), static_cast<Allocator*>(&b),
                               static_cast<Allocator*>(&c), static_cast<Allocator*>(&d)}) {
    CHECK(WrapAllocator(Opaque(allocator), kSlots, Profile()) == WrapResult::kWrapped);
  }
  CHECK(WrapAllocator(Opaque(&e), kSlots, Profile()) == WrapResult::kTooManyKinds);
  void* data = Opaque(&e)->Allocate(100);
  CHECK(data != nullptr);
  Opaque(&e)->Free(data, 100);
  CHECK_EQ(Profile()->totals().allocated, 0);
}

TEST(BufferAllocatorCountsAllBytesWhetherSampledOrNot) {
  auto real = WrappedAllocator();
  Profile()->CountExisting(1000);
  void* first = Opaque(real.get())->Allocate(3000);
  void* second = Opaque(real.get())->AllocateUninitialized(500);
  CHECK(Opaque(real.get())->Allocate(Real::kMost + 1) == nullptr);
  CHECK_EQ(Profile()->totals().allocated, 3500);
  CHECK_EQ(Profile()->totals().in_use(), 4500);
  Opaque(real.get())->Free(first, 3000);
  Opaque(real.get())->Free(nullptr, 0);
  CHECK_EQ(Profile()->totals().in_use(), 1500);
  Opaque(real.get())->Free(second, 500);
  CHECK_EQ(Sum().alloc_objects, 0);
}

TEST(BufferAllocatorSamplesEveryBufferAtIntervalOne) {
  auto real = WrappedAllocator();
  Sampler sampler(Profile(), Stack("f"));
  SampleBuffers(&sampler, 1, Profile());
  void* data[100];
  for (size_t i = 0; i < 100; ++i) data[i] = Opaque(real.get())->Allocate(i + 1);
  CHECK_EQ(Sum().alloc_objects, 100);
  CHECK_EQ(Sum().alloc_bytes, 5050);
  StopSamplingBuffers();
  void* unsampled = Opaque(real.get())->Allocate(77);
  CHECK_EQ(Sum().alloc_objects, 100);
  // What was sampled is followed to its end.
  for (size_t i = 0; i < 100; ++i) Opaque(real.get())->Free(data[i], i + 1);
  Opaque(real.get())->Free(unsampled, 77);
  CHECK_EQ(Sum().free_objects, 100);
  CHECK_EQ(Sum().free_bytes, 5050);
  CHECK_EQ(Profile()->live(), 0);
}

// A buffer of s bytes is sampled with p = 1 - exp(-s / interval): n of them give np +- 5 sqrt(np(1-p)), at 5
// sigma.
TEST(BufferAllocatorSamplesWithTheRightProbability) {
  auto real = WrappedAllocator();
  for (uint64_t bytes : {uint64_t{64}, uint64_t{1024}, uint64_t{16384}, uint64_t{65536}}) {
    constexpr uint64_t kInterval = 16384;
    Sampler sampler(Profile(), Stack("f"));
    SampleBuffers(&sampler, kInterval, Profile());
    double n = Scaled(200'000);
    for (int i = 0; i < n; ++i)
      Opaque(real.get())->Free(Opaque(real.get())->AllocateUninitialized(bytes), bytes);
    double p = 1 - std::exp(-static_cast<double>(bytes) / kInterval);
    double distance = std::abs(static_cast<double>(sampler.samples) - n * p);
    CHECK(distance < 5 * std::sqrt(n * p * (1 - p)) + 1);
    StopSamplingBuffers();
  }
  CHECK_EQ(Profile()->live(), 0);
}

// Thinned by f, a sample stands for as many as there would be without: n buffers still give np of them, with
// a variance of at most f times as much. At 5 sigma.
TEST(BufferAllocatorThinsSamplesAndCountsThemForMore) {
  auto real = WrappedAllocator();
  constexpr uint64_t kInterval = 16384;
  Figures before;
  for (uint64_t bytes : {uint64_t{1024}, uint64_t{16384}, uint64_t{65536}}) {
    for (double factor : {2.0, 16.0, 256.0}) {
      Sampler sampler(Profile(), Stack("f"));
      SampleBuffers(&sampler, kInterval, Profile());
      ThinBufferSamples(factor);
      double n = Scaled(200'000);
      for (int i = 0; i < n; ++i) {
        Opaque(real.get())->Free(Opaque(real.get())->AllocateUninitialized(bytes), bytes);
      }
      StopSamplingBuffers();
      Figures now = Sum();
      double p = -std::expm1(-static_cast<double>(bytes) / kInterval);
      double taken = -n * std::expm1(-static_cast<double>(bytes) / kInterval / factor);
      CHECK(static_cast<double>(sampler.samples) < taken + 5 * std::sqrt(taken) + 5);
      double counted = static_cast<double>(now.alloc_objects - before.alloc_objects);
      CHECK(std::abs(counted - n * p) < 5 * std::sqrt(n * p * factor) + factor);
      CHECK_EQ(now.alloc_bytes - before.alloc_bytes, (now.alloc_objects - before.alloc_objects) * bytes);
      CHECK_EQ(now.free_objects, now.alloc_objects);
      CHECK_EQ(now.free_bytes, now.alloc_bytes);
      before = now;
    }
  }
}

// Large buffers are nearly all seen, however their count is rounded: n of them give np, and not only to some
// sqrt(n) (5 sigma of the few that are missed).
TEST(BufferAllocatorSeesNearlyAllLargeBuffers) {
  auto real = WrappedAllocator();
  constexpr uint64_t kInterval = 512 * 1024;
  constexpr size_t kBytes = 1024 * 1024;
  for (double factor : {1.0, 8.0}) {
    Profile()->Reset();
    Sampler sampler(Profile(), Stack("f"));
    SampleBuffers(&sampler, kInterval, Profile());
    ThinBufferSamples(factor);
    constexpr double kBuffers = 600;
    for (int i = 0; i < kBuffers; ++i) Opaque(real.get())->Free(Opaque(real.get())->Allocate(kBytes), kBytes);
    StopSamplingBuffers();
    double seen = -std::expm1(-32 / factor);
    double p = -std::expm1(-2.0);
    double missed = std::sqrt(kBuffers * (1 - seen) / seen);
    CHECK(std::abs(static_cast<double>(Sum().alloc_objects) - kBuffers * p) < 5 * missed + 5);
  }
  Profile()->Reset();
}

TEST(EvenCountsAreCloseToTheSumOfEachStackAndRandomWithin) {
  for (double count : {0.22, 0.6321, 2.0 / 3, 0.8647, 1.0, 1.4, 16.3}) {
    EvenCounts counts;
    counts.Start(static_cast<uint64_t>(count * 1000));
    constexpr int kCounts = 30'000;
    double sum = 0;
    double other = 0;
    double every_third = 0;
    for (int i = 0; i < kCounts; ++i) {
      auto whole = static_cast<double>(counts.Whole(7, 0, count));
      CHECK(whole == std::floor(count) || whole == std::ceil(count));
      sum += whole;
      if (i % 3 == 0) every_third += whole;
      if (i % 10 == 0) other += static_cast<double>(counts.Whole(8, 0, 0.5));
    }
    CHECK(std::abs(sum - kCounts * count) <= 4);
    CHECK(std::abs(other - kCounts / 10 * 0.5) <= 4);
    double fraction = count - std::floor(count);
    double sigma = std::sqrt(kCounts / 3 * fraction * (1 - fraction));
    CHECK(std::abs(every_third - kCounts / 3 * count) <= 5 * sigma);
  }
}

TEST(BufferProfileForgetsWhatWasAliveAtAReset) {
  auto real = WrappedAllocator();
  Sampler sampler(Profile(), Stack("f"));
  SampleBuffers(&sampler, 1, Profile());
  void* before = Opaque(real.get())->Allocate(10);
  StopSamplingBuffers();
  Profile()->Reset();
  CHECK_EQ(Sum().alloc_objects, 0);
  SampleBuffers(&sampler, 1, Profile());
  void* after = Opaque(real.get())->Allocate(20);
  Opaque(real.get())->Free(before, 10);
  CHECK_EQ(Sum().free_objects, 0);
  CHECK_EQ(Sum().alloc_bytes, 20);
  Opaque(real.get())->Free(after, 20);
  CHECK_EQ(Sum().free_objects, 1);
  CHECK_EQ(Profile()->live(), 0);
  StopSamplingBuffers();
}

struct Buffer {
  void* data = nullptr;
  size_t bytes = 0;
};

// Every thread samples, and frees what others allocated; a reader looks on, and one stops and starts again.
TEST(BufferAllocatorIsUsedByManyThreadsAtOnce) {
  auto real = WrappedAllocator();
  struct Mailbox {
    std::mutex mutex;
    Buffer buffer;
  };
  Mailbox mailboxes[32];
  std::vector<Sampler> samplers;
  for (int i = 0; i < 4; ++i) samplers.emplace_back(Profile(), Stack(i % 2 == 0 ? "even" : "odd"));
  InParallel(5, [&](int thread) {
    Random random(thread);
    if (thread == 4) {
      for (int i = 0; i < Scaled(2000); ++i) Sum();
      return;
    }
    SampleBuffers(&samplers[thread], 1024, Profile());
    for (int step = 0; step < Scaled(200'000); ++step) {
      if (thread == 0 && step % 1000 == 999) {
        StopSamplingBuffers();
        SampleBuffers(&samplers[0], 1024, Profile());
      }
      size_t bytes = 1 + random.Below(2048);
      Buffer buffer{random.OneIn(2) ? Opaque(real.get())->Allocate(bytes)
                                    : Opaque(real.get())->AllocateUninitialized(bytes),
                    bytes};
      Mailbox& mailbox = mailboxes[random.Below(32)];
      {
        std::lock_guard<std::mutex> lock(mailbox.mutex);
        std::swap(buffer, mailbox.buffer);
      }
      if (buffer.data != nullptr) Opaque(real.get())->Free(buffer.data, buffer.bytes);
    }
    StopSamplingBuffers();
  });
  for (Mailbox& mailbox : mailboxes) {
    if (mailbox.buffer.data != nullptr) Opaque(real.get())->Free(mailbox.buffer.data, mailbox.buffer.bytes);
  }
  Figures sum = Sum();
  CHECK(sum.alloc_objects > 1000);
  CHECK_EQ(sum.alloc_objects, sum.free_objects);
  CHECK_EQ(sum.alloc_bytes, sum.free_bytes);
  CHECK_EQ(Profile()->live(), 0);
  CHECK_EQ(Profile()->totals().in_use(), 0);
}

// Counts of their own are for so many threads; the others share theirs, and all places are used again.
TEST(BufferTotalsAreExactWithMoreThreadsThanHaveCountsOfTheirOwn) {
  auto real = WrappedAllocator();
  constexpr int kThreads = 80;
  constexpr uint64_t kEach = 500;
  for (uint64_t round = 1; round <= 2; ++round) {
    std::atomic<int> started{0};
    InParallel(kThreads, [&](int thread) {
      Sampler sampler(Profile(), Stack("f"));
      SampleBuffers(&sampler, uint64_t{1} << 40, Profile());
      ++started;
      while (started < kThreads) std::this_thread::yield();
      for (uint64_t i = 0; i < kEach; ++i) {
        void* data = Opaque(real.get())->Allocate(100 + thread);
        if (i % 2 == 0)
          Opaque(real.get())->Free(data, 100 + thread);
        else
          free(data);  // which nobody sees
      }
      StopSamplingBuffers();
    });
    uint64_t bytes = kThreads * 100 + kThreads * (kThreads - 1) / 2;
    CHECK_EQ(Profile()->totals().allocated, round * kEach * bytes);
    CHECK_EQ(Profile()->totals().freed, round * kEach / 2 * bytes);
  }
}

// Frees go on while the tables are reset: none may count in what comes after.
TEST(BufferProfileIsResetWhileOthersFree) {
  auto real = WrappedAllocator();
  for (int round = 0; round < Scaled(200); ++round) {
    Sampler sampler(Profile(), Stack("f"));
    SampleBuffers(&sampler, 1, Profile());
    std::vector<void*> data(400);
    for (void*& each : data) each = Opaque(real.get())->Allocate(8);
    StopSamplingBuffers();
    InParallel(3, [&](int thread) {
      if (thread == 2) return Profile()->Reset();
      for (size_t i = thread; i < data.size(); i += 2) Opaque(real.get())->Free(data[i], 8);
    });
    CHECK_EQ(Sum().alloc_objects, 0);
    CHECK_EQ(Sum().free_objects, 0);
    CHECK_EQ(Profile()->live(), 0);
  }
}

}  // namespace
}  // namespace memprof
