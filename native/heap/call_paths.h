// The call paths of one isolate as a prefix tree. A path is a list of function ids, and is named by the node
// of its leaf. Memory is touched as little as possible, because between two samples the program evicts us
// from the caches: of the path before, the common part is not looked up again, and the hashes of all longer
// parts are computed first, so that their places can be fetched at the same time.
//
// Thread safety: none; belongs to one isolate's thread.
//
// Invariants:
// (1) Nodes do not move and keep their numbers until `Clear`. 0 is no node.
// (2) Two paths are taken for equal when their 64-bit hashes are.

#ifndef MEMPROF_NATIVE_HEAP_CALL_PATHS_H_
#define MEMPROF_NATIVE_HEAP_CALL_PATHS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/arena.h"

namespace memprof {

class CallPaths {
 public:
  struct Node {
    uint64_t hash = 0;
    uint32_t parent = 0;  // 0: `function` is the outermost
    uint32_t function = 0;
    Ref stack = 0;  // for the caller: the same path in the process's tables; 0 while it is not known
  };

  // `functions` is a path, leaf first, and not empty.
  uint32_t Intern(std::span<const uint32_t> functions);

  Node& At(uint32_t node) { return chunks_[(node - 1) / kChunk][(node - 1) % kChunk]; }
  const Node& At(uint32_t node) const { return chunks_[(node - 1) / kChunk][(node - 1) % kChunk]; }

  // Forgets all paths, and gives back the memory.
  void Clear();
  size_t size() const { return used_; }
  size_t bytes() const {
    return chunks_.size() * kChunk * sizeof(Node) + index_.capacity() * sizeof(Slot) +
           before_.capacity() * sizeof(Before);
  }

 private:
  static constexpr uint64_t kSeed = 0x9e3779b97f4a7c15u;
  static constexpr size_t kChunk = 1024;
  static constexpr size_t kSmallestIndex = 1024;

  struct Slot {
    uint32_t tag = 0;   // the upper half of the hash
    uint32_t node = 0;  // 0: empty
  };
  // An entry of the path that was interned before.
  struct Before {
    uint32_t function;
    uint32_t node;  // 0: not looked up
    uint64_t hash;
  };

  static uint64_t HashOf(uint64_t parent, uint32_t function) {
    uint64_t hash = (parent ^ function) * 0x9fb21c651e98df25u;
    return hash ^ (hash >> 29);
  }

  uint32_t Find(uint64_t hash) const {
    if (index_.empty()) return 0;
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = index_[at];
      if (slot.node == 0) return 0;
      if (slot.tag == hash >> 32 && At(slot.node).hash == hash) return slot.node;
    }
  }
  uint32_t Add(uint32_t parent, uint32_t function, uint64_t hash);
  void Index(uint32_t node, uint64_t hash);
  void Grow(size_t more);

  std::vector<std::unique_ptr<Node[]>> chunks_;
  std::vector<Slot> index_;  // open addressing, a power of two, at most half full
  size_t mask_ = 0;
  size_t used_ = 0;
  std::vector<Before> before_;  // outermost first
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CALL_PATHS_H_
