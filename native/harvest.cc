#include "harvest.h"

#include <algorithm>

namespace memprof {

void Harvest::See(uint64_t id, uint32_t node, uint64_t size, Ref stack) {
  if (id > last_id_) {
    fresh_.push_back({id, Sample{size, 0, node, stack, 0}});
    return;
  }
  Sample* known = live_.Touch(id);
  if (known == nullptr || known->node != node || known->size != size) {
    foreign_ = true;
  } else if (known->stack == 0) {
    known->stack = stack;
  }
}

bool Harvest::End(uint64_t completed_gcs) {
  if (foreign_) {
    fresh_.clear();
    return false;
  }
  uint64_t lost = TakeFresh(completed_gcs);
  live_.Sweep(
      [&](uint64_t, Sample& gone) {
        if (gone.bucket == 0) Publish(gone);
        Free(gone);
      },
      [&](uint64_t id, Sample& stays) {
        bool below_gap = lost != 0 && id < top_run_;
        if (stays.bucket == 0 && (stays.pending_since < completed_gcs || below_gap)) Publish(stays);
      });
  counts_.lost += lost;
  return true;
}

uint64_t Harvest::TakeFresh(uint64_t completed_gcs) {
  if (fresh_.empty()) return 0;
  std::sort(fresh_.begin(), fresh_.end(), [](const Fresh& a, const Fresh& b) { return a.id < b.id; });
  uint64_t highest = fresh_.back().id;
  uint64_t lost = highest - last_id_ - fresh_.size();
  counts_.seen += fresh_.size();
  last_id_ = highest;
  size_t top_run = fresh_.size() - 1;
  while (top_run > 0 && fresh_[top_run - 1].id + 1 == fresh_[top_run].id) --top_run;
  top_run_ = fresh_[top_run].id;
  for (Fresh& fresh : fresh_) {
    fresh.sample.pending_since = completed_gcs;
    live_.Insert(fresh.id, fresh.sample);
  }
  fresh_.clear();
  return lost;
}

void Harvest::Publish(Sample& sample) {
  sample.bucket =
      tables_->BucketFor(sample.stack == 0 ? tables_->unknown_stack() : sample.stack, sample.size);
  tables_->BucketAt(sample.bucket)->AddAlloc(1, sample.size);
  ++counts_.published;
}

void Harvest::Free(Sample& sample) { tables_->BucketAt(sample.bucket)->AddFree(1, sample.size); }

bool Harvest::TablesWereReset() {
  if (generation_ == tables_->Generation()) return false;
  generation_ = tables_->Generation();
  return true;
}

void Harvest::PublishPending() {
  if (TablesWereReset()) live_.Clear();
  live_.ForEach([&](uint64_t, Sample& sample) {
    if (sample.bucket == 0) Publish(sample);
  });
}

void Harvest::Forget() {
  if (TablesWereReset()) live_.Clear();
  live_.ForEach([&](uint64_t, Sample& sample) {
    if (sample.bucket == 0) Publish(sample);
    Free(sample);
  });
  live_.Clear();
  fresh_.clear();
  last_id_ = 0;
}

}  // namespace memprof
