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

// V8 has columns of calls since version 14.
constexpr bool kHasColumns = NODE_MAJOR_VERSION >= 26;

template <typename T>
bool ReadAt(uintptr_t at, T* to) {
  return at >= 4096 && at % 8 == 0 && ReadMemory(reinterpret_cast<const void*>(at), to);
}

int Positive(int number) { return number > 0 ? number : 0; }

}  // namespace

struct CpuSampleReader::SampleWords {
  uintptr_t node;
  int64_t at_us;
  int32_t line;
  int32_t column;  // only where V8 has columns
};

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
  return ReadAt(at, &words) && IsSample(words, index);
}

bool CpuSampleReader::IsSample(const SampleWords& words, int index) const {
  return words.node == reinterpret_cast<uintptr_t>(profile_->GetSample(index)) &&
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
    return ReadChunk();
  }
  return false;
}

bool CpuSampleReader::ReadChunk() {
  bytes_at_ = at_;
  return end_ - at_ <= kChunkBytes &&
         ReadMemory(reinterpret_cast<const void*>(at_), bytes_.data(), end_ - at_);
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
    if (!ReadChunk()) return Broken();
  }
  SampleWords words;
  memcpy(&words, &bytes_[at_ - bytes_at_], sizeof(words));
  if (!IsSample(words, next_)) return Broken();
  at_ += stride_;
  // V8 adds one to the time, so that it is never 0.
  *sample = {profile_->GetSample(next_), static_cast<uint64_t>(words.at_us) - 1, Positive(words.line),
             kHasColumns ? Positive(words.column) : 0};
  ++next_;
  return true;
}

namespace {

// The word of `entry` in which the name is, and behind it where the script comes from; 0 if there is none.
size_t FindName(uintptr_t entry, const char* name, const char* url) {
  constexpr size_t kEntryWords = 12;
  uintptr_t words[kEntryWords];
  if (!ReadAt(entry, &words)) return 0;
  for (size_t i = 1; i + 2 < kEntryWords; ++i) {
    if (words[i] == reinterpret_cast<uintptr_t>(name) && words[i + 1] == reinterpret_cast<uintptr_t>(url))
      return i;
  }
  return 0;
}

}  // namespace

CpuFunctionStart CpuFunctionStarts::Of(const v8::CpuProfileNode* node) {
  // A node is larger than these, and alive. The second points to what V8 knows of the node's function.
  uintptr_t words[2];
  memcpy(words, static_cast<const void*>(node), sizeof(words));
  const char* name = node->GetFunctionNameStr();
  const char* url = node->GetScriptResourceNameStr();
  if (name_at_ == 0) name_at_ = FindName(words[1], name, url);
  if (name_at_ == 0) return {};
  struct {
    uintptr_t name;
    uintptr_t url;
    int32_t line;
    int32_t column;
  } known;
  memcpy(&known, reinterpret_cast<const uintptr_t*>(words[1]) + name_at_, sizeof(known));
  bool is_known = known.name == reinterpret_cast<uintptr_t>(name) &&
                  known.url == reinterpret_cast<uintptr_t>(url) &&
                  (kHasColumns || known.column == node->GetColumnNumber());
  return is_known ? CpuFunctionStart{Positive(known.line), Positive(known.column)} : CpuFunctionStart{};
}

int CallColumnOf(const v8::CpuProfileNode* node) {
  return kHasColumns ? Positive(node->GetColumnNumber()) : 0;
}

}  // namespace memprof
