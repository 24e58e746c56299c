// An insert-only lock-free hash table whose nodes live in an arena. Used for strings, frames, stacks and
// buckets.
//
// Thread safety: every method may be called from any thread at any time without a lock. Readers never wait
// and are never waited for.
//
// Invariants:
// (1) A node's key, hash and links are written before the node can be reached, and never change while it can
// be. (2) A node is on the list before it can be found, so whoever walks the list after a thread got a node
// from
//     `FindOrInsert` meets that node. Counts added to a node that can be found are therefore never missed.
// (3) At most one node per key is ever returned. Two threads may each make one; the loser's stays on the
// list,
//     is returned to nobody, and keeps the zero counts it was made with (walkers of buckets pass over zero
//     counts).
// (4) Chains only grow at their head: what lies behind a head once read never changes.
//
// There is no removal, and no resizing while anybody may look for a key, so none of the races of either: the
// number of heads is set when the table is made, from the limit of the arena, and raised only where nobody is
// at work (`Widen`).

#ifndef MEMPROF_NATIVE_INTERN_TABLE_H_
#define MEMPROF_NATIVE_INTERN_TABLE_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/arena.h"

namespace memprof {

// What every node begins with. The links are atomic since a node that lost a race for its list position
// writes them again; neither changes once the node can be reached by that link.
struct InternNode {
  uint32_t hash;  // low half of the key's hash: spares most comparisons
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
    heads_ = arena->Allocate((mask_ + 1) * sizeof(std::atomic<Ref>), 64, 0);
  }
  InternTable(const InternTable&) = delete;
  InternTable& operator=(const InternTable&) = delete;

  bool ok() const { return heads_ != 0; }

  // 0 when the key is not there.
  Ref Find(const Key& key, uint64_t hash) const {
    return FindInChain(key, hash, Head(hash)->load(std::memory_order_acquire), 0);
  }

  // 0 when the key is not there and the arena has not `keep_free` bytes and the node's left.
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
      // Only what was put before `seen` since is new to us.
      if (Ref found = FindInChain(key, hash, first, seen)) return found;
    }
  }

  size_t heads() const { return mask_ + 1; }

  // Gives the table as many heads, unless it has them or there is no room; `hash_of(const Node&)` is that of
  // its key. What is known stays where it is. REQUIRES: no other thread looks for keys meanwhile, and those
  // that do later have synchronised with this one. Walks of the list may go on.
  template <typename HashOf>
  void Widen(size_t heads, HashOf&& hash_of) {
    size_t old_mask = mask_;
    size_t mask = std::bit_ceil(heads) - 1;
    if (mask <= old_mask) return;
    Ref wider = arena_->Allocate((mask + 1) * sizeof(std::atomic<Ref>), 64, 0);
    if (wider == 0) return;
    auto* old_heads = static_cast<std::atomic<Ref>*>(arena_->At(heads_));
    heads_ = wider;
    mask_ = mask;
    // From the chains, not from the list: there are also the losers of races.
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

  // Newest first. Nodes inserted after the walk began are not met.
  template <typename F>
  void ForEach(F&& f) const {
    NoneOf([&](Ref ref, Node& node) {
      f(ref, node);
      return false;
    });
  }

  // Walks likewise, until `f` is true of a node.
  template <typename F>
  bool NoneOf(F&& f) const {
    for (Ref ref = list_.load(std::memory_order_acquire); ref != 0;) {
      Node* node = At(ref);
      if (f(ref, *node)) return false;
      ref = node->list_next.load(std::memory_order_relaxed);
    }
    return true;
  }

  // Nodes made, those that lost a race included.
  size_t Count() const { return count_.load(std::memory_order_relaxed); }

 private:
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
