#include "buffers/buffer_profile.h"

#include <cstddef>
#include <mutex>
#include <new>
#include <thread>

namespace memprof {

constinit std::atomic<BufferProfile*> BufferProfile::process_{nullptr};

BufferProfile::BufferProfile(size_t table_limit) : tables_(table_limit) {
  if (!tables_.ok()) return;
  native_stack_ = tables_.InternStack(0, tables_.InternFrame("(native)", "", 0, 0));
}

BufferProfile* BufferProfile::Process() {
  // Leaked on purpose: buffers may still be freed while the process exits. Made in place, since the aligned
  // `new` needs a newer C++ library than Node.js does.
  alignas(BufferProfile) static std::byte place[sizeof(BufferProfile)];
  static BufferProfile* profile = [] {
    auto* made = new (place) BufferProfile();
    if (made->ok()) process_.store(made, std::memory_order_release);
    return made;
  }();
  return profile->ok() ? profile : nullptr;
}

BufferCounts* BufferProfile::ClaimCounts() {
  for (size_t i = 0; i < kOwnCounts; ++i) {
    if (!counts_[i].owned.load(std::memory_order_relaxed) &&
        !counts_[i].owned.exchange(true, std::memory_order_acquire)) {
      return &counts_[i];
    }
  }
  return nullptr;
}

void BufferProfile::GiveBackCounts(BufferCounts* own) { own->owned.store(false, std::memory_order_release); }

void BufferProfile::AddSample(const void* data, size_t bytes, Ref stack, uint32_t thread, uint32_t labels,
                              uint64_t count) {
  Ref bucket = tables_.BucketFor(stack, bytes, thread, labels);
  Sample stale;
  // The memory may have been given back unseen, by an allocator that somebody unwrapped.
  if (samples_.Remove(data, &stale)) FreeSample(stale);
  if (!samples_.Insert(data, {bytes, count, bucket, generation_.load(std::memory_order_relaxed)})) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  sampled_.fetch_add(1, std::memory_order_relaxed);
  tables_.BucketAt(bucket)->AddAlloc(count, count * bytes);
}

// Either the reset waits until this is done, or this sees the new generation: both sides first write and then
// read, in one order for all threads (seq_cst).
void BufferProfile::FreeSample(const Sample& sample) {
  freeing_.fetch_add(1, std::memory_order_seq_cst);
  if (sample.generation == generation_.load(std::memory_order_seq_cst)) {
    tables_.BucketAt(sample.bucket)->AddFree(sample.count, sample.count * sample.bytes);
  }
  freeing_.fetch_sub(1, std::memory_order_release);
}

void BufferProfile::RaiseMostThinning(double factor) {
  double most = most_thinning_.load(std::memory_order_relaxed);
  while (factor > most && !most_thinning_.compare_exchange_weak(most, factor, std::memory_order_relaxed)) {
  }
}

void BufferProfile::Reset() {
  generation_.fetch_add(1, std::memory_order_seq_cst);
  while (freeing_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  tables_.Reset();
  most_thinning_.store(1, std::memory_order_relaxed);
}

BufferTotals BufferProfile::totals() const {
  BufferTotals totals;
  // Reads freed bytes first: what is found freed is then also found allocated.
  for (const BufferCounts& counts : counts_) totals.freed += counts.freed.load(std::memory_order_acquire);
  for (const BufferCounts& counts : counts_)
    totals.allocated += counts.allocated.load(std::memory_order_acquire);
  totals.existed = existed_.load(std::memory_order_relaxed);
  return totals;
}

}  // namespace memprof
