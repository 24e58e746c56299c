// Reads the samples that V8's own sampler holds, and their stacks, where they lie in V8's memory.
//
// V8's public profile makes strings and lines of everything it knows, and for a huge script first a table of
// line ends: 15 ms and more in one piece. Here the same is read in microseconds, of the few samples that are
// compared. Only reads that cannot fault are used, because what is read proves the rest, and may be anything.
//
// Thread safety: must be called on the thread of the sampler's isolate.

#ifndef MEMPROF_NATIVE_HEAP_V8_SAMPLES_H_
#define MEMPROF_NATIVE_HEAP_V8_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace memprof {

struct V8Sample {
  uint64_t size = 0;
  uintptr_t node = 0;    // where the leaf of its stack lies
  uintptr_t object = 0;  // the tagged pointer to the object
  uint64_t id = 0;
};

struct V8Node {
  uintptr_t parent = 0;  // 0: this is the root, which stands for no frame
  int32_t script_id = 0;
  int32_t position = 0;
  uintptr_t name = 0;
};

// Reads the samples one after another, in no order.
class V8SampleReader {
 public:
  // At most so many samples are read, in case that the list never ends.
  static constexpr size_t kMost = 1 << 16;

  explicit V8SampleReader(const void* sampler);
  // Returns false when there are no more, or when `broken`.
  bool Next(V8Sample* sample);
  // Whether something is not laid out as it should be.
  bool broken() const { return broken_; }

 private:
  bool Broken();

  const uintptr_t sampler_;
  uintptr_t next_ = 0;
  size_t left_ = 0;  // how many samples there should be
  bool broken_ = false;
};

bool ReadV8Node(uintptr_t node, V8Node* to);

// Reads a name that ends with a zero, at most `most` bytes of it.
bool ReadV8Name(uintptr_t name, size_t most, std::string* to);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_V8_SAMPLES_H_
