// The process-wide tables: strings, frames, stacks and buckets, all in one arena.
//
//   frame  = (function name, url, line, column), and where known, the place of a call in it
//   stack  = (parent stack, frame), a prefix tree; a stack is named by its leaf
//   bucket = (stack, size class, thread, labels), with what was allocated and freed there
//
// The buckets are written by heap/harvest.cc (samples that V8 took) and heap/sample_ledger.h (those that we
// took).
//
// Thread safety: every method may be called from any thread, except where it says otherwise. Nothing takes a
// lock.
//
// Invariants:
// (1) Refs stay valid for the life of the process: nothing is ever removed, and a reset only zeroes counts.
// (2) In `Figures` that were read, objects and bytes in use are never negative, and never "0 objects, N
//     bytes", however many threads are writing (see Bucket).
// (3) `UsedBytes()` never exceeds the limit. The last tenth of it is kept for stacks cut to their leaf
//     frames; when that is used up too, allocations go to one overflow bucket. Both cases are counted.

#ifndef MEMPROF_NATIVE_TABLES_PROFILE_TABLES_H_
#define MEMPROF_NATIVE_TABLES_PROFILE_TABLES_H_

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/seeded_hash.h"
#include "tables/intern_table.h"

namespace memprof {

struct Figures {
  uint64_t alloc_objects = 0;
  uint64_t alloc_bytes = 0;
  uint64_t free_objects = 0;
  uint64_t free_bytes = 0;
};

// There are eight classes to a power of two, so each is at most 12.5 % wide. Each size below 16 has a class
// of its own.
uint32_t SizeClassOf(uint64_t size);
// The largest size of a class.
uint64_t SizeClassLimit(uint32_t size_class);

// Shows whether a text is the one that V8 compiled. Frames that differ only in this are the same frame.
struct ScriptPlace {
  int32_t start = -1;   // characters before the function; -1 if unknown
  int32_t length = -1;  // characters of the script; -1 if unknown
};

struct FrameKey {
  Ref function_name;
  Ref url;
  int32_t line;
  int32_t column;
  uint64_t address;
  ScriptPlace in_script = {};
  // Where in the function the next frame was called, or the object was allocated; 0 if unknown.
  int32_t call_line = 0;
  int32_t call_column : 31 = 0;
  // The function was inlined into that of the frame that is the parent in the stack.
  uint32_t inlined : 1 = 0;

  // That of the call, as far as it is known.
  int32_t LineShown() const { return call_line != 0 ? call_line : line; }
};

struct StringNode : InternNode {
  static constexpr size_t kAlignment = 8;
  static size_t BytesFor(std::string_view key) { return sizeof(StringNode) + key.size(); }
  bool Equals(std::string_view key) const { return View() == key; }
  void Init(std::string_view key);
  std::string_view View() const { return {reinterpret_cast<const char*>(this + 1), length}; }

  uint32_t length;
};

struct FrameNode : InternNode {
  static constexpr size_t kAlignment = 8;
  bool Equals(const FrameKey& other) const {
    return key.function_name == other.function_name && key.url == other.url && key.line == other.line &&
           key.column == other.column && key.call_line == other.call_line &&
           key.call_column == other.call_column && key.inlined == other.inlined;
  }
  void Init(const FrameKey& from) { key = from; }

  FrameKey key;
};

struct StackKey {
  Ref parent;  // 0: `frame` is the outermost
  Ref frame;
};

struct StackNode : InternNode {
  static constexpr size_t kAlignment = 8;
  bool Equals(const StackKey& other) const { return key.parent == other.parent && key.frame == other.frame; }
  void Init(const StackKey& from) { key = from; }

  StackKey key;
};

struct BucketKey {
  Ref stack;
  uint16_t size_class;
  uint16_t labels = 0;    // see LabelSets; 0 for none
  uint32_t thread = 0;    // 0 unless threads are told apart
  uint16_t interval = 0;  // a code for the interval at which its samples were taken; 0 if it never changes
};

// What became of the objects of a bucket that outlived a major collection and died later.
struct PromotedDeaths {
  std::atomic<uint64_t> objects;
  std::atomic<uint64_t> bytes;
  std::atomic<uint64_t> age_ms;  // summed over the objects
};

// A writer adds objects before bytes when allocating, and bytes before objects when freeing. A reader loads
// in the opposite order: freed objects, freed bytes, allocated bytes, allocated objects. With release on each
// add and acquire on each load, a reader that finds something freed also finds it allocated, and finds
// objects for all bytes in use.
struct alignas(64) Bucket : InternNode {
  static constexpr size_t kAlignment = 64;  // a cache line of its own
  bool Equals(const BucketKey& other) const {
    return key.stack == other.stack && key.size_class == other.size_class && key.labels == other.labels &&
           key.thread == other.thread && key.interval == other.interval;
  }
  void Init(const BucketKey& from) { key = from; }

  void AddAlloc(uint64_t objects, uint64_t bytes) {
    alloc_objects.fetch_add(objects, std::memory_order_release);
    alloc_bytes.fetch_add(bytes, std::memory_order_release);
  }
  // REQUIRES: what is freed was added by `AddAlloc`, by this thread or by one this thread has synchronised
  // with.
  void AddFree(uint64_t objects, uint64_t bytes) {
    free_bytes.fetch_add(bytes, std::memory_order_release);
    free_objects.fetch_add(objects, std::memory_order_release);
  }
  Figures Read() const;

  BucketKey key;
  std::atomic<Ref> promoted;  // its PromotedDeaths; 0 if there were none
  std::atomic<uint64_t> alloc_objects;
  std::atomic<uint64_t> alloc_bytes;
  std::atomic<uint64_t> free_bytes;
  std::atomic<uint64_t> free_objects;
};
static_assert(sizeof(Bucket) == 64);

// The root of stacks that are cut.
inline constexpr const char* kTruncatedName = "(truncated)";

// What samples at the interval `from` would be at the interval `to`, in expectation. `dither` is in [0, 1) and
// always the same for one bucket: it rounds the objects, so that sums over many buckets are not biased. Keeps
// the invariant (2) below.
Figures ConvertFigures(const Figures& figures, double from, double to, double dither);

class ProfileTables {
 public:
  static constexpr size_t kDefaultLimit = size_t{32} << 20;
  static constexpr size_t kMinLimit = size_t{1} << 20;
  static constexpr size_t kCutFrames = 4;

  explicit ProfileTables(size_t limit);
  ProfileTables(const ProfileTables&) = delete;
  ProfileTables& operator=(const ProfileTables&) = delete;

  // The tables of the process, made at the first call and never destroyed. `nullptr` when the system refused
  // memory.
  static ProfileTables* Process();

  bool ok() const { return ok_; }
  void SetLimit(size_t limit) { arena_.SetLimit(limit); }

  // 0 when there is no room.
  Ref InternFrame(std::string_view function_name, std::string_view url, int32_t line, int32_t column,
                  ScriptPlace in_script = {});
  // The frame of a call in the function of `function`, a frame without a call. 0 when there is no room.
  Ref InternCall(Ref function, int32_t line, int32_t column, bool inlined = false);
  // 0 when only the tenth kept for cut stacks is left, or when `frame` is 0.
  Ref InternStack(Ref parent, Ref frame);
  // The same for frames one upon the other, outermost first. Returns how many of the `stacks` were found or
  // made: fewer than there are frames if there was no room for the next one. It is faster for stacks that are
  // not known.
  size_t InternStacks(Ref parent, std::span<const Ref> frames, Ref* stacks);
  // The stack of the last `kCutFrames` of `path` (outermost first) below the root of cut stacks, or the
  // overflow stack when there is no room at all. Each call is counted.
  Ref InternCutStack(std::span<const Ref> path);
  // Never 0: when there is no room it is the bucket of the cut stack, and when the kept tenth is full as
  // well, the overflow bucket.
  Ref BucketFor(Ref stack, uint64_t object_size, uint32_t thread = 0, uint32_t labels = 0,
                uint16_t interval = 0);

  // Counts the death of an object that had outlived a major collection; in the overflow bucket, if there is no
  // room.
  void AddPromotedDeath(Ref bucket, uint64_t bytes, uint64_t age_ms);
  // `nullptr` if there were none.
  PromotedDeaths* PromotedDeathsOf(const Bucket& bucket) const {
    Ref ref = bucket.promoted.load(std::memory_order_acquire);
    return ref == 0 ? nullptr : static_cast<PromotedDeaths*>(arena_.At(ref));
  }

  // The code of an interval for `BucketFor`. Of more than `kMostIntervals` different ones, the nearest.
  static constexpr size_t kMostIntervals = 255;
  uint16_t IntervalCode(uint32_t interval);
  // The finest interval of samples counted since the last reset; 0 if there are none. `ForEachBucket` converts
  // all figures to it.
  uint32_t FinestInterval() const { return finest_.load(std::memory_order_relaxed); }

  Ref overflow_stack() const { return overflow_stack_; }
  // For samples whose stack V8 did not know.
  Ref unknown_stack() const { return unknown_stack_; }
  // For lost samples of which nothing is known.
  Ref not_attributed_stack() const { return not_attributed_stack_; }
  // The root of stacks that are cut.
  Ref truncated_stack() const { return truncated_stack_; }

  Bucket* BucketAt(Ref ref) const { return buckets_.At(ref); }
  const StackNode* StackAt(Ref ref) const { return stacks_.At(ref); }
  const FrameNode* FrameAt(Ref ref) const { return frames_.At(ref); }
  std::string_view StringAt(Ref ref) const { return strings_.At(ref)->View(); }

  // Calls `f(const Bucket&, const Figures&)` for each bucket, newest first as in Go's list. Skips buckets
  // that never counted anything.
  template <typename F>
  void ForEachBucket(F&& f) const {
    uint32_t finest = FinestInterval();
    buckets_.ForEach([&](Ref, const Bucket& bucket) {
      Figures figures = bucket.Read();
      if (figures.alloc_objects == 0) return;
      if (bucket.key.interval != 0 && IntervalOf(bucket.key.interval) != finest) {
        figures = Converted(bucket, figures, finest);
        if (figures.alloc_objects == 0) return;
      }
      f(bucket, figures);
    });
  }

  // Figures of a bucket as `ForEachBucket` gives them.
  Figures AtFinest(const Bucket& bucket, const Figures& figures) const {
    uint32_t finest = FinestInterval();
    bool same = bucket.key.interval == 0 || IntervalOf(bucket.key.interval) == finest;
    return same ? figures : Converted(bucket, figures, finest);
  }

  // Calls `f(Ref, objects, bytes)` for each bucket that has something in use, at the bucket's own interval.
  template <typename F>
  void ForEachInUse(F&& f) const {
    buckets_.ForEach([&](Ref ref, const Bucket& bucket) {
      Figures figures = bucket.Read();
      uint64_t objects = figures.alloc_objects - figures.free_objects;
      uint64_t bytes = figures.alloc_bytes - figures.free_bytes;
      if (objects != 0 && bytes != 0) f(ref, objects, bytes);
    });
  }

  // Zeroes all counts. REQUIRES: no other thread reads or writes meanwhile.
  void Reset();
  // How often the tables were reset.
  uint64_t Generation() const { return generation_.load(std::memory_order_relaxed); }
  // Whether nothing was counted since the last reset.
  bool Empty() const;

  size_t UsedBytes() const { return arena_.Used(); }
  size_t LimitBytes() const { return arena_.limit(); }
  size_t CommittedBytes() const { return arena_.Committed(); }
  size_t FrameCount() const { return frames_.Count(); }
  size_t StackCount() const { return stacks_.Count(); }
  size_t BucketCount() const { return buckets_.Count(); }
  uint64_t CutStacks() const { return cut_stacks_.load(std::memory_order_relaxed); }
  uint64_t OverflowAllocs() const { return BucketAt(overflow_bucket_)->Read().alloc_objects; }

 private:
  // The last tenth.
  size_t KeptForCuts() const { return arena_.limit() / 10; }
  uint32_t IntervalOf(uint16_t code) const { return intervals_[code - 1].load(std::memory_order_relaxed); }
  Figures Converted(const Bucket& bucket, const Figures& figures, uint32_t finest) const;
  Ref InternString(std::string_view text);
  uint64_t HashOfStack(const StackKey& key) const;
  uint64_t HashOfBucket(const BucketKey& key) const;
  Ref InternLeafFrames(std::span<const Ref> path);
  Ref InternBucket(const BucketKey& key, size_t keep_free);

  const SeededHash hash_;
  Arena arena_;
  InternTable<StringNode, std::string_view> strings_;
  InternTable<FrameNode, FrameKey> frames_;
  InternTable<StackNode, StackKey> stacks_;
  InternTable<Bucket, BucketKey> buckets_;
  bool ok_;
  Ref overflow_stack_ = 0;
  Ref overflow_bucket_ = 0;
  Ref unknown_stack_ = 0;
  Ref not_attributed_stack_ = 0;
  Ref truncated_stack_ = 0;
  std::atomic<uint32_t> intervals_[kMostIntervals]{};  // by code - 1; 0: not used yet
  std::atomic<uint32_t> finest_{0};
  std::atomic<uint64_t> cut_stacks_{0};
  std::atomic<uint64_t> generation_{0};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_TABLES_PROFILE_TABLES_H_
