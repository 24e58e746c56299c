// The index of an insert-only hash table: for a hash it finds the node with the key. It grows without a lock.
// docs/table.md shows it in a picture.
//
// An index is an array of 32-bit words, a power of two of them, searched from the home of a hash upwards. A
// word is empty, or names a node (its Ref, and five bits of its hash), or is moved: whoever meets a moved word
// goes on in the successor, an index twice as large.
//
// Thread safety: every method may be called from any thread at any time. Nobody waits for anybody: a thread
// that stops anywhere stops no other.
//
// Invariants:
// (1) A word changes at most once: from empty to a node's, or from empty to moved.
// (2) The path of a key in an index goes from its home to the first word that is empty or moved. A key that is
//     in the index lies on that path, since it was put at what was then the end of it, and what lies before
//     never changes.
// (3) Hence a key that is not on its path when that ends in a moved word will never be in this index, and all
//     threads look for it, and put it, in the successor. There is one node a key at every moment, also in the
//     middle of growth.
// (4) `current_` passes to the successor when no word of the index is empty any more and all nodes in it are
//     in the successor as well. What was found once is always found.
// (5) Only the current index is given a successor. So at most two indices take new nodes.
// (6) Nodes have numbers in the order in which they were made. An index takes those up to a number below its
//     size, and copies of nodes that were in a smaller one. So every path ends.
// (7) Indices come from the arena, and stay there when they are no longer needed: all earlier ones
//     together take as much as the current one. The arena's limit covers them all.
//
// Growth: the thread that meets an index filled to three quarters makes the successor (`growing` keeps the
// others from making one as well). From then on new nodes go to the successor. Every thread that inserts copies
// a stripe of the old index first. A thread that was interrupted in its stripe delays the end of the growth but
// nobody's work; when its delay would keep the successor from growing in its turn, another thread copies all.
//
// When the arena has no room for a successor, the index is filled further: to seven eighths by those who leave
// something free of the arena, and to fifteen sixteenths by the others.

#ifndef MEMPROF_NATIVE_TABLES_GROWING_INDEX_H_
#define MEMPROF_NATIVE_TABLES_GROWING_INDEX_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/arena.h"
#include "base/prefetch.h"

namespace memprof {

// `Atomic` and `Memory` are others only in the test that runs all interleavings.
template <template <typename> typename Atomic = std::atomic, typename Memory = Arena>
class GrowingIndex {
 public:
  // REQUIRES: `arena` outlives the index; `first_bits` is at least 1.
  GrowingIndex(Memory* arena, uint32_t first_bits) : arena_(arena) {
    if (Ref first = arena_->Allocate(BytesFor(first_bits), kLine, 0)) {
      current_.store(Pack(At(first, first_bits)), std::memory_order_relaxed);
    }
  }
  GrowingIndex(const GrowingIndex&) = delete;
  GrowingIndex& operator=(const GrowingIndex&) = delete;

  bool ok() const { return current_.load(std::memory_order_relaxed) != 0; }

  // Where the search in one index ended: at a node that matches, at an empty word, or at a moved one.
  struct End {
    uintptr_t index;  // packed
    uint32_t at;
    uint32_t word;

    bool IsNode() const { return word > kMoved; }
    Ref node() const { return word & kRefMask; }  // 0 at an empty word
  };

  // Searches the current index for the node of that hash of which `matches(Ref)` is true.
  template <typename Matches>
  End Search(uint64_t hash, const Matches& matches) const {
    Index index = Current();
    return Follow(index, hash, Home(index, hash), matches);
  }

  // Fetches what `Search` reads first.
  void Fetch(uint64_t hash) const {
    Index index = Current();
    Prefetch(&index.words[Home(index, hash)]);
  }

  // The node of that hash of which `matches(Ref)` is true, or 0.
  template <typename Matches>
  Ref Find(uint64_t hash, const Matches& matches) const {
    End end = Search(hash, matches);
    while (end.word == kMoved) end = SearchSuccessor(end, hash, matches);
    return end.node();
  }

  // Goes on where `Search` found no node: returns that of the successors, or puts the one that `make()` returns.
  // Should another thread put one first, then that is returned, and ours is in no index. `make` is called once at
  // most. Returns 0 if `make` does or if there is no room. `hash_of(Ref)` is the hash of a node that was put
  // before.
  template <typename Matches, typename Make, typename HashOf>
  Ref Insert(End end, uint64_t hash, size_t keep_free, const Matches& matches, const Make& make,
             const HashOf& hash_of) {
    Ref made = 0;
    size_t number = 0;  // of the node that was made; before that, what it would be if nobody else makes one
    while (!end.IsNode()) {
      Index index = Unpack(end.index);
      if (end.word == kEmpty) {
        if (made == 0) number = count() + 1;
        if (!HasSuccessor(index) && !MakeRoom(index, number, keep_free, hash_of)) return 0;
        if (!HasSuccessor(index)) {
          bool has_room = true;
          if (made == 0) {
            made = make();
            if (made == 0) return 0;
            size_t asked = number;
            number = count_.fetch_add(1, std::memory_order_relaxed) + 1;
            has_room = number == asked;
          }
          uint32_t word = kEmpty;
          if (has_room &&
              index.words[end.at].compare_exchange_strong(word, WordOf(hash, made), std::memory_order_release,
                                                          std::memory_order_acquire)) {
            return made;
          }
          end = Follow(index, hash, end.at, matches);
          continue;
        }
        if (!Freeze(&index.words[end.at])) {  // it has become a node's, perhaps that of our key
          end = Follow(index, hash, end.at, matches);
          continue;
        }
      }
      CopyStripe(index, hash_of);
      end = SearchSuccessor(end, hash, matches);
    }
    return end.node();
  }

  // Nodes made, with those that were put too late.
  size_t count() const { return count_.load(std::memory_order_relaxed); }
  // Words of the current index.
  size_t size() const { return Current().size(); }

 private:
  static constexpr size_t kLine = 64;
  static constexpr uint32_t kStripe = 128;  // words that a thread copies at once
  static constexpr uint32_t kRefBits = 27;
  static constexpr uint32_t kRefMask = (uint32_t{1} << kRefBits) - 1;
  static_assert(Arena::kMaxLimit / Arena::kRefUnit <= kRefMask + 1);
  static constexpr uint32_t kMostBits = 28;

  static constexpr uint32_t kEmpty = 0;
  static constexpr uint32_t kMoved = 1;  // no node lies there: the arena keeps its first bytes

  struct Header {
    Atomic<Ref> successor;
    Atomic<uint32_t> growing;  // a thread is making the successor
    Atomic<uint32_t> claimed;  // words that somebody copies or has copied
    Atomic<uint32_t> copied;
  };
  static_assert(sizeof(Header) <= kLine);

  struct Index {
    Header* header;
    Atomic<uint32_t>* words;
    uint32_t shift;  // of a hash, to its home
    uint32_t bits() const { return 64 - shift; }
    size_t size() const { return size_t{1} << bits(); }
  };

  static bool IsNode(uint32_t word) { return word > kMoved; }
  static Ref RefOf(uint32_t word) { return word & kRefMask; }
  static uint32_t WordOf(uint64_t hash, Ref ref) { return (static_cast<uint32_t>(hash) << kRefBits) | ref; }
  static bool HasTagOf(uint32_t word, uint64_t hash) {
    return (word ^ (static_cast<uint32_t>(hash) << kRefBits)) <= kRefMask;
  }
  // The upper bits: the lower ones are in the word.
  static uint32_t Home(const Index& index, uint64_t hash) {
    return static_cast<uint32_t>(hash >> index.shift);
  }
  static uint32_t Next(const Index& index, uint32_t at) {
    return (at + 1) & static_cast<uint32_t>(~uint64_t{0} >> index.shift);
  }
  static size_t BytesFor(uint32_t bits) { return kLine + (sizeof(Atomic<uint32_t>) << bits); }
  // The address of an index ends in zeros, which its shift takes.
  static uintptr_t Pack(const Index& index) {
    return reinterpret_cast<uintptr_t>(index.header) | index.shift;
  }
  static Index Unpack(uintptr_t packed) {
    char* at = reinterpret_cast<char*>(packed & ~uintptr_t{kLine - 1});
    return {reinterpret_cast<Header*>(at), reinterpret_cast<Atomic<uint32_t>*>(at + kLine),
            static_cast<uint32_t>(packed % kLine)};
  }

  static size_t Roomy(const Index& index) { return index.size() / 4 * 3 + (index.bits() == 1); }
  static size_t Most(const Index& index, size_t keep_free) {
    return index.size() - std::max<size_t>(1, index.size() / (keep_free == 0 ? 16 : 8));
  }

  Index At(Ref ref, uint32_t bits) const {
    char* at = static_cast<char*>(arena_->At(ref));
    return {reinterpret_cast<Header*>(at), reinterpret_cast<Atomic<uint32_t>*>(at + kLine), 64 - bits};
  }
  Index Current() const { return Unpack(current_.load(std::memory_order_acquire)); }
  bool IsCurrent(const Index& index) const { return Current().header == index.header; }
  bool HasSuccessor(const Index& index) const {
    return index.header->successor.load(std::memory_order_acquire) != 0;
  }
  // REQUIRES: there is one.
  Index Successor(const Index& index) const {
    return At(index.header->successor.load(std::memory_order_acquire), index.bits() + 1);
  }

  template <typename Matches>
  static End Follow(const Index& index, uint64_t hash, uint32_t at, const Matches& matches) {
    for (;; at = Next(index, at)) {
      uint32_t word = index.words[at].load(std::memory_order_acquire);
      if (!IsNode(word) || (HasTagOf(word, hash) && matches(RefOf(word)))) return {Pack(index), at, word};
    }
  }

  // REQUIRES: there is one.
  template <typename Matches>
  End SearchSuccessor(const End& end, uint64_t hash, const Matches& matches) const {
    Index index = Successor(Unpack(end.index));
    return Follow(index, hash, Home(index, hash), matches);
  }

  // False when the word is a node's.
  static bool Freeze(Atomic<uint32_t>* word) {
    uint32_t seen = kEmpty;
    return word->compare_exchange_strong(seen, kMoved, std::memory_order_acq_rel,
                                         std::memory_order_acquire) ||
           seen == kMoved;
  }

  // Whether `index`, which had no successor, takes the node of that number or has a successor now.
  template <typename HashOf>
  bool MakeRoom(const Index& index, size_t number, size_t keep_free, HashOf&& hash_of) {
    if (number <= Roomy(index)) return true;
    bool must = number > Most(index, keep_free);
    if (must) {
      // Growth that has not come to its end: somebody was interrupted in the middle of a stripe. (The current
      // index may also be a later one by now.)
      Index current = Current();
      if (HasSuccessor(current) && Successor(current).header == index.header) CopyAll(current, hash_of);
    }
    if (IsCurrent(index)) Grow(index, keep_free, must);
    return !must || HasSuccessor(index);
  }

  // Gives `index` a successor, unless somebody else is about to or there is no room.
  // REQUIRES: it was the current one.
  void Grow(const Index& index, size_t keep_free, bool must) {
    Header* header = index.header;
    if (index.bits() >= kMostBits) return;
    if (!must && header->growing.load(std::memory_order_relaxed) != 0) return;
    if (header->growing.exchange(1, std::memory_order_relaxed) != 0 && !must) return;
    if (HasSuccessor(index)) return;
    Ref made = arena_->Allocate(BytesFor(index.bits() + 1), kLine, keep_free);
    if (made == 0) {
      header->growing.store(0, std::memory_order_relaxed);  // there may be room one day: limits are raised
      return;
    }
    Ref none = 0;
    if (!header->successor.compare_exchange_strong(none, made, std::memory_order_acq_rel,
                                                   std::memory_order_acquire)) {
      arena_->GiveBack(made, BytesFor(index.bits() + 1));
    }
  }

  // Copies the next stripe that nobody has claimed.
  template <typename HashOf>
  void CopyStripe(const Index& index, HashOf&& hash_of) {
    Header* header = index.header;
    uint32_t size = static_cast<uint32_t>(index.size());
    uint32_t stripe = std::min(kStripe, size);
    if (header->claimed.load(std::memory_order_relaxed) >= size) return;
    uint32_t from = header->claimed.fetch_add(stripe, std::memory_order_relaxed);
    if (from >= size) return;
    Copy(index, from, from + stripe, hash_of);
    if (header->copied.fetch_add(stripe, std::memory_order_acq_rel) + stripe == size) Pass(index);
  }

  template <typename HashOf>
  void CopyAll(const Index& index, HashOf&& hash_of) {
    Copy(index, 0, static_cast<uint32_t>(index.size()), hash_of);
    Pass(index);
  }

  // Invariant (4).
  // REQUIRES: all words of `index` are copied.
  void Pass(const Index& index) {
    uintptr_t expected = Pack(index);
    current_.compare_exchange_strong(expected, Pack(Successor(index)), std::memory_order_acq_rel,
                                     std::memory_order_acquire);
  }

  // A place in the successor depends on the whole hash, which is in the node: so nodes are fetched some at a
  // time.
  template <typename HashOf>
  void Copy(const Index& index, uint32_t from, uint32_t to, HashOf&& hash_of) {
    constexpr uint32_t kAtOnce = 16;
    Index successor = Successor(index);
    uint32_t words[kAtOnce];
    while (from != to) {
      uint32_t nodes = 0;
      for (uint32_t end = std::min(to, from + kAtOnce); from != end; ++from) {
        if (index.words[from].load(std::memory_order_acquire) == kEmpty && Freeze(&index.words[from]))
          continue;
        uint32_t word = index.words[from].load(std::memory_order_acquire);
        if (word == kMoved) continue;
        Prefetch(arena_->At(RefOf(word)));
        words[nodes++] = word;
      }
      for (uint32_t i = 0; i < nodes; ++i) Put(successor, hash_of(RefOf(words[i])), words[i]);
    }
  }

  void Put(const Index& index, uint64_t hash, uint32_t word) {
    for (uint32_t at = Home(index, hash);; at = Next(index, at)) {
      uint32_t seen = index.words[at].load(std::memory_order_acquire);
      if (seen == kEmpty && index.words[at].compare_exchange_strong(seen, word, std::memory_order_release,
                                                                    std::memory_order_acquire)) {
        return;
      }
      // It is moved only when all has been copied long since: then we come late, and the word lies before it.
      if (seen == word || seen == kMoved) return;
    }
  }

  Memory* const arena_;
  Atomic<uintptr_t> current_{0};        // packed
  [[maybe_unused]] char apart_[kLine];  // searches read the one, insertions write the other
  Atomic<size_t> count_{0};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_TABLES_GROWING_INDEX_H_
