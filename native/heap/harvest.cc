#include "heap/harvest.h"

#include <algorithm>

#include "base/shrink.h"

namespace memprof {

namespace {

constexpr size_t kManyOutlived = 16;
// More samples than that, beyond twice those expected, cannot be ours.
constexpr uint64_t kUnexpected = 64;

}  // namespace

// A sampler that began anew may show no id that contradicts ours, but it shows none of our samples either, or
// few if its first samples look like our first ones. Besides, its ids are higher than ours can be by now, or
// asking for its samples runs a GC each time, as is the case with an inspector's sampler. A single such GC
// may be a coincidence that freed our samples, unless there were many of those, which had already outlived a
// GC.
bool Harvest::BeganAnew(const HarvestMoment& moment) const {
  if (moment.collected && (unsure_ || (published_live_ >= kManyOutlived && known_seen_ == 0))) return true;
  if (!unsure_ && !NoneIsLeft()) return false;
  uint64_t highest = last_id_;
  for (const Fresh& fresh : fresh_) highest = std::max(highest, fresh.id);
  return highest - last_id_ > expected_taken_ * 2 + kUnexpected;
}

bool Harvest::End(const HarvestMoment& moment) {
  expected_taken_ += moment.expected_taken;
  if (foreign_ || BeganAnew(moment)) {
    ClearForNext(&fresh_);
    return false;
  }
  unsure_ = moment.collected && FewAreLeft();
  // Whether or not they are ours, the fresh samples will be new to the next harvest as well.
  if (unsure_) {
    ClearForNext(&fresh_);
  } else {
    expected_taken_ = 0;
  }
  uint64_t completed_gcs = moment.completed_gcs;
  uint64_t lost = TakeFresh(completed_gcs);
  live_.Sweep(
      [&](uint64_t, Sample& gone) {
        if (gone.bucket == 0) {
          Publish(gone);
          donors_.push_back({gone.bucket, gone.size});
        }
        Free(gone);
      },
      [&](uint64_t id, Sample& stays) {
        bool below_gap = lost != 0 && id < top_run_;
        if (stays.bucket == 0 && (stays.pending_since < completed_gcs || below_gap)) Publish(stays);
      });
  imputer_.NextStretch(lost, donors_);
  ClearForNext(&donors_);
  return true;
}

uint64_t Harvest::TakeFresh(uint64_t completed_gcs) {
  if (fresh_.empty()) {
    ClearForNext(&fresh_);
    return 0;
  }
  std::sort(fresh_.begin(), fresh_.end(), [](const Fresh& a, const Fresh& b) { return a.id < b.id; });
  uint64_t highest = fresh_.back().id;
  uint64_t lost = highest - last_id_ - fresh_.size();
  counts_.seen += fresh_.size();
  counts_.lost += lost;
  last_id_ = highest;
  size_t top_run = fresh_.size() - 1;
  while (top_run > 0 && fresh_[top_run - 1].id + 1 == fresh_[top_run].id) --top_run;
  top_run_ = fresh_[top_run].id;
  for (Fresh& fresh : fresh_) {
    fresh.sample.pending_since = completed_gcs;
    live_.Insert(fresh.id, fresh.sample);
  }
  ClearForNext(&fresh_);
  return lost;
}

void Harvest::Publish(Sample& sample) {
  sample.bucket = tables_->BucketFor(sample.stack == 0 ? tables_->unknown_stack() : sample.stack, sample.size,
                                     thread_, 0, interval_);
  tables_->BucketAt(sample.bucket)->AddAlloc(1, sample.size);
  ++counts_.published;
  ++published_live_;
}

void Harvest::Free(Sample& sample) {
  tables_->BucketAt(sample.bucket)->AddFree(1, sample.size);
  --published_live_;
}

void Harvest::DropWhatWasReset() {
  if (generation_ == tables_->Generation()) return;
  generation_ = tables_->Generation();
  live_.Clear();
  published_live_ = 0;
  imputer_.Clear();
}

void Harvest::PublishPending() {
  DropWhatWasReset();
  live_.ForEach([&](uint64_t, Sample& sample) {
    if (sample.bucket == 0) Publish(sample);
  });
}

void Harvest::Forget() {
  DropWhatWasReset();
  live_.ForEach([&](uint64_t, Sample& sample) {
    if (sample.bucket == 0) Publish(sample);
    Free(sample);
  });
  imputer_.Flush();
  live_.Clear();
  ClearForNext(&fresh_);
  last_id_ = 0;
  begins_after_ = 0;
  unsure_ = false;
  expected_taken_ = 0;
}

}  // namespace memprof
