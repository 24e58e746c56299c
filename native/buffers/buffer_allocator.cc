#include "buffers/buffer_allocator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <iterator>
#include <mutex>
#include <utility>

#include "base/clocks.h"
#include "base/hash.h"
#include "base/old_glibc.h"

#ifdef __linux__
#include <link.h>
#endif
#ifdef __APPLE__
#include <mach/mach.h>
#endif

MEMPROF_OLD_GLIBC(log);

namespace memprof {

namespace {

constexpr int64_t kNever = int64_t{1} << 62;
constexpr int kLargeShift = 4;  // see invariant (5)

struct ThreadState {
  int64_t countdown = kNever;  // bytes until the next sample
  BufferCounts* counts = nullptr;
  BufferListener* listener = nullptr;
  size_t large = ~size_t{0};  // bytes from which a buffer is large
  double interval = 0;        // as requested
  double mean = 0;            // as in force, which is more while samples are thinned
  uint64_t random = 0;
};

constinit thread_local ThreadState thread_state;

// In (0, 1].
double Uniform(ThreadState* thread) {
  uint64_t& state = thread->random;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (static_cast<double>((state * 0x2545f4914f6cdd1du) >> 11) + 1) * 0x1p-53;
}

// Exponentially distributed: the bytes between two events of a Poisson process. It has no memory, so a new
// one may be drawn at any time that does not depend on what is allocated next.
int64_t NextCountdown(ThreadState* thread) {
  if (thread->mean <= 1) return 0;
  return static_cast<int64_t>(-std::log(Uniform(thread)) * thread->mean);
}

// What the countdown takes a buffer for. No buffer is so large that this would overflow.
int64_t Weight(const ThreadState* thread, size_t bytes) {
  return static_cast<int64_t>(bytes) << (bytes >= thread->large ? kLargeShift : 0);
}

// The number of samples that one stands for.
double Count(const ThreadState* thread, size_t bytes) {
  if (thread->mean <= 1 || (thread->mean == thread->interval && bytes < thread->large)) return 1;
  double wanted = std::expm1(-static_cast<double>(bytes) / thread->interval);
  return wanted / std::expm1(-static_cast<double>(Weight(thread, bytes)) / thread->mean);
}

[[gnu::noinline]] void CountDownAgain(ThreadState* thread, const void* data, size_t bytes) {
  if (thread->listener == nullptr) {
    thread->countdown = kNever;
    return;
  }
  double count = Count(thread, bytes);
  // Before the listener is called, since it may allocate, or thin.
  thread->countdown = NextCountdown(thread);
  thread->listener->OnSampled(data, bytes, count);
}

// A copy has a magic number, the offset to top, the type information, and functions. No vtable of an
// allocator has so many functions.
constexpr size_t kFunctions = 24;
constexpr size_t kBeforeFunctions = 3;
constexpr uint64_t kMagic = 0x6d656d70726f6621;  // other copies of this library know ours by it

using AllocateFunction = void* (*)(void*, size_t);
using FreeFunction = void (*)(void*, void*, size_t);

// One class of allocators.
struct alignas(64) Kind {
  // A thread may come here through the new vtable, and still see the null pointer that was here before.
  template <typename F>
  static F Ready(const std::atomic<F>& function) {
    F ready = function.load(std::memory_order_relaxed);
    while (ready == nullptr) [[unlikely]]
      ready = function.load(std::memory_order_acquire);
    return ready;
  }

  std::atomic<AllocateFunction> allocate;
  std::atomic<AllocateFunction> allocate_uninitialized;
  std::atomic<FreeFunction> free;
  std::atomic<BufferProfile*> profile;
  const void* const* original;
  struct {
    uint64_t magic;
    const void* offset_to_top;
    const void* type;
    const void* functions[kFunctions];
  } copy;
};

constexpr size_t kKinds = 4;
constinit Kind kinds[kKinds]{};

// Leaked, like everything that belongs to the process.
std::mutex& WrapMutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}

inline void* Allocated(Kind& kind, void* data, size_t bytes) {
  if (data == nullptr) return nullptr;
  ThreadState* thread = &thread_state;
#ifdef __GNUC__
  // Without this, the compiler would compute the address twice, with a call each time.
  __asm__("" : "+r"(thread));
#endif
  Kind::Ready(kind.profile)->CountAlloc(thread->counts, data, bytes);
  thread->countdown -= Weight(thread, bytes);
  if (thread->countdown < 0) [[unlikely]]
    CountDownAgain(thread, data, bytes);
  return data;
}

template <size_t kIndex>
void* Allocate(void* self, size_t bytes) {
  Kind& kind = kinds[kIndex];
  return Allocated(kind, Kind::Ready(kind.allocate)(self, bytes), bytes);
}

template <size_t kIndex>
void* AllocateUninitialized(void* self, size_t bytes) {
  Kind& kind = kinds[kIndex];
  return Allocated(kind, Kind::Ready(kind.allocate_uninitialized)(self, bytes), bytes);
}

[[gnu::noinline]] void FreeLookedUp(Kind& kind, void* self, void* data, size_t bytes) {
  Kind::Ready(kind.profile)->EndSample(data);
  Kind::Ready(kind.free)(self, data, bytes);
}

template <size_t kIndex>
void Free(void* self, void* data, size_t bytes) {
  Kind& kind = kinds[kIndex];
  if (data != nullptr && Kind::Ready(kind.profile)->CountFree(thread_state.counts, data, bytes)) [[unlikely]]
    return FreeLookedUp(kind, self, data, bytes);
  Kind::Ready(kind.free)(self, data, bytes);
}

struct Wrappers {
  AllocateFunction allocate;
  AllocateFunction allocate_uninitialized;
  FreeFunction free;
};

template <size_t... kIndexes>
constexpr std::array<Wrappers, kKinds> MakeWrappers(std::index_sequence<kIndexes...>) {
  return {Wrappers{Allocate<kIndexes>, AllocateUninitialized<kIndexes>, Free<kIndexes>}...};
}
constexpr std::array<Wrappers, kKinds> wrappers = MakeWrappers(std::make_index_sequence<kKinds>());

#ifdef __linux__
// Copies word by word, unseen by the sanitizers: what lies next to a vtable may not be ours.
[[gnu::no_sanitize_address, gnu::noinline]] void CopyWords(const void* const volatile* from, const void** to,
                                                           size_t words) {
  for (size_t i = 0; i < words; ++i) to[i] = from[i];
}
#endif

// Nothing says how long a vtable is, so this copies as many words as can be read, up to `words`. Returns how
// many.
size_t ReadWords(const void* const* from, const void** to, size_t words) {
#if defined(__linux__)
  struct Range {
    uintptr_t begin;
    uintptr_t end;
  } range{reinterpret_cast<uintptr_t>(from), 0};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto* range = static_cast<Range*>(data);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[i];
          uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          if (segment.p_type != PT_LOAD || range->begin < begin || range->begin >= begin + segment.p_memsz) {
            continue;
          }
          range->end = begin + segment.p_memsz;
          return 1;
        }
        return 0;
      },
      &range);
  if (range.end == 0) return 0;
  size_t readable = std::min<size_t>(words, (range.end - range.begin) / sizeof(void*));
  CopyWords(from, to, readable);
  return readable;
#elif defined(__APPLE__)
  for (size_t readable = words; readable > 0; --readable) {
    vm_size_t copied = 0;
    if (vm_read_overwrite(mach_task_self(), reinterpret_cast<vm_address_t>(from), readable * sizeof(void*),
                          reinterpret_cast<vm_address_t>(to), &copied) == KERN_SUCCESS) {
      return readable;
    }
  }
  return 0;
#else
  return 0;
#endif
}

const void* const* VtableOf(const void* object) {
  return __atomic_load_n(static_cast<const void* const* const*>(object), __ATOMIC_RELAXED);
}

bool IsOurs(const void* const* vtable) {
  return std::any_of(std::begin(kinds), std::end(kinds),
                     [&](const Kind& kind) { return vtable == kind.copy.functions; });
}

// `nullptr` when none is left.
Kind* KindFor(const void* const* vtable) {
  for (Kind& kind : kinds) {
    if (kind.original == vtable || kind.original == nullptr) return &kind;
  }
  return nullptr;
}

}  // namespace

WrapResult WrapAllocator(void* allocator, const AllocatorSlots& slots, BufferProfile* profile) {
#if !defined(__linux__) && !defined(__APPLE__)
  return WrapResult::kNotSupported;
#endif
  std::lock_guard<std::mutex> lock(WrapMutex());
  const void* const* vtable = VtableOf(allocator);
  if (IsOurs(vtable)) return WrapResult::kWrappedBefore;
  Kind* kind = KindFor(vtable);
  if (kind == nullptr) return WrapResult::kTooManyKinds;
  if (kind->original == nullptr) {
    const void* words[kBeforeFunctions + kFunctions];
    size_t readable = ReadWords(vtable - kBeforeFunctions, words, std::size(words));
    size_t last = std::max({slots.allocate, slots.allocate_uninitialized, slots.free});
    if (readable < kBeforeFunctions + last + 1 || last >= kFunctions) return WrapResult::kNotReadable;
    uint64_t magic;
    memcpy(&magic, &words[0], sizeof(magic));
    if (magic == kMagic) return WrapResult::kByAnother;

    size_t index = kind - kinds;
    const void** functions = kind->copy.functions;
    std::copy(words + kBeforeFunctions, words + readable, functions);
    kind->copy.magic = kMagic;
    kind->copy.offset_to_top = words[1];
    kind->copy.type = words[2];
    kind->profile.store(profile, std::memory_order_release);
    auto replace = [&](size_t slot, auto wrapper, auto* real) {
      using Function = decltype(wrapper);
      real->store(reinterpret_cast<Function>(const_cast<void*>(functions[slot])), std::memory_order_release);
      functions[slot] = reinterpret_cast<const void*>(wrapper);
    };
    replace(slots.allocate, wrappers[index].allocate, &kind->allocate);
    replace(slots.allocate_uninitialized, wrappers[index].allocate_uninitialized,
            &kind->allocate_uninitialized);
    replace(slots.free, wrappers[index].free, &kind->free);
    kind->original = vtable;
  }
  const void* const* copy = kind->copy.functions;
  __atomic_store_n(static_cast<const void* const**>(allocator), copy, __ATOMIC_RELEASE);
  return WrapResult::kWrapped;
}

bool IsWrapped(const void* allocator) { return IsOurs(VtableOf(allocator)); }

void SampleBuffers(BufferListener* listener, uint64_t interval, BufferProfile* profile) {
  ThreadState* thread = &thread_state;
  if (thread->random == 0) {
    thread->random = Mix(reinterpret_cast<uintptr_t>(thread) ^ MonotonicNs()) | 1;
  }
  if (thread->counts == nullptr) thread->counts = profile->ClaimCounts();
  thread->listener = listener;
  thread->interval = thread->mean = static_cast<double>(interval);
  thread->large = std::max<size_t>(kLargeBytes, interval / 4);
  thread->countdown = NextCountdown(thread);
}

void ThinBufferSamples(double factor) {
  ThreadState* thread = &thread_state;
  // At 1, all samples are wanted.
  if (thread->interval <= 1) return;
  thread->mean = thread->interval * factor;
  thread->countdown = NextCountdown(thread);
}

void StopSamplingBuffers() {
  ThreadState* thread = &thread_state;
  if (thread->counts != nullptr) BufferProfile::GiveBackCounts(thread->counts);
  thread->counts = nullptr;
  thread->listener = nullptr;
  thread->countdown = kNever;
}

}  // namespace memprof
