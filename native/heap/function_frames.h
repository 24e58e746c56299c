// The frames of functions in the process's tables, by the ids that FunctionTable gives to functions.
//
// Thread safety: `Set` belongs to the isolate's thread. The others may be called from any thread that was told of
// the id.
//
// Invariant: a frame that was set does not change.

#ifndef MEMPROF_NATIVE_HEAP_FUNCTION_FRAMES_H_
#define MEMPROF_NATIVE_HEAP_FUNCTION_FRAMES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/arena.h"
#include "tables/profile_tables.h"

namespace memprof {

class FunctionFrames {
 public:
  static constexpr size_t kMost = size_t{1} << 17;

  // Ids below `first_id` are for frames that are no functions; `name_of` gives their names.
  FunctionFrames(ProfileTables* tables, uint32_t first_id, const char* (*name_of)(uint32_t))
      : tables_(tables), first_id_(first_id), name_of_(name_of) {}
  FunctionFrames(const FunctionFrames&) = delete;
  FunctionFrames& operator=(const FunctionFrames&) = delete;

  // `frame` is 0 if there was no room in the tables. REQUIRES: `id` is one of the first `kMost` functions.
  void Set(uint32_t id, Ref frame) {
    size_t at = id - first_id_;
    std::unique_ptr<Chunk>& owner = owners_[at / kChunk];
    if (owner == nullptr) {
      owner = std::make_unique<Chunk>();
      chunks_[at / kChunk].store(owner.get(), std::memory_order_release);
    }
    (*owner)[at % kChunk].store(frame == 0 ? kNoRoom : frame, std::memory_order_release);
  }

  bool IsSet(uint32_t id) const { return id < first_id_ || Find(id) != 0; }
  // 0 as long as it is not set, and when there was no room.
  Ref At(uint32_t id) const {
    if (id < first_id_) return tables_->InternFrame(name_of_(id), "", 0, 0);
    Ref frame = Find(id);
    return frame == kNoRoom ? 0 : frame;
  }

 private:
  static constexpr size_t kChunk = 1024;
  static constexpr Ref kNoRoom = ~Ref{0};
  using Chunk = std::array<std::atomic<Ref>, kChunk>;

  Ref Find(uint32_t id) const {
    size_t at = id - first_id_;
    const Chunk* chunk = chunks_[at / kChunk].load(std::memory_order_acquire);
    return chunk == nullptr ? 0 : (*chunk)[at % kChunk].load(std::memory_order_acquire);
  }

  ProfileTables* const tables_;
  const uint32_t first_id_;
  const char* (*const name_of_)(uint32_t);
  std::array<std::unique_ptr<Chunk>, kMost / kChunk> owners_;
  std::array<std::atomic<Chunk*>, kMost / kChunk> chunks_{};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_FUNCTION_FRAMES_H_
