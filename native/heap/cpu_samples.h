// Reads the samples of a profile of V8's CPU profiler: whole paths with the lines of their calls. Public
// functions tell most of it. Two things lie in V8's memory only: the line at which the leaf function was, and
// where each function starts. They are read beside values that public functions tell too, and are believed only
// where all of those are equal.
//
// Thread safety: must be called on the thread of the isolate, while the profile is alive.

#ifndef MEMPROF_NATIVE_HEAP_CPU_SAMPLES_H_
#define MEMPROF_NATIVE_HEAP_CPU_SAMPLES_H_

#include <v8-profiler.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

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
  bool Find();
  bool FindStride(uintptr_t first, uintptr_t end);
  bool Matches(uintptr_t at, int index) const;
  bool Broken();

  const v8::CpuProfile* const profile_;
  const int count_;
  int next_ = 0;
  // V8 keeps the samples in a deque of the C++ library.
  uintptr_t at_ = 0;     // the next sample
  uintptr_t end_ = 0;    // of its chunk
  uintptr_t chunk_ = 0;  // the address of the word that points to its chunk
  size_t stride_ = 0;
  bool broken_ = false;
};

// Knows where functions start. Each is read once: that takes a call of the system, and a profile names the same
// functions again and again.
class CpuFunctionStarts {
 public:
  // Zeros where it cannot be read. REQUIRES: all profiles whose nodes were asked for since `Clear` are alive.
  CpuFunctionStart Of(const v8::CpuProfileNode* node);
  void Clear() { known_.clear(); }

 private:
  struct Known {
    const char* name;
    const char* url;
    CpuFunctionStart start;
  };
  std::unordered_map<uintptr_t, Known> known_;  // by the address of what V8 knows of the function
};

// The column of the call that led to the node, in its parent; 0 where V8 does not tell.
int CallColumnOf(const v8::CpuProfileNode* node);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CPU_SAMPLES_H_
