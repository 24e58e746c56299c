// The process-wide profile of buffers: where the sampled ones were allocated, which of them are alive, and
// how many bytes all of them take.
//
// Thread safety: every method may be called from any thread at any time, and none takes a lock. However,
// `Reset` waits for frees that are under way, and no thread may sample meanwhile. A `BufferCounts` belongs to
// one thread.
//
// Invariants:
// (1) A sampled buffer is put into the map before anybody knows of its memory, and removed before the memory
//     is given back. Its free is counted in the bucket of its allocation, unless the tables were reset in
//     between.
// (2) A buffer for which the map has no room counts as not sampled: figures in use never include what is
//     gone.
// (3) In the totals, freed bytes never exceed allocated bytes by more than what existed before.
// (4) Counts are never taken back: those of a thread that ended stay, and the next thread that gets the place
//     goes on from them.

#ifndef MEMPROF_NATIVE_BUFFERS_BUFFER_PROFILE_H_
#define MEMPROF_NATIVE_BUFFERS_BUFFER_PROFILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/hash.h"
#include "base/pointer_map.h"
#include "heap/heap_moments.h"
#include "tables/profile_tables.h"

namespace memprof {

// Bytes of all buffers that went through wrapped allocators, sampled or not.
struct BufferTotals {
  uint64_t existed = 0;  // before their allocators were wrapped
  uint64_t allocated = 0;
  uint64_t freed = 0;

  uint64_t in_use() const { return existed + allocated > freed ? existed + allocated - freed : 0; }
};

// Bytes that went through wrapped allocators on one thread, or on the threads that have no counts of their
// own. With its own, a thread does not wait for the cache line of another one that frees at the same time.
struct alignas(64) BufferCounts {
  std::atomic<uint64_t> allocated{0};
  std::atomic<uint64_t> freed{0};
  std::atomic<bool> owned{false};

  // REQUIRES: the thread owns the counts.
  static void AddOwn(std::atomic<uint64_t>* count, uint64_t bytes) {
    count->store(count->load(std::memory_order_relaxed) + bytes, std::memory_order_release);
  }
};

class BufferProfile {
 public:
  static constexpr size_t kTableLimit = size_t{16} << 20;
  static constexpr size_t kMostMomentBytes = size_t{1} << 20;

  explicit BufferProfile(size_t table_limit = kTableLimit);
  BufferProfile(const BufferProfile&) = delete;
  BufferProfile& operator=(const BufferProfile&) = delete;

  // The profile of the process, made at the first call and never destroyed. `nullptr` when the system refused
  // memory.
  static BufferProfile* Process();
  // The same if it was made, otherwise `nullptr`.
  static BufferProfile* IfMade() { return process_.load(std::memory_order_acquire); }

  bool ok() const { return tables_.ok() && samples_.ok() && native_stack_ != 0; }
  ProfileTables* tables() { return &tables_; }
  // What was in use at earlier moments.
  HeapMoments* moments() { return &moments_; }
  // For buffers that Node.js allocates while no JavaScript runs, mostly for what comes from the network.
  Ref native_stack() const { return native_stack_; }

  // Counts that belong to the calling thread until it gives them back. `nullptr` when none are left; the
  // thread then shares counts with others.
  BufferCounts* ClaimCounts();
  static void GiveBackCounts(BufferCounts* own);

  // Called for every buffer. `own` are the thread's own counts, or `nullptr`.
  void CountAlloc(BufferCounts* own, const void* data, size_t bytes) {
    if (own != nullptr) [[likely]]
      BufferCounts::AddOwn(&own->allocated, bytes);
    else
      SharedCounts(data).allocated.fetch_add(bytes, std::memory_order_release);
  }
  // Called for every buffer before its memory is given back. Returns whether the buffer may be a sampled one:
  // then `EndSample` must follow. They are apart because samples are so rare.
  bool CountFree(BufferCounts* own, const void* data, size_t bytes) {
    if (own != nullptr) [[likely]]
      BufferCounts::AddOwn(&own->freed, bytes);
    else
      SharedCounts(data).freed.fetch_add(bytes, std::memory_order_release);
    return samples_.MayHold(data);
  }
  void EndSample(const void* data) {
    Sample sample;
    if (samples_.Remove(data, &sample)) [[unlikely]]
      FreeSample(sample);
  }
  // Counts what an allocator had already given out when it was wrapped.
  void CountExisting(size_t bytes) { existed_.fetch_add(bytes, std::memory_order_relaxed); }

  // Adds a sampled buffer that stands for `count` of them. REQUIRES: nobody else knows of its memory yet.
  void AddSample(const void* data, size_t bytes, Ref stack, uint32_t thread, uint32_t labels,
                 uint64_t count = 1);

  // Forgets all records; buffers that are alive no longer count. REQUIRES: no thread samples, and no other
  // reads.
  void Reset();

  BufferTotals totals() const;
  // Since the start of the process.
  uint64_t samples() const { return sampled_.load(std::memory_order_relaxed); }
  uint64_t live() const { return samples_.size(); }
  // Samples that the map had no room for.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // A thread takes one sample where it would have taken `factor`.
  void NoteThinning(double factor) {
    if (factor > most_thinning_.load(std::memory_order_relaxed)) [[unlikely]]
      RaiseMostThinning(factor);
  }
  // The largest factor since the tables were reset.
  double most_thinning() const { return most_thinning_.load(std::memory_order_relaxed); }

 private:
  struct Sample {
    uint64_t bytes;
    uint64_t count;
    Ref bucket;
    uint32_t generation;  // of the tables
  };
  static constexpr size_t kOwnCounts = 64;
  static constexpr size_t kSharedCounts = 16;

  // Threads that count at the same time mostly do so in different places.
  BufferCounts& SharedCounts(const void* data) {
    uint64_t hash = reinterpret_cast<uintptr_t>(data) * kGoldenRatio;
    return counts_[kOwnCounts + (hash >> 40) % kSharedCounts];
  }
  [[gnu::noinline]] void FreeSample(const Sample& sample);
  [[gnu::noinline]] void RaiseMostThinning(double factor);

  static std::atomic<BufferProfile*> process_;

  ProfileTables tables_;
  HeapMoments moments_{&tables_, kMostMomentBytes};
  PointerMap<Sample> samples_;
  Ref native_stack_ = 0;
  std::atomic<uint32_t> generation_{0};
  std::atomic<uint64_t> freeing_{0};  // threads inside `FreeSample`
  std::atomic<uint64_t> sampled_{0};
  std::atomic<uint64_t> dropped_{0};
  std::atomic<double> most_thinning_{1};
  std::atomic<uint64_t> existed_{0};
  BufferCounts counts_[kOwnCounts + kSharedCounts];
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BUFFERS_BUFFER_PROFILE_H_
