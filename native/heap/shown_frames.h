// What V8 finds on the stack while it takes a sample. As long as such an object exists, a frame is at another place of the
// same code. Whoever looks at the stack meanwhile, such as a signal's handler, finds a place that is as good.
//
// Thread safety: must be used on the thread whose stack it is. REQUIRES: nothing returns to such a frame meanwhile.

#ifndef MEMPROF_NATIVE_HEAP_SHOWN_FRAMES_H_
#define MEMPROF_NATIVE_HEAP_SHOWN_FRAMES_H_

#include <cstdint>
#include <vector>

namespace memprof {

// Where a frame goes on. A null pointer changes nothing.
class ReturnsTo {
 public:
  ReturnsTo(uintptr_t* returns, uintptr_t pc)
      : returns_(returns), before_(returns == nullptr ? 0 : *returns) {
    if (returns_ != nullptr) *static_cast<volatile uintptr_t*>(returns_) = pc;
  }
  ~ReturnsTo() {
    if (returns_ != nullptr) *static_cast<volatile uintptr_t*>(returns_) = before_;
  }
  ReturnsTo(const ReturnsTo&) = delete;
  ReturnsTo& operator=(const ReturnsTo&) = delete;

 private:
  uintptr_t* const returns_;
  const uintptr_t before_;
};

// The word of an interpreted function's frame that says where it is in its bytecode, and where it really is.
struct BytecodePlace {
  uintptr_t* word;
  uint32_t offset;
};

// V8 looks for the line of an address to which a call returns, that is, for the last one before it. But an interpreted function
// is where its call begins, so V8 would find the line of what was before the call. One byte further is still in the call.
class OffsetsInCalls {
 public:
  explicit OffsetsInCalls(std::vector<BytecodePlace>* places) : places_(places) {
    for (BytecodePlace& place : *places_) {
      uint32_t before = static_cast<uint32_t>(uint64_t{*place.word} >> 32);
      Set(place.word, place.offset + 1);
      place.offset = before;
    }
  }
  ~OffsetsInCalls() {
    for (const BytecodePlace& place : *places_) Set(place.word, place.offset);
  }
  OffsetsInCalls(const OffsetsInCalls&) = delete;
  OffsetsInCalls& operator=(const OffsetsInCalls&) = delete;

 private:
  static void Set(uintptr_t* word, uint32_t offset) {
    *static_cast<volatile uintptr_t*>(word) = static_cast<uintptr_t>(uint64_t{offset} << 32);  // a Smi
  }

  std::vector<BytecodePlace>* const places_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SHOWN_FRAMES_H_
