// Remembers what was in use by the records of one profile at earlier moments: at the highest heap so far, and, thinned
// out as time goes by, over the last week. That of the heap is here, that of buffers in their BufferProfile.
//
// Thread safety: every method may be called from any thread, also in a GC: none waits for a lock there, but gives up.
//
// Rules:
// (1) A new peak is at least 3 % above the last one, so few copies are made while a heap grows.
// (2) Of the last hour a moment a minute is kept, of the last day one for each quarter of an hour, of the last week one
//     for each two hours.
// (3) The history takes at most `MostBytes()`. When there is no room, the largest moment is cut to the half of its
//     buckets that has most in use, and the rest is one sum.
// (4) A reset of the tables forgets all.

#ifndef MEMPROF_NATIVE_HEAP_HEAP_MOMENTS_H_
#define MEMPROF_NATIVE_HEAP_HEAP_MOMENTS_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "tables/profile_tables.h"

namespace memprof {

// What was sampled in a bucket, and was in use.
struct InUse {
  Ref bucket;
  uint32_t objects;
  uint64_t bytes;
};

struct HeapMoment {
  uint64_t at_ns = 0;      // monotonic; 0 if there is none
  uint64_t heap_used = 0;  // bytes of all isolates, after the collection
  uint64_t external = 0;   // bytes of the isolate that collected
  uint64_t rss = 0;
  uint64_t left_out_bytes = 0;  // sampled bytes of buckets that were cut
  std::vector<InUse> buckets;
};

// What one thread may spend on remembering: a little at once, and beyond that the share of its time that it is allowed.
class MomentBudget {
 public:
  static constexpr uint64_t kFreeNs = 20'000'000;

  void Spend(uint64_t cpu_ns) { spent_ns_ += cpu_ns; }
  bool HasTime(double max_overhead, uint64_t running_ns) const {
    return static_cast<double>(spent_ns_) <= kFreeNs + max_overhead * static_cast<double>(running_ns);
  }

 private:
  uint64_t spent_ns_ = 0;
};

class HeapMoments {
 public:
  static constexpr uint64_t kMinuteNs = 60'000'000'000;
  static constexpr size_t kMostBytes = size_t{3} << 20;

  explicit HeapMoments(const ProfileTables* tables, size_t most_bytes = kMostBytes)
      : tables_(tables), most_bytes_(most_bytes), generation_(tables->Generation()) {}
  HeapMoments(const HeapMoments&) = delete;
  HeapMoments& operator=(const HeapMoments&) = delete;

  // Those of the heap. Never destroyed.
  static HeapMoments* Process();

  // The heap of an isolate has changed by that many bytes. Returns that of all isolates.
  uint64_t AddHeap(int64_t change) {
    return heap_used_.fetch_add(change, std::memory_order_relaxed) + change;
  }
  bool IsPeak(uint64_t heap_used) const {
    uint64_t peak = peak_heap_.load(std::memory_order_relaxed);
    return heap_used > peak + peak / 32;
  }
  bool IsHistoryDue(uint64_t now_ns) const {
    return now_ns - last_ns_.load(std::memory_order_relaxed) >= kMinuteNs;
  }

  // Copy what is in use by the tables. `moment` has no buckets yet. False when another thread is at it.
  bool TryTakePeak(HeapMoment moment);
  bool TryAddToHistory(HeapMoment moment);
  // For tests: forgets what is later than that.
  void ForgetSince(uint64_t at_ns);

  HeapMoment Peak();
  size_t HistorySize();
  // Oldest first; without a time if there are not that many.
  HeapMoment HistoryAt(size_t index);
  size_t HistoryBytes();
  size_t MostBytes() const { return most_bytes_; }

 private:
  void ForgetWhatWasReset();
  void CopyInUse(HeapMoment* moment) const;
  void Thin(uint64_t now_ns);
  void FitIntoLimit();

  const ProfileTables* const tables_;
  const size_t most_bytes_;
  std::atomic<uint64_t> heap_used_{0};
  std::atomic<uint64_t> peak_heap_{0};
  std::atomic<uint64_t> last_ns_{0};
  std::mutex mutex_;
  uint64_t generation_;
  HeapMoment peak_;
  std::vector<HeapMoment> history_;  // oldest first
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_HEAP_MOMENTS_H_
