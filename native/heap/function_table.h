// The functions met on sampled stacks, each described once.
//
// A function is told by its SharedFunctionInfo, which all its closures have in common. Where that is, is
// private to V8 and changes when V8 collects garbage, so each is held by a weak handle: after each
// collection, what is known of an address is taken for true only when the handle says that the function is
// still there.
//
// Thread safety: none; belongs to one isolate's thread. `IdOf` allocates nothing on V8's heap and may be
// called where V8 samples; `Describe` may do so, and must be called where that is allowed. `IdOf` may be
// called from inside `Describe`: V8 samples what is allocated there, too.
//
// Invariants:
// (1) Ids are never used again, so a list of them names the same stack for ever.
// (2) A function nobody described yet is held by a strong handle to a closure, until it is described.
// (3) At most `kMostFunctions` are known. `Trim` forgets all when there are so many.

#ifndef MEMPROF_NATIVE_HEAP_FUNCTION_TABLE_H_
#define MEMPROF_NATIVE_HEAP_FUNCTION_TABLE_H_

#include <v8.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "heap/v8_layout.h"
#include "tables/profile_tables.h"

namespace memprof {

class FunctionTable {
 public:
  static constexpr size_t kMostFunctions = 1 << 17;
  // Ids of what is no function.
  static constexpr uint32_t kFirstId = 64;

  FunctionTable(v8::Isolate* isolate, ProfileTables* tables) : isolate_(isolate), tables_(tables) {}
  FunctionTable(const FunctionTable&) = delete;
  FunctionTable& operator=(const FunctionTable&) = delete;

  void set_layout(const V8Layout* layout) { layout_ = layout; }

  struct Known {
    uint32_t id;
    Ref frame;  // 0: not described yet, or there was no room in the tables
    bool wasm;  // the way into a function of WebAssembly
    bool described;
  };
  // `slot` is the address of a word that holds a JSFunction. REQUIRES: V8 does not collect garbage now.
  Known IdOf(const uintptr_t* slot);

  // Whether there are any to describe.
  bool AnyToDescribe() const { return !to_describe_.empty(); }
  // Describes those that are not, for as long as it takes.
  void Describe();
  // What became known of a function in a `Describe` since the last `ForgetRecent`.
  Known OfRecent(uint32_t id) const;
  void ForgetRecent() { recent_.clear(); }

  // V8 collected garbage; it may have moved functions.
  void OnCollected() {
    ++epoch_;
    moved_ = true;
  }
  // Between samples, when no function waits to be described.
  void Trim();
  void Clear();

  size_t size() const { return used_; }
  size_t bytes() const { return entries_.size() * sizeof(Entry) + index_.capacity() * sizeof(Slot); }

 private:
  struct Entry {
    v8::Global<v8::Value> shared;       // weak
    v8::Global<v8::Function> function;  // until it is described
    uint32_t id = 0;                    // 0: free
    Ref frame = 0;
    bool wasm = false;
    bool described = false;
  };
  struct Slot {
    uintptr_t address = 0;
    uint32_t entry = 0;
    uint32_t epoch = 0;  // in which the handle was last looked at
    Known known{};       // of the entry, once it is described
  };
  static Known Of(const Entry& entry) { return {entry.id, entry.frame, entry.wasm, entry.described}; }
  Slot* SlotFor(uintptr_t address);
  Known Find(uintptr_t address);
  Known Add(uintptr_t address, const uintptr_t* slot);
  void Index(uintptr_t address, uint32_t entry);
  void Reindex(size_t slots);
  void DescribeOne(Entry* entry);
  Ref FrameOf(v8::Local<v8::Function> function, const v8::Global<v8::Value>& shared);
  v8::Local<v8::Value> UrlOf(v8::Local<v8::Function> function, const v8::Global<v8::Value>& shared);

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  const V8Layout* layout_ = nullptr;
  std::deque<Entry> entries_;  // where V8 finds its handles: they do not move
  std::vector<uint32_t> free_;
  std::vector<Slot> index_;  // open addressing, a power of two, at most half full
  size_t used_ = 0;          // entries
  size_t indexed_ = 0;       // slots of the index
  uint32_t last_id_ = kFirstId;
  bool moved_ = false;  // since the index was made
  uint32_t epoch_ = 1;
  std::vector<uint32_t> to_describe_;  // entries
  std::vector<Known> recent_;          // by rising ids
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_FUNCTION_TABLE_H_
