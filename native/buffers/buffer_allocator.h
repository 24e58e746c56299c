// Sees every allocation and free of an allocator by giving that one object a copy of its vtable in which
// three functions are ours. Itanium C++ ABI only: Linux and macOS.
//
// Thread safety: `WrapAllocator` may be called from any thread, also while others use the allocator. The rest
// belongs to the thread that calls it.
//
// Invariants:
// (1) An object's vtable pointer is changed once, after the copy is complete, and never changed back: memory
// may
//     be freed by any thread long after, also when the allocator's isolate is gone. So this library must stay
//     loaded. When nothing is sampled, calls pass through.
// (2) Copies are made one a class, not one an object, from a fixed number of places: allocators come and go
// with
//     workers and leave nothing behind.
// (3) A free is counted before the real one: after that the address may be somebody else's.
// (4) A buffer is sampled with probability 1 - exp(-bytes / interval), whatever was allocated before. While
// samples
//     are thinned it is sampled with a smaller one, and counts for more: as many on average as there would
//     be.

#ifndef MEMPROF_NATIVE_BUFFER_ALLOCATOR_H_
#define MEMPROF_NATIVE_BUFFER_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "buffers/buffer_profile.h"

namespace memprof {

// Where the functions stand in a vtable.
struct AllocatorSlots {
  size_t allocate;
  size_t allocate_uninitialized;
  size_t free;
};

// Where a virtual function stands in the vtable, told by its member pointer.
template <typename Member>
size_t VtableSlot(Member member) {
  struct {
    ptrdiff_t pointer;
    ptrdiff_t adjustment;
  } parts{};
  static_assert(sizeof(parts) == sizeof(member));
  memcpy(&parts, &member, sizeof(parts));
  // Which of the two says "virtual" by its lowest bit, the other way round on ARM, where functions may be at
  // odd addresses.
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
  kTooManyKinds = 4,  // more classes of allocators than there are places
  kNotSupported = 5,  // on this platform
};

// Counts all of the allocator's buffers in the profile from here on. REQUIRES: the same profile every time.
WrapResult WrapAllocator(void* allocator, const AllocatorSlots& slots, BufferProfile* profile);
bool IsWrapped(const void* allocator);

// Told of the buffers that are to be sampled, each before its memory is known to anybody. `count`: for how
// many it stands, 1 unless samples are thinned.
class BufferListener {
 public:
  virtual void OnSampled(const void* data, size_t bytes, uint64_t count) = 0;

 protected:
  ~BufferListener() = default;
};

// What the calling thread allocates from here on is sampled every `interval` bytes on average; at 1, each
// buffer. REQUIRES: allocators that the thread uses are wrapped for this profile, if at all.
void SampleBuffers(BufferListener* listener, uint64_t interval, BufferProfile* profile);
void StopSamplingBuffers();
// From here on the thread takes but one sample where there would be `factor`. REQUIRES: it samples; not less
// than 1.
void ThinBufferSamples(double factor);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BUFFER_ALLOCATOR_H_
