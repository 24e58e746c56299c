// Sees every allocation and free of an allocator: the allocator object gets a copy of its vtable in which
// three functions are ours. Works with the Itanium C++ ABI only, on Linux and macOS.
//
// Thread safety: `WrapAllocator` may be called from any thread, even while others use the allocator. The
// other functions concern only the thread that calls them.
//
// Invariants:
// (1) An object's vtable pointer is changed once, after the copy is complete, and never changed back: any
//     thread may free memory long afterwards, even when the allocator's isolate is gone. So this library must
//     stay loaded. While nothing is sampled, calls pass through.
// (2) There is one copy per class, not per object, from a fixed number of places: allocators come and go with
//     workers and leave nothing behind.
// (3) A free is counted before the memory is really freed: afterwards the address may belong to somebody
//     else.
// (4) A buffer is sampled with probability 1 - exp(-bytes / interval), whatever was allocated before. While
//     samples are thinned, the probability is lower and each sample counts for more, so that the figures stay
//     the same on average.
// (5) A large buffer, of `kLargeBytes` or a quarter of the interval, is offered as if it had 16 times its
//     bytes, and counts for less: most of them are seen even while samples are thinned by 16.

#ifndef MEMPROF_NATIVE_BUFFERS_BUFFER_ALLOCATOR_H_
#define MEMPROF_NATIVE_BUFFERS_BUFFER_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "buffers/buffer_profile.h"

namespace memprof {

// Indexes of the functions in a vtable.
struct AllocatorSlots {
  size_t allocate;
  size_t allocate_uninitialized;
  size_t free;
};

// The index of a virtual function in the vtable, taken from its member pointer.
template <typename Member>
size_t VtableSlot(Member member) {
  struct {
    ptrdiff_t pointer;
    ptrdiff_t adjustment;
  } parts{};
  static_assert(sizeof(parts) == sizeof(member));
  memcpy(&parts, &member, sizeof(parts));
  // A lowest bit marks the function as virtual: that of `pointer`, or on ARM, where functions may have odd
  // addresses, that of `adjustment`.
#if defined(__arm__) || defined(__aarch64__)
  ptrdiff_t offset = parts.pointer;
#else
  ptrdiff_t offset = parts.pointer - 1;
#endif
  return static_cast<size_t>(offset) / sizeof(void*);
}

enum class WrapResult {
  kWrapped = 0,
  kWrappedBefore = 1,
  kByAnother = 2,     // another copy of this library wrapped it
  kNotReadable = 3,   // its vtable is not where vtables are
  kTooManyKinds = 4,  // there are more classes of allocators than places
  kNotSupported = 5,  // not on this platform
};

// From now on counts all of the allocator's buffers in the profile. REQUIRES: it is the same profile every
// time.
WrapResult WrapAllocator(void* allocator, const AllocatorSlots& slots, BufferProfile* profile);
bool IsWrapped(const void* allocator);

inline constexpr size_t kLargeBytes = 128 * 1024;

// Receives the buffers that are to be sampled, each before anybody else knows of its memory. `count` is the
// number of samples that it stands for, on average: 1 unless samples are thinned or the buffer is large.
class BufferListener {
 public:
  virtual void OnSampled(const void* data, size_t bytes, double count) = 0;

 protected:
  ~BufferListener() = default;
};

// From now on samples what the calling thread allocates, every `interval` bytes on average; at 1, each
// buffer.
// REQUIRES: the allocators that the thread uses are wrapped for this profile, if at all.
void SampleBuffers(BufferListener* listener, uint64_t interval, BufferProfile* profile);
void StopSamplingBuffers();
// From now on the thread takes one sample where it would have taken `factor`.
// REQUIRES: the thread samples, and `factor` is at least 1.
void ThinBufferSamples(double factor);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BUFFERS_BUFFER_ALLOCATOR_H_
