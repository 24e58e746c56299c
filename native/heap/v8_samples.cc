#include "heap/v8_samples.h"

#include <algorithm>
#include <cstring>

#include "heap/safe_memory.h"
#include "heap/v8_layout.h"

namespace memprof {

namespace {

// The C++ library's unordered_map from samples to samples, at `kSamplesWord` of the sampler.
struct SampleMap {
  uintptr_t buckets;
  uint64_t bucket_count;
  uintptr_t first;
  uint64_t count;
  float max_load;
};
struct MapNode {
  uintptr_t next;
  uintptr_t sample;
  uintptr_t same_sample;
};
struct SampleWords {
  uint64_t size;
  uintptr_t node;
  uintptr_t handle;
  uintptr_t sampler;
  uint64_t id;
};
// The end of a node, after its maps of children and counts.
constexpr uintptr_t kNodeParent = 96;
struct NodeWords {
  uintptr_t parent;
  int32_t script_id;
  int32_t position;
  uintptr_t name;
};

template <typename T>
bool ReadAt(uintptr_t at, T* to) {
  return at >= 4096 && at % 8 == 0 && ReadMemory(reinterpret_cast<const void*>(at), to);
}

}  // namespace

V8SampleReader::V8SampleReader(const void* sampler) : sampler_(reinterpret_cast<uintptr_t>(sampler)) {
  SampleMap map;
  if (!ReadAt(sampler_ + kSamplesWord * sizeof(uintptr_t), &map) || map.max_load != 1.0f ||
      (map.first == 0) != (map.count == 0) || map.count > kMost) {
    Broken();
    return;
  }
  next_ = map.first;
  left_ = map.count;
}

bool V8SampleReader::Broken() {
  broken_ = true;
  next_ = 0;
  return false;
}

bool V8SampleReader::Next(V8Sample* sample) {
  if (next_ == 0) return left_ == 0 || broken_ ? false : Broken();
  MapNode node;
  SampleWords words;
  if (left_ == 0 || !ReadAt(next_, &node) || node.sample != node.same_sample ||
      !ReadAt(node.sample, &words) || words.sampler != sampler_) {
    return Broken();
  }
  uintptr_t object;
  if (!ReadAt(words.handle, &object)) return Broken();
  *sample = {words.size, words.node, object, words.id};
  next_ = node.next;
  --left_;
  return true;
}

bool ReadV8Node(uintptr_t node, V8Node* to) {
  NodeWords words;
  if (node < 4096 || !ReadAt(node + kNodeParent, &words)) return false;
  *to = {words.parent, words.script_id, words.position, words.name};
  return true;
}

bool ReadV8Name(uintptr_t name, size_t most, std::string* to) {
  constexpr uintptr_t kPage = 4096;
  if (name < kPage) return false;
  to->clear();
  while (to->size() < most) {
    char part[256];
    uintptr_t at = name + to->size();
    size_t length = std::min({sizeof(part), most - to->size(), kPage - at % kPage});
    if (!ReadMemory(reinterpret_cast<const void*>(at), part, length)) return false;
    size_t read = strnlen(part, length);
    to->append(part, read);
    if (read != length) return true;
  }
  return true;
}

}  // namespace memprof
