// Reads the samples of a profile of V8's CPU profiler: whole paths with the lines of their calls. Public
// functions tell most of it. Two things lie in V8's memory only: the line at which the leaf function was, and
// where each function starts. They are read beside values that public functions tell too, and are believed only
// where all of those are equal.
//
// Thread safety: must be called on the thread of the isolate, while the profile is alive.

#ifndef MEMPROF_NATIVE_HEAP_CPU_SAMPLES_H_
#define MEMPROF_NATIVE_HEAP_CPU_SAMPLES_H_

#include <v8-profiler.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace memprof {

struct CpuSample {
  const v8::CpuProfileNode* node = nullptr;  // the leaf
  uint64_t at_us = 0;                        // on the clock of MonotonicNs
  int line = 0;                              // in the leaf function, 1-based; 0 if unknown
  int column = 0;                            // 0 if unknown
};

// 1-based; 0 if unknown.
struct CpuFunctionStart {
  int line = 0;
  int column = 0;
};

class CpuSampleReader {
 public:
  // The profile was made with kCallerLineNumbers.
  explicit CpuSampleReader(const v8::CpuProfile* profile);
  // Returns false when there are no more, or when `broken`.
  bool Next(CpuSample* sample);
  // Whether something is not laid out as it should be.
  bool broken() const { return broken_; }

 private:
  // V8 keeps the samples in a deque of the C++ library, which has chunks of so many bytes.
  static constexpr size_t kChunkBytes = 512;

  struct SampleWords;

  bool Find();
  bool ReadChunk();
  bool FindStride(uintptr_t first, uintptr_t end);
  bool Matches(uintptr_t at, int index) const;
  bool IsSample(const SampleWords& words, int index) const;
  bool Broken();

  const v8::CpuProfile* const profile_;
  const int count_;
  int next_ = 0;
  uintptr_t at_ = 0;                        // the next sample
  uintptr_t end_ = 0;                       // of its chunk
  uintptr_t chunk_ = 0;                     // the address of the word that points to its chunk
  std::array<uint8_t, kChunkBytes> bytes_;  // of the chunk, from `bytes_at_` to its end
  uintptr_t bytes_at_ = 0;
  size_t stride_ = 0;
  bool broken_ = false;
};

// Knows where functions start. The first answer shows where V8 keeps that, and takes a call of the system. From then on
// it is read in place, beside the names that V8's own functions read from the same memory.
class CpuFunctionStarts {
 public:
  // Zeros where it cannot be read. REQUIRES: the node's profile is alive.
  CpuFunctionStart Of(const v8::CpuProfileNode* node);
  // Lets it be shown anew.
  void Clear() { name_at_ = 0; }

 private:
  size_t name_at_ = 0;  // the word of what V8 knows of a function that holds its name; 0: not shown yet
};

// The column of the call that led to the node, in its parent; 0 where V8 does not tell.
int CallColumnOf(const v8::CpuProfileNode* node);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CPU_SAMPLES_H_
