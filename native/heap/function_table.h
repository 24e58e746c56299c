// Knows the functions met on sampled stacks, and describes each of them once.
//
// A function is identified by its SharedFunctionInfo, which all its closures share. Its address may change
// when V8 collects garbage, so the table holds each one by a weak handle. After a GC, an address is trusted
// only when the handle confirms that the function is still there.
//
// Thread safety: none; belongs to one isolate's thread. `IdOf` allocates nothing on V8's heap and may be
// called while V8 samples. `Describe` may allocate there, and must be called where that is allowed. V8 also
// samples what `Describe` allocates, so `IdOf` may be called from inside `Describe`.
//
// Invariants:
// (1) Ids are never used again, so a list of ids always names the same stack.
// (2) Until a function is described, a strong handle holds one of its closures.
// (3) About `kMostFunctions` are known at most: when there are that many, `Trim` forgets them all.

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
  // Smaller ids are for entries of a stack that are no functions.
  static constexpr uint32_t kFirstId = 64;

  FunctionTable(v8::Isolate* isolate, ProfileTables* tables) : isolate_(isolate), tables_(tables) {}
  FunctionTable(const FunctionTable&) = delete;
  FunctionTable& operator=(const FunctionTable&) = delete;

  void set_layout(const V8Layout* layout) { layout_ = layout; }

  struct Known {
    uint32_t id;
    Ref frame;  // 0: not described yet, or there was no room in the tables
    bool wasm;  // JavaScript's entry to a WebAssembly function
    bool described;
  };
  // `slot` is the address of a word that holds a JSFunction. REQUIRES: no GC is running.
  Known IdOf(const uintptr_t* slot);

  bool AnyToDescribe() const { return !to_describe_.empty(); }
  // Describes all functions that are not described yet, including those met meanwhile.
  void Describe();
  // Finds a function that was described since the last `ForgetRecent`.
  Known OfRecent(uint32_t id) const;
  void ForgetRecent() { recent_.clear(); }

  // Must be called after a GC that may have moved functions.
  void OnCollected() {
    ++epoch_;
    moved_ = true;
  }
  // Bounds the memory, see invariant (3). Does nothing while functions wait to be described. REQUIRES: no
  // sample is being taken.
  void Trim();
  void Clear();

  size_t size() const { return used_; }
  size_t bytes() const { return entries_.size() * sizeof(Entry) + index_.capacity() * sizeof(Slot); }

 private:
  struct Entry {
    v8::Global<v8::Value> shared;       // weak
    v8::Global<v8::Function> function;  // strong, and empty once it is described
    uint32_t id = 0;                    // 0: free
    Ref frame = 0;
    bool wasm = false;
    bool described = false;
  };
  struct Slot {
    uintptr_t address = 0;
    uint32_t entry = 0;
    uint32_t epoch = 0;  // the epoch in which the handle last confirmed the address
    Known known{};       // a copy of what the entry says; final once it is described
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
  std::deque<Entry> entries_;  // V8 keeps the addresses of the handles, so entries must not move
  std::vector<uint32_t> free_;
  std::vector<Slot> index_;  // open addressing, a power of two, at most half full
  size_t used_ = 0;          // entries in use
  size_t indexed_ = 0;       // slots of the index in use
  uint32_t last_id_ = kFirstId;
  bool moved_ = false;                 // functions may have moved since the index was made
  uint32_t epoch_ = 1;                 // rises with each `OnCollected`
  std::vector<uint32_t> to_describe_;  // indexes of entries
  std::vector<Known> recent_;          // in the order of ids
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_FUNCTION_TABLE_H_
