#include "heap/heap_moments.h"

#include <algorithm>
#include <utility>

#include "base/old_glibc.h"

MEMPROF_OLD_GLIBC(pthread_mutex_trylock);

namespace memprof {

namespace {

constexpr uint64_t kHourNs = 60 * HeapMoments::kMinuteNs;

struct Band {
  uint64_t age_ns;
  uint64_t step_ns;
};

// Up to an age, one moment is kept for each step.
constexpr Band kBands[] = {
    {kHourNs, 0},
    {24 * kHourNs, 15 * HeapMoments::kMinuteNs},
    {7 * 24 * kHourNs, 2 * kHourNs},
};

const Band* BandOf(uint64_t age_ns) {
  for (const Band& band : kBands) {
    if (age_ns <= band.age_ns) return &band;
  }
  return nullptr;
}

size_t BytesOf(const HeapMoment& moment) {
  return sizeof(HeapMoment) + moment.buckets.capacity() * sizeof(InUse);
}

// Without exceptions, `shrink_to_fit` does nothing.
void GiveBack(std::vector<InUse>* buckets) { std::vector<InUse>(*buckets).swap(*buckets); }

}  // namespace

HeapMoments* HeapMoments::Process() {
  static HeapMoments* moments = new HeapMoments(ProfileTables::Process());
  return moments;
}

bool HeapMoments::TryTakePeak(HeapMoment moment) {
  std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  ForgetWhatWasReset();
  if (!IsPeak(moment.heap_used)) return true;
  CopyInUse(&moment);
  peak_ = std::move(moment);
  peak_heap_ = peak_.heap_used;
  return true;
}

bool HeapMoments::TryAddToHistory(HeapMoment moment) {
  std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  ForgetWhatWasReset();
  CopyInUse(&moment);
  // Moments of several isolates come in order but for some microseconds.
  uint64_t now = history_.empty() ? moment.at_ns : std::max(moment.at_ns, history_.back().at_ns);
  moment.at_ns = now;
  history_.push_back(std::move(moment));
  last_ns_ = now;
  Thin(now);
  FitIntoLimit();
  return true;
}

void HeapMoments::ForgetSince(uint64_t at_ns) {
  std::lock_guard<std::mutex> lock(mutex_);
  while (!history_.empty() && history_.back().at_ns > at_ns) history_.pop_back();
}

void HeapMoments::ForgetWhatWasReset() {
  if (generation_ == tables_->Generation()) return;
  generation_ = tables_->Generation();
  peak_ = {};
  peak_heap_ = 0;
  history_.clear();
}

void HeapMoments::CopyInUse(HeapMoment* moment) const {
  moment->buckets.reserve(moment->buckets.size() + 256);
  tables_->ForEachInUse([&](Ref ref, uint64_t objects, uint64_t bytes) {
    moment->buckets.push_back({ref, static_cast<uint32_t>(std::min<uint64_t>(objects, UINT32_MAX)), bytes});
  });
  GiveBack(&moment->buckets);
}

void HeapMoments::Thin(uint64_t now_ns) {
  size_t kept = 0;
  for (size_t i = 0; i < history_.size(); ++i) {
    const Band* band = BandOf(now_ns - history_[i].at_ns);
    if (band == nullptr) continue;
    bool same_step = kept > 0 && band->step_ns != 0 &&
                     history_[kept - 1].at_ns / band->step_ns == history_[i].at_ns / band->step_ns;
    if (same_step) continue;
    if (kept != i) history_[kept] = std::move(history_[i]);
    ++kept;
  }
  history_.resize(kept);
}

void HeapMoments::FitIntoLimit() {
  size_t total = 0;
  for (const HeapMoment& moment : history_) total += BytesOf(moment);
  while (total > most_bytes_) {
    auto largest = std::max_element(
        history_.begin(), history_.end(),
        [](const HeapMoment& a, const HeapMoment& b) { return a.buckets.size() < b.buckets.size(); });
    std::vector<InUse>& buckets = largest->buckets;
    if (buckets.size() < 2) return;
    total -= BytesOf(*largest);
    size_t half = buckets.size() / 2;
    std::nth_element(buckets.begin(), buckets.begin() + static_cast<ptrdiff_t>(half), buckets.end(),
                     [](const InUse& a, const InUse& b) { return a.bytes > b.bytes; });
    for (size_t i = half; i < buckets.size(); ++i) largest->left_out_bytes += buckets[i].bytes;
    buckets.resize(half);
    GiveBack(&buckets);
    total += BytesOf(*largest);
  }
}

HeapMoment HeapMoments::Peak() {
  std::lock_guard<std::mutex> lock(mutex_);
  ForgetWhatWasReset();
  return peak_;
}

size_t HeapMoments::HistorySize() {
  std::lock_guard<std::mutex> lock(mutex_);
  ForgetWhatWasReset();
  return history_.size();
}

HeapMoment HeapMoments::HistoryAt(size_t index) {
  std::lock_guard<std::mutex> lock(mutex_);
  ForgetWhatWasReset();
  return index < history_.size() ? history_[index] : HeapMoment();
}

size_t HeapMoments::HistoryBytes() {
  std::lock_guard<std::mutex> lock(mutex_);
  size_t total = 0;
  for (const HeapMoment& moment : history_) total += BytesOf(moment);
  return total;
}

}  // namespace memprof
