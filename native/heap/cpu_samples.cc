#include "heap/cpu_samples.h"

#include <node_version.h>

#include <cstring>

#include "heap/safe_memory.h"

namespace memprof {

namespace {

// A deque of libstdc++: its map and the size of that, then an iterator to the first element.
struct Deque {
  uintptr_t map;
  uintptr_t map_size;
  uintptr_t current;
  uintptr_t first;
  uintptr_t last;
  uintptr_t node;
};
// The words of a profile that are searched for the deque.
constexpr size_t kProfileWords = 48;
constexpr size_t kChunkBytes = 512;

struct SampleWords {
  uintptr_t node;
  int64_t at_us;
  int32_t line;
  int32_t column;  // only where V8 has columns
};

// V8 has columns of calls since version 14.
constexpr bool kHasColumns = NODE_MAJOR_VERSION >= 26;

template <typename T>
bool ReadAt(uintptr_t at, T* to) {
  return at >= 4096 && at % 8 == 0 && ReadMemory(reinterpret_cast<const void*>(at), to);
}

int Positive(int number) { return number > 0 ? number : 0; }

}  // namespace

CpuSampleReader::CpuSampleReader(const v8::CpuProfile* profile)
    : profile_(profile), count_(profile->GetSamplesCount()) {
  if (count_ != 0 && !Find()) Broken();
}

bool CpuSampleReader::Broken() {
  broken_ = true;
  next_ = count_;
  return false;
}

bool CpuSampleReader::Matches(uintptr_t at, int index) const {
  SampleWords words;
  return ReadAt(at, &words) && words.node == reinterpret_cast<uintptr_t>(profile_->GetSample(index)) &&
         words.at_us == profile_->GetSampleTimestamp(index);
}

bool CpuSampleReader::Find() {
  auto profile = reinterpret_cast<uintptr_t>(profile_);
  for (size_t word = 0; word < kProfileWords; ++word) {
    Deque deque;
    if (!ReadAt(profile + word * sizeof(uintptr_t), &deque)) return false;
    if (deque.current < deque.first || deque.last - deque.first > kChunkBytes || !Matches(deque.current, 0)) {
      continue;
    }
    if (!FindStride(deque.current, deque.last)) continue;
    at_ = deque.current;
    end_ = deque.last;
    chunk_ = deque.node;
    return true;
  }
  return false;
}

// A chunk holds as many elements as fit into it.
bool CpuSampleReader::FindStride(uintptr_t first, uintptr_t end) {
  stride_ = 0;
  if (count_ == 1) {
    stride_ = sizeof(SampleWords);
    return true;
  }
  for (size_t stride = sizeof(SampleWords); stride <= 64; stride += 8) {
    if (first + stride < end && Matches(first + stride, 1)) {
      stride_ = stride;
      return true;
    }
  }
  return false;
}

bool CpuSampleReader::Next(CpuSample* sample) {
  if (next_ == count_) return false;
  if (at_ + stride_ > end_) {
    chunk_ += sizeof(uintptr_t);
    if (!ReadAt(chunk_, &at_)) return Broken();
    end_ = at_ + kChunkBytes / stride_ * stride_;
  }
  SampleWords words;
  if (!ReadAt(at_, &words) || !Matches(at_, next_)) return Broken();
  at_ += stride_;
  // V8 adds one to the time, so that it is never 0.
  *sample = {profile_->GetSample(next_), static_cast<uint64_t>(words.at_us) - 1, Positive(words.line),
             kHasColumns ? Positive(words.column) : 0};
  ++next_;
  return true;
}

namespace {

// `at` is what V8 knows of the node's function.
CpuFunctionStart ReadStart(uintptr_t at, const v8::CpuProfileNode* node, const char* name, const char* url) {
  constexpr size_t kEntryWords = 12;
  uintptr_t entry[kEntryWords];
  if (!ReadAt(at, &entry)) return {};
  for (size_t i = 0; i + 2 < kEntryWords; ++i) {
    if (entry[i] != reinterpret_cast<uintptr_t>(name) || entry[i + 1] != reinterpret_cast<uintptr_t>(url)) {
      continue;
    }
    int32_t place[2];
    memcpy(place, &entry[i + 2], sizeof(place));
    if (!kHasColumns && place[1] != node->GetColumnNumber()) return {};
    return {Positive(place[0]), Positive(place[1])};
  }
  return {};
}

}  // namespace

CpuFunctionStart CpuFunctionStarts::Of(const v8::CpuProfileNode* node) {
  // A node is larger than these, and alive.
  uintptr_t words[2];
  memcpy(words, static_cast<const void*>(node), sizeof(words));
  const char* name = node->GetFunctionNameStr();
  const char* url = node->GetScriptResourceNameStr();
  auto [at, is_new] = known_.try_emplace(words[1], Known{name, url, {}});
  Known& known = at->second;
  if (is_new) known.start = ReadStart(words[1], node, name, url);
  return known.name == name && known.url == url ? known.start : CpuFunctionStart{};
}

int CallColumnOf(const v8::CpuProfileNode* node) {
  return kHasColumns ? Positive(node->GetColumnNumber()) : 0;
}

}  // namespace memprof
