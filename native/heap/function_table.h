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
// (3) About `kMostFunctions` are known at most. The owner must call `Clear` when it is `Full`; functions met
//     beyond twice that many have no id of their own.

#ifndef MEMPROF_NATIVE_HEAP_FUNCTION_TABLE_H_
#define MEMPROF_NATIVE_HEAP_FUNCTION_TABLE_H_

#include <v8.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/hash.h"
#include "base/shared.h"
#include "heap/function_frames.h"
#include "heap/script_texts.h"
#include "heap/v8_layout.h"
#include "tables/profile_tables.h"

namespace memprof {

class FunctionTable {
 public:
  static constexpr size_t kMostFunctions = 1 << 16;
  // Smaller ids are for entries of a stack that are no functions.
  static constexpr uint32_t kFirstId = 64;
  // JavaScript's entry to a WebAssembly function.
  static constexpr uint32_t kWasmId = 1;
  // A function for which there is no room.
  static constexpr uint32_t kNoRoomId = 2;

  FunctionTable(v8::Isolate* isolate, ProfileTables* tables)
      : isolate_(isolate), tables_(tables), texts_(isolate) {}
  FunctionTable(const FunctionTable&) = delete;
  FunctionTable& operator=(const FunctionTable&) = delete;

  void set_layout(const V8Layout* layout) { layout_ = layout; }
  // Where the frames go of functions that are described from here on. REQUIRES: its first id is `first_id()`, and no
  // function is known.
  void Begin(const Shared<FunctionFrames>& frames) { frames_.emplace(frames); }
  const Shared<FunctionFrames>& frames() const { return *frames_; }
  // The next function's.
  uint32_t first_id() const { return first_id_; }

  // For an object that is no function.
  static constexpr uint32_t kNoFunctionId = 3;

  // `slot` is the address of a word that holds an object. REQUIRES: no GC is running.
  uint32_t IdOf(const uintptr_t* slot);
  // Fetches into the caches what `IdOf` will need: first `FetchObject` for many, then `FetchSlot`.
  static void FetchObject(const uintptr_t* slot) {
    __builtin_prefetch(reinterpret_cast<const void*>(ObjectAddress(*slot)));
  }
  void FetchSlot(const uintptr_t* slot) const {
    if (!index_.empty() && IsKnownMap(WordOf(*slot, 0))) {
      __builtin_prefetch(&index_[Mix(WordOf(*slot, layout_->shared_word)) & (index_.size() - 1)]);
    }
  }

  struct Info {
    Ref frame = 0;  // 0: not described yet, or there was no room in the tables
    int32_t script_id = 0;
    int32_t position = -1;  // of the function in its script; -1 if unknown
    bool described = false;
  };
  // REQUIRES: `id` came from `IdOf` since the last `Clear`, and is none of the constants above.
  const Info& InfoOf(uint32_t id) const { return entries_[id - first_id_].info; }

  // See ScriptTexts. The same REQUIRES.
  bool MayBeLoop(uint32_t id, int at) const { return texts_.MayBeLoop(InfoOf(id).script_id, at); }

  // Where a function starts.
  struct Start {
    int32_t script_id;
    int32_t position;
    uint32_t id = 0;
  };
  // Sets the ids of the functions that start there and are described; 0 for the others. There may be two by one start.
  void FindStarts(std::span<Start> starts) const;

  bool AnyToDescribe() const { return !to_describe_.empty(); }
  // Describes the functions that are not described yet, including those met meanwhile, until it is
  // `until_ns`. Returns whether all are described.
  bool Describe(uint64_t until_ns);

  // Must be called after a GC that may have moved functions.
  void OnCollected() {
    ++epoch_;
    moved_ = true;
    for (uintptr_t& map : function_maps_) map = 0;
  }
  bool Full() const { return entries_.size() >= kMostFunctions; }
  // REQUIRES: no id is used any more.
  void Clear();

  size_t size() const { return entries_.size(); }
  size_t bytes() const {
    return entries_.size() * sizeof(Entry) + index_.capacity() * sizeof(Slot) + texts_.bytes();
  }

 private:
  struct Entry {
    v8::Global<v8::Value> shared;       // weak
    v8::Global<v8::Function> function;  // strong, and empty once it is described
    Info info;
    bool wasm = false;
  };
  struct Slot {
    uintptr_t address = 0;  // 0: empty
    uint32_t entry = 0;
    uint32_t id = 0;
    uint32_t epoch = 0;  // the epoch in which the handle last confirmed the address
  };
  // The first word of an object points to its map, which tells its type. V8 has few maps of functions.
  static constexpr size_t kFunctionMaps = 8;
  bool IsKnownMap(uintptr_t map) const {
    for (uintptr_t known : function_maps_) {
      if (known == map) return true;
    }
    return false;
  }
  bool IsFunction(const uintptr_t* slot);
  Slot* SlotFor(uintptr_t address);
  const Slot* Find(uintptr_t address);
  uint32_t IdOfEntry(uint32_t entry) const { return entries_[entry].wasm ? kWasmId : entry + first_id_; }
  uint32_t Add(uintptr_t address, const uintptr_t* slot);
  void Index(uintptr_t address, uint32_t entry);
  void Reindex(size_t slots);
  bool DescribeOne(uint32_t at, uint64_t until_ns);
  v8::Local<v8::Value> NameOf(v8::Local<v8::Function> function);

  v8::Isolate* const isolate_;
  ProfileTables* const tables_;
  const V8Layout* layout_ = nullptr;
  ScriptTexts texts_;
  std::deque<Entry> entries_;  // V8 keeps the addresses of the handles, so entries must not move
  std::vector<Slot> index_;    // open addressing, a power of two, at most half full
  size_t indexed_ = 0;         // slots of the index in use
  uintptr_t function_maps_[kFunctionMaps] = {};  // tagged, or 0; of objects that proved to be functions
  size_t next_map_ = 0;                          // the one to be replaced next
  uint32_t first_id_ = kFirstId;
  bool moved_ = false;                 // functions may have moved since the index was made
  uint32_t epoch_ = 1;                 // rises with each `OnCollected`
  std::vector<uint32_t> to_describe_;  // indexes of entries
  std::optional<Shared<FunctionFrames>> frames_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_FUNCTION_TABLE_H_
