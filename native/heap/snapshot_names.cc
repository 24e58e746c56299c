#include "heap/snapshot_names.h"

#include <utility>

#include "heap/v8_layout.h"

namespace memprof {

namespace {

// V8 makes a new storage whenever it deletes one, so an empty one is left over, for the next time.
uintptr_t spare = 0;

}  // namespace

SnapshotNames::SnapshotNames(v8::HeapProfiler* profiler, uintptr_t* sampler_word)
    : profiler_(profiler),
      sampler_word_(sampler_word),
      names_word_(reinterpret_cast<uintptr_t*>(profiler) + kNamesWord) {
  uintptr_t sampler = *sampler_word_;
  if (sampler == 0 || profiler_->GetSnapshotCount() != 0) return;
  uintptr_t names = *names_word_;
  if (names == 0 || names != reinterpret_cast<const uintptr_t*>(sampler)[kSamplerNamesWord]) return;
  *names_word_ = std::exchange(spare, 0);
  if (*names_word_ == 0) LetV8Renew();
  if (*names_word_ == 0) {
    *names_word_ = names;
  } else {
    own_ = names;
  }
}

SnapshotNames::~SnapshotNames() {
  if (own_ == 0) return;
  if (profiler_->GetSnapshotCount() == 0) LetV8Renew();
  spare = std::exchange(*names_word_, own_);
}

// V8 does so when all snapshots are deleted, unless it sees a sampler.
void SnapshotNames::LetV8Renew() {
  uintptr_t sampler = std::exchange(*sampler_word_, 0);
  profiler_->DeleteAllHeapSnapshots();
  *sampler_word_ = sampler;
}

}  // namespace memprof
