// What the free of a buffer that is not sampled costs in the wrapper: a free through the wrapped vtable less
// one through the plain one, of an allocator that does nothing, interleaved. Prints nanoseconds, the median
// of the rounds, with so many sampled buffers alive.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "buffers/buffer_allocator.h"

class Allocator {
 public:
  virtual ~Allocator() = default;
  virtual void* Allocate(size_t bytes) { return malloc(bytes); }
  virtual void* AllocateUninitialized(size_t bytes) { return malloc(bytes); }
  virtual void Free(void* data, size_t bytes) { asm volatile("" : : "r"(data), "r"(bytes)); }
};

static double NanosecondsAFree(Allocator* allocator, const std::vector<void*>& addresses) {
  asm volatile("" : "+r"(allocator));
  constexpr int kTimes = 20;
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimes; ++i) {
    for (void* address : addresses) allocator->Free(address, 1000);
  }
  std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  return took.count() / kTimes / static_cast<double>(addresses.size());
}

int main() {
  memprof::BufferProfile* profile = memprof::BufferProfile::Process();
  memprof::Ref stack = profile->native_stack();
  auto* plain = new Allocator;
  auto* wrapped = new Allocator;
  memprof::AllocatorSlots slots{memprof::VtableSlot(&Allocator::Allocate),
                                memprof::VtableSlot(&Allocator::AllocateUninitialized),
                                memprof::VtableSlot(&Allocator::Free)};
  if (memprof::WrapAllocator(wrapped, slots, profile) != memprof::WrapResult::kWrapped) return 1;
  std::vector<void*> addresses;
  for (int i = 0; i < 4096; ++i) addresses.push_back(malloc(1024));
  size_t live = 0;
  for (size_t wanted : {0, 1000, 10'000, 100'000}) {
    for (; live < wanted; ++live) profile->AddSample(malloc(48), 48, stack, 0, 0);
    std::vector<double> differences;
    for (int round = 0; round < 101; ++round) {
      double without = NanosecondsAFree(plain, addresses);
      differences.push_back(NanosecondsAFree(wrapped, addresses) - without);
    }
    std::nth_element(differences.begin(), differences.begin() + 50, differences.end());
    printf("%zu %.2f\n", live, differences[50]);
  }
}
