// An insert-only, lock-free hash table whose nodes live in an arena. It holds strings, frames, stacks or
// buckets.
//
// Thread safety: every method but `Widen` may be called from any thread at any time without a lock. Readers
// never wait, and nobody waits for them.
//
// Invariants:
// (1) A node's key, hash and links are written before the node can be reached, and do not change while it
//     can be reached. (Only `Widen` changes the links of chains.)
// (2) A node is on the list before it can be found. A thread that walks the list after another one got a node
//     from `FindOrInsert` therefore meets that node, and misses none of the counts added to it before.
// (3) `FindOrInsert` returns at most one node per key. When two threads each make one, the loser's stays on
//     the list but is returned to nobody. It keeps the zero counts it was made with, and walkers of buckets
//     skip zero counts.
// (4) Chains grow only at their head: what lies behind a head that was read never changes.
//
// Nodes are never removed, and the table is never resized while any thread may look for a key, so it has the
// races of neither. The number of heads is set when the table is made, from the limit of the arena, and is
// raised (`Widen`) only while no thread is at work.

#ifndef MEMPROF_NATIVE_INTERN_TABLE_H_
#define MEMPROF_NATIVE_INTERN_TABLE_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/arena.h"

namespace memprof {

// What every node begins with. The links are atomic because a thread that lost a race for a place in the
// chain or the list writes them again; neither changes once the node can be reached by it.
struct InternNode {
  uint32_t hash;  // low half of the key's hash, which spares most comparisons
  std::atomic<Ref> chain_next;
  std::atomic<Ref> list_next;
};

// `Node` derives from InternNode and has:
//   static constexpr size_t kAlignment;
//   bool Equals(const Key&) const;
//   static size_t BytesFor(const Key&);
//   void Init(const Key&);      // the memory is zeroed
template <typename Node, typename Key>
class InternTable {
 public:
  // REQUIRES: `arena` outlives the table.
  InternTable(Arena* arena, size_t heads) : arena_(arena), mask_(std::bit_ceil(heads) - 1) {
    heads_ = AllocateHeads(mask_ + 1);
  }
  InternTable(const InternTable&) = delete;
  InternTable& operator=(const InternTable&) = delete;

  bool ok() const { return heads_ != 0; }

  // 0 when there is no such key.
  Ref Find(const Key& key, uint64_t hash) const {
    return FindInChain(key, hash, Head(hash)->load(std::memory_order_acquire), 0);
  }

  // 0 when there is no such key, and a node for it would leave fewer than `keep_free` bytes of the arena.
  Ref FindOrInsert(const Key& key, uint64_t hash, size_t keep_free) {
    std::atomic<Ref>* head = Head(hash);
    Ref first = head->load(std::memory_order_acquire);
    if (Ref found = FindInChain(key, hash, first, 0)) return found;

    Ref made = arena_->Allocate(Node::BytesFor(key), Node::kAlignment, keep_free);
    if (made == 0) return 0;
    Node* node = static_cast<Node*>(arena_->At(made));
    node->hash = static_cast<uint32_t>(hash);
    node->Init(key);
    PushToList(node, made);  // invariant (2): before it can be found
    count_.fetch_add(1, std::memory_order_relaxed);
    for (;;) {
      node->chain_next.store(first, std::memory_order_relaxed);
      Ref seen = first;
      if (head->compare_exchange_strong(first, made, std::memory_order_release, std::memory_order_acquire)) {
        return made;
      }
      // Only the nodes that were put before `seen` since then are new to us.
      if (Ref found = FindInChain(key, hash, first, seen)) return found;
    }
  }

  size_t heads() const { return mask_ + 1; }

  // Raises the number of heads to `heads`, if it is lower and there is room. `hash_of(const Node&)` returns
  // the hash of the node's key. Nodes stay where they are.
  // REQUIRES: no other thread looks for keys meanwhile, and those that do so later have synchronised with
  // this one. Walks of the list may go on.
  template <typename HashOf>
  void Widen(size_t heads, HashOf&& hash_of) {
    size_t old_mask = mask_;
    size_t mask = std::bit_ceil(heads) - 1;
    if (mask <= old_mask) return;
    Ref wider = AllocateHeads(mask + 1);
    if (wider == 0) return;
    auto* old_heads = static_cast<std::atomic<Ref>*>(arena_->At(heads_));
    heads_ = wider;
    mask_ = mask;
    // Takes the nodes from the chains, not from the list, which also holds the losers of races.
    for (size_t i = 0; i <= old_mask; ++i) {
      for (Ref ref = old_heads[i].load(std::memory_order_relaxed); ref != 0;) {
        Node* node = At(ref);
        Ref next = node->chain_next.load(std::memory_order_relaxed);
        std::atomic<Ref>* head = Head(hash_of(*node));
        node->chain_next.store(head->load(std::memory_order_relaxed), std::memory_order_relaxed);
        head->store(ref, std::memory_order_release);
        ref = next;
      }
    }
  }

  Node* At(Ref ref) const { return static_cast<Node*>(arena_->At(ref)); }

  // Visits the nodes, newest first. Those inserted after the walk began are not visited.
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
    for (Ref ref = list_.load(std::memory_order_acquire); ref != 0;) {
      Node* node = At(ref);
      if (f(ref, *node)) return false;
      ref = node->list_next.load(std::memory_order_relaxed);
    }
    return true;
  }

  // Nodes made, including those that lost a race.
  size_t Count() const { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kHeadsAlignment = 64;

  Ref AllocateHeads(size_t heads) {
    return arena_->Allocate(heads * sizeof(std::atomic<Ref>), kHeadsAlignment, 0);
  }

  std::atomic<Ref>* Head(uint64_t hash) const {
    return static_cast<std::atomic<Ref>*>(arena_->At(heads_)) + ((hash >> 32) & mask_);
  }

  Ref FindInChain(const Key& key, uint64_t hash, Ref from, Ref until) const {
    for (Ref ref = from; ref != until && ref != 0;) {
      const Node* node = At(ref);
      if (node->hash == static_cast<uint32_t>(hash) && node->Equals(key)) return ref;
      ref = node->chain_next.load(std::memory_order_relaxed);
    }
    return 0;
  }

  void PushToList(Node* node, Ref ref) {
    Ref first = list_.load(std::memory_order_relaxed);
    do {
      node->list_next.store(first, std::memory_order_relaxed);
    } while (!list_.compare_exchange_weak(first, ref, std::memory_order_release, std::memory_order_relaxed));
  }

  Arena* const arena_;
  size_t mask_;
  Ref heads_;
  std::atomic<Ref> list_{0};
  std::atomic<size_t> count_{0};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_INTERN_TABLE_H_
