// An insert-only, lock-free hash table whose nodes live in an arena. It holds strings, frames, stacks or
// buckets. Nodes lie in runs (node_runs.h), and an index that grows as it fills finds them (growing_index.h).
//
// Thread safety: every method may be called from any thread at any time without a lock. Readers never wait,
// and nobody waits for them.
//
// Invariants:
// (1) A node's key and hash are written before the node can be reached, and do not change after that. Its
//     place, which is its id, never changes.
// (2) A node can be walked to before it can be found. A thread that begins to walk after another one got a
//     node from `FindOrInsert` therefore meets that node, and misses none of the counts added to it before.
//     The index may be growing meanwhile: walks do not use it.
// (3) `FindOrInsert` returns at most one node per key. When two threads each make one, the loser's stays where
//     it is but is returned to nobody. It keeps the zero counts it was made with, and walkers of buckets skip
//     zero counts.
//
// Nodes are never removed.

#ifndef MEMPROF_NATIVE_TABLES_INTERN_TABLE_H_
#define MEMPROF_NATIVE_TABLES_INTERN_TABLE_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/arena.h"
#include "tables/growing_index.h"
#include "tables/node_runs.h"

namespace memprof {

// What every node begins with: the hash of its key. 0 until the rest is written.
struct InternNode {
  std::atomic<uint64_t> hash;
};

// `Node` derives from InternNode and has:
//   static constexpr size_t kAlignment;
//   bool Equals(const Key&) const;        // asked when the 64-bit hashes are equal
//   void Init(const Key&);                // the memory is zeroed
//   static size_t BytesFor(const Key&);   // only if nodes differ in size; such a table cannot be walked
template <typename Node, typename Key>
class InternTable {
 public:
  static constexpr bool kWalkable = !requires(const Key& key) { Node::BytesFor(key); };

  // REQUIRES: `arena` outlives the table.
  explicit InternTable(Arena* arena, uint32_t first_bits = kFirstBits)
      : arena_(arena), index_(arena, first_bits), runs_(arena) {}
  InternTable(const InternTable&) = delete;
  InternTable& operator=(const InternTable&) = delete;

  bool ok() const { return index_.ok(); }

  // Fetches the word of the index that a search for this hash reads first.
  void Fetch(uint64_t hash) const { index_.Fetch(NotZero(hash)); }

  // 0 when there is no such key.
  Ref Find(const Key& key, uint64_t hash) const {
    hash = NotZero(hash);
    return index_.Find(hash, Matching(key, hash));
  }

  // 0 when there is no such key, and a node for it would leave fewer than `keep_free` bytes of the arena.
  Ref FindOrInsert(const Key& key, uint64_t hash, size_t keep_free) {
    hash = NotZero(hash);
    GrowingIndex<>::End end = index_.Search(hash, Matching(key, hash));
    return end.IsNode() ? end.node() : Insert(end, key, hash, keep_free);
  }

  Node* At(Ref ref) const { return static_cast<Node*>(arena_->At(ref)); }

  // Visits the nodes, newest first. Those inserted after the walk began may be visited or not.
  template <typename F>
  void ForEach(F&& f) const {
    NoneOf([&](Ref ref, Node& node) {
      f(ref, node);
      return false;
    });
  }

  // Walks likewise, but stops and returns false at the first node of which `f` is true.
  template <typename F>
  bool NoneOf(F&& f) const {
    static_assert(kWalkable);
    return !runs_.AnyOf(f);
  }

  // Nodes made, including those that lost a race.
  size_t Count() const { return index_.count(); }
  // Words of the index.
  size_t IndexSize() const { return index_.size(); }

 private:
  static constexpr uint32_t kFirstBits = 8;

  struct NoRuns {
    explicit NoRuns(Arena*) {}
  };

  // Sets a bit in which the index takes no interest: it neither says where a search begins nor is in a word.
  static uint64_t NotZero(uint64_t hash) { return hash | uint64_t{1} << 16; }

  auto Matching(const Key& key, uint64_t hash) const {
    return [this, &key, hash](Ref ref) {
      const Node* node = At(ref);
      return node->hash.load(std::memory_order_relaxed) == hash && node->Equals(key);
    };
  }

  // Not inlined, so that what is found without it needs few instructions.
  [[gnu::noinline]] Ref Insert(GrowingIndex<>::End end, const Key& key, uint64_t hash, size_t keep_free) {
    auto make = [&] {
      Ref made = Take(key, keep_free);
      if (made == 0) return made;
      Node* node = At(made);
      node->Init(key);
      node->hash.store(hash, std::memory_order_release);  // invariant (2): before it can be found
      return made;
    };
    auto hash_of = [this](Ref ref) { return At(ref)->hash.load(std::memory_order_relaxed); };
    return index_.Insert(end, hash, keep_free, Matching(key, hash), make, hash_of);
  }

  Ref Take(const Key& key, size_t keep_free) {
    if constexpr (kWalkable) {
      return runs_.Take(keep_free);
    } else {
      return arena_->Allocate(Node::BytesFor(key), Node::kAlignment, keep_free);
    }
  }

  Arena* const arena_;
  GrowingIndex<> index_;
  std::conditional_t<kWalkable, NodeRuns<Node>, NoRuns> runs_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_TABLES_INTERN_TABLE_H_
