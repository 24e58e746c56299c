// The process-wide tables: strings, frames, stacks and buckets, all in one arena.
//
//   frame  = (function name, url, line, column)
//   stack  = (parent stack, frame), a prefix tree; a stack is named by its leaf
//   bucket = (stack, size class, thread) with what was allocated and freed there
//
// Thread safety: every method may be called from any thread, except where it says otherwise. Nothing takes a
// lock.
//
// Invariants:
// (1) Refs are valid for the life of the process: nothing is ever removed, a reset only zeroes counts.
// (2) In a `Figures` that was read, in-use objects and bytes are not negative, and never "0 objects, N
// bytes",
//     however many writers are at work (see Bucket).
// (3) Memory: `UsedBytes()` never exceeds the limit. The last tenth of it is kept for stacks cut to their
// leaf
//     frames; when that is gone too, allocations count into one overflow bucket. Both are counted.

#ifndef MEMPROF_NATIVE_PROFILE_TABLES_H_
#define MEMPROF_NATIVE_PROFILE_TABLES_H_

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "tables/intern_table.h"

namespace memprof {

struct Figures {
  uint64_t alloc_objects = 0;
  uint64_t alloc_bytes = 0;
  uint64_t free_objects = 0;
  uint64_t free_bytes = 0;
};

// Classes are at most 12.5 % wide: eight to a power of two. Sizes below 16 are classes of their own.
uint32_t SizeClassOf(uint64_t size);
// The largest size of a class.
uint64_t SizeClassLimit(uint32_t size_class);

// What tells whether a text is the one that V8 compiled. Frames that differ in nothing else are one.
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
  static size_t BytesFor(const FrameKey&) { return sizeof(FrameNode); }
  bool Equals(const FrameKey& other) const {
    return key.function_name == other.function_name && key.url == other.url && key.line == other.line &&
           key.column == other.column;
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
  static size_t BytesFor(const StackKey&) { return sizeof(StackNode); }
  bool Equals(const StackKey& other) const { return key.parent == other.parent && key.frame == other.frame; }
  void Init(const StackKey& from) { key = from; }

  StackKey key;
};

struct BucketKey {
  Ref stack;
  uint32_t size_class;
  uint32_t thread = 0;  // unless threads are told apart
};

// A writer adds objects before bytes when allocating and bytes before objects when freeing; a reader loads in
// the opposite order: freed objects, freed bytes, allocated bytes, allocated objects. With release on each
// add and acquire on each load, what a reader finds freed it finds allocated, and objects in use cover bytes
// in use.
struct Bucket : InternNode {
  static constexpr size_t kAlignment = 64;  // a cache line of its own
  static size_t BytesFor(const BucketKey&) { return sizeof(Bucket); }
  bool Equals(const BucketKey& other) const {
    return key.stack == other.stack && key.size_class == other.size_class && key.thread == other.thread;
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
  std::atomic<uint64_t> alloc_objects;
  std::atomic<uint64_t> alloc_bytes;
  std::atomic<uint64_t> free_bytes;
  std::atomic<uint64_t> free_objects;
};
static_assert(sizeof(Bucket) <= 64);

class ProfileTables {
 public:
  static constexpr size_t kDefaultLimit = size_t{32} << 20;
  static constexpr size_t kMinLimit = size_t{1} << 20;
  static constexpr size_t kCutFrames = 4;

  explicit ProfileTables(size_t limit);
  ProfileTables(const ProfileTables&) = delete;
  ProfileTables& operator=(const ProfileTables&) = delete;

  // The tables of the process, made at the first call and never destroyed. `nullptr` when memory was refused.
  static ProfileTables* Process();

  bool ok() const { return ok_; }
  void SetLimit(size_t limit) { arena_.SetLimit(limit); }
  // Fits the tables' heads to a limit that was raised, so that look-ups stay short when they fill up. Takes
  // some milliseconds when they are full. REQUIRES: no thread interns or counts meanwhile, and those that do
  // later have synchronised with this one.
  void FitHeadsToLimit();
  // Of the tables of stacks and of buckets.
  size_t StackHeads() const { return stacks_.heads(); }
  size_t BucketHeads() const { return buckets_.heads(); }

  // 0 when there is no room.
  Ref InternFrame(std::string_view function_name, std::string_view url, int32_t line, int32_t column,
                  ScriptPlace in_script = {});
  // 0 when there is no room but the tenth kept for cut stacks, or when `parent` or `frame` is 0 for that
  // reason.
  Ref InternStack(Ref parent, Ref frame);
  // The stack of the last `kCutFrames` of `path` (outermost first), or the overflow stack when there is no
  // room at all. Counted once per call.
  Ref InternCutStack(std::span<const Ref> path);
  // Never 0: without room the bucket of the cut stack, and without room in the kept tenth the overflow
  // bucket.
  Ref BucketFor(Ref stack, uint64_t object_size, uint32_t thread = 0);

  Ref overflow_stack() const { return overflow_stack_; }
  // For samples whose stack V8 could not tell.
  Ref unknown_stack() const { return unknown_stack_; }
  // For lost samples that nothing is known of.
  Ref not_attributed_stack() const { return not_attributed_stack_; }

  Bucket* BucketAt(Ref ref) const { return buckets_.At(ref); }
  const StackNode* StackAt(Ref ref) const { return stacks_.At(ref); }
  const FrameNode* FrameAt(Ref ref) const { return frames_.At(ref); }
  std::string_view StringAt(Ref ref) const { return strings_.At(ref)->View(); }

  // Newest first, as Go's list of buckets. `f(const Bucket&, const Figures&)`; buckets that never counted
  // anything are passed over.
  template <typename F>
  void ForEachBucket(F&& f) const {
    buckets_.ForEach([&](Ref, const Bucket& bucket) {
      Figures figures = bucket.Read();
      if (figures.alloc_objects != 0) f(bucket, figures);
    });
  }

  // Zeroes all counts. REQUIRES: no writer and no other reader at work.
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
  size_t KeptForCuts() const { return arena_.limit() / 10; }
  Ref InternString(std::string_view text);
  Ref InternLeafFrames(std::span<const Ref> path);
  Ref InternBucket(const BucketKey& key, size_t keep_free);

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
  std::atomic<uint64_t> cut_stacks_{0};
  std::atomic<uint64_t> generation_{0};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_PROFILE_TABLES_H_
