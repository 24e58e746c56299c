#include "buffers/stack_cache.h"

#include <algorithm>

#include "base/hash.h"

namespace memprof {

void StackCache::Clear() {
  std::fill(entries_.begin(), entries_.end(), Entry());
  may_remember_ = false;
}

Ref StackCache::Find(v8::Isolate* isolate) {
  may_remember_ = false;
#if defined(__GNUC__)
  v8::RegisterState here;
  here.pc = __builtin_return_address(0);
  here.fp = __builtin_frame_address(0);
  here.sp = here.fp;
  void* frames[kMostFrames];
  v8::SampleInfo info{};
  isolate->GetStackSample(here, frames, kMostFrames, &info);
  size_t count = info.frames_count;
  if (count == 0 || count >= kMostFrames) return 0;
  Key key{count, ~count};
  for (size_t i = 0; i < count; ++i) {
    uint64_t frame = reinterpret_cast<uintptr_t>(frames[i]);
    key.first = Combine(key.first, frame);
    key.second = (key.second ^ frame) * kByteMultiplier;
    key.second ^= key.second >> 29;
  }
  looked_for_ = key;
  may_remember_ = true;
  const Entry& entry = entries_[key.first % kEntries];
  if (entry.key == key) return entry.stack;
#endif
  return 0;
}

void StackCache::Remember(Ref stack) {
  if (may_remember_) entries_[looked_for_.first % kEntries] = {looked_for_, stack};
  may_remember_ = false;
}

}  // namespace memprof
