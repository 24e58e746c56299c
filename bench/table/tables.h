// The tables that are compared, behind one interface:
//   void Add(const Key&)        finds or inserts, and adds to both counts
//   void Snapshot(Rows*)        takes all counts, with copies of the keys or (where they stay in their places) with the
//                               places of the keys
//   size_t Bytes()              memory, or 0: what the heap has grown by
//
// Thread safety: Add from any thread; Snapshot beside it, unless kIterable is false.

#ifndef MEMPROF_BENCH_TABLE_TABLES_H_
#define MEMPROF_BENCH_TABLE_TABLES_H_

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/arena.h"
#include "keys.h"
#include "rows.h"
#include "tables/intern_table.h"

#if __has_include(<tbb/concurrent_hash_map.h>)
#include <tbb/concurrent_hash_map.h>
#include <tbb/concurrent_unordered_map.h>
#include <tbb/version.h>
#define BENCH_HAS_TBB 1
#endif
#if __has_include(<boost/unordered/concurrent_flat_map.hpp>)
#include <boost/unordered/concurrent_flat_map.hpp>
#include <boost/version.hpp>
#define BENCH_HAS_BOOST 1
#endif

namespace bench {

constexpr uint64_t kBytes = 64;  // of each allocation counted

// kNone: there is no table, and no key in it.
enum class Keys { kNone, kMove, kStay };

struct Counts {
  Counts() = default;
  // Tables want to copy or move what they are given; that is before anybody counts.
  Counts(const Counts& other) : objects(other.objects.load()), bytes(other.bytes.load()) {}
  Counts& operator=(const Counts& other) {
    objects = other.objects.load();
    bytes = other.bytes.load();
    return *this;
  }
  void Add() const {
    objects.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(kBytes, std::memory_order_relaxed);
  }
  template <typename Key, typename F>
  void Put(const Key& key, const F& put) const {
    put(key, objects.load(std::memory_order_relaxed), bytes.load(std::memory_order_relaxed));
  }
  mutable std::atomic<uint64_t> objects{0};
  mutable std::atomic<uint64_t> bytes{0};
};

// What there is to do for any table: copy the key, hash it, add to two counts.
template <typename Key>
class NoTable {
 public:
  static constexpr const char* kName = "copy, hash and two additions";
  static constexpr bool kIterable = false;
  static constexpr Keys kKeys = Keys::kNone;
  void Add(const Key& key) {
    Counts& counts = counts_[HashOf(key) % kCounts];
    counts.Add();
  }
  template <typename Row>
  void Snapshot(Rows<Row>*) {}
  size_t Bytes() { return 0; }

 private:
  static constexpr size_t kCounts = 64;  // 1 KiB a thread: the additions wait for the hash, but for no memory
  static inline thread_local Counts counts_[kCounts];
};

// memprof's template with nodes as its buckets are: own cache lines, counts in the node.
//
// Keys too long for the first line of a node are taken for equal when their 64-bit hashes are, as memprof takes call
// paths (native/heap/call_paths.h), unless `kWholeKeys`.
template <typename Key, bool kWholeKeys>
class MemprofWith {
 public:
  static constexpr bool kIterable = true;
  static constexpr Keys kKeys = Keys::kStay;
  MemprofWith() : arena_(size_t{64} << 20), table_(&arena_) {}
  void Add(const Key& key) { Count(At(key)); }
  template <typename Row>
  void Snapshot(Rows<Row>* rows) {
    rows->Fill([&](auto&& put) {
      table_.ForEach([&](memprof::Ref, Node& node) {
        put(node.key, node.objects.load(std::memory_order_acquire),
            node.bytes.load(std::memory_order_acquire));
      });
    });
  }
  size_t Bytes() { return arena_.Used(); }

 protected:
  struct alignas(64) Node : memprof::InternNode {
    static constexpr size_t kAlignment = 64;
    bool Equals(const Key& other) const { return kByHash || key == other; }
    void Init(const Key& from) { key = from; }

    std::atomic<uint64_t> objects;
    std::atomic<uint64_t> bytes;
    std::atomic<uint64_t> free_objects;  // not counted here, but a bucket's size
    std::atomic<uint64_t> free_bytes;
    Key key;
  };
  // As Bucket::AddAlloc.
  static void Count(Node* node) {
    node->objects.fetch_add(1, std::memory_order_release);
    node->bytes.fetch_add(kBytes, std::memory_order_release);
  }
  Node* At(const Key& key) { return table_.At(table_.FindOrInsert(key, HashOf(key), 0)); }

  static constexpr bool kByHash = !kWholeKeys && sizeof(Key) > 64 - 5 * sizeof(uint64_t);

  memprof::Arena arena_;
  memprof::InternTable<Node, Key> table_;
};

template <typename Key>
class MemprofTable : public MemprofWith<Key, true> {
 public:
  static constexpr const char* kName = "memprof";
};
// The same nodes, walked likewise, but at places that are known without a search; the key is compared there. With two
// writers, or beside a reader, lines go from one processor to the other: so much of the time is no search's.
template <typename Key>
class SharedCounts : public MemprofWith<Key, true> {
 public:
  static constexpr const char* kName = "the same, shared, keys compared";
  static constexpr Keys kKeys = Keys::kNone;
  explicit SharedCounts(size_t keys) { nodes_.reserve(keys); }
  // `number`: which of all keys this is.
  void Add(const Key& key, size_t number) {
    if (number == nodes_.size()) nodes_.push_back(this->At(key));
    auto* node = nodes_[number + (HashOf(key) == 0)];
    if (node->Equals(key)) this->Count(node);
  }
  size_t Bytes() { return 0; }

 private:
  std::vector<typename MemprofWith<Key, true>::Node*> nodes_;
};

template <typename Key>
class MemprofByHash : public MemprofWith<Key, false> {
 public:
  static constexpr const char* kName = "memprof, long keys by hash";
};

template <typename Key>
class MutexTable {
 public:
  static constexpr const char* kName = "std::mutex + std::unordered_map";
  static constexpr bool kIterable = true;
  static constexpr Keys kKeys = Keys::kStay;
  void Add(const Key& key) {
    std::lock_guard lock(mutex_);
    Plain& counts = map_[key];
    counts.objects += 1;
    counts.bytes += kBytes;
  }
  template <typename Row>
  void Snapshot(Rows<Row>* rows) {
    std::lock_guard lock(mutex_);
    rows->Fill([&](auto&& put) {
      for (const auto& [key, counts] : map_) put(key, counts.objects, counts.bytes);
    });
  }
  size_t Bytes() { return 0; }

 private:
  struct Plain {
    uint64_t objects = 0;
    uint64_t bytes = 0;
  };
  std::mutex mutex_;
  std::unordered_map<Key, Plain, Hash<Key>> map_;
};

// With malloc as the others, not tbb's own allocator, which would hide what they take.
#ifdef BENCH_HAS_TBB
template <typename Key>
class TbbHashMap {
 public:
  static constexpr const char* kName = "tbb::concurrent_hash_map";
  static constexpr bool kIterable = false;  // not beside writers
  static constexpr Keys kKeys = Keys::kStay;
  void Add(const Key& key) {
    typename Map::const_accessor found;
    map_.insert(found, key);
    found->second.Add();
  }
  template <typename Row>
  void Snapshot(Rows<Row>* rows) {
    rows->Fill([&](auto&& put) {
      for (const auto& [key, counts] : map_) counts.Put(key, put);
    });
  }
  size_t Bytes() { return 0; }

 private:
  struct Compare {
    size_t hash(const Key& key) const { return HashOf(key); }
    bool equal(const Key& a, const Key& b) const { return a == b; }
  };
  using Map = tbb::concurrent_hash_map<Key, Counts, Compare, std::allocator<std::pair<const Key, Counts>>>;
  Map map_;
};

template <typename Key>
class TbbUnorderedMap {
 public:
  static constexpr const char* kName = "tbb::concurrent_unordered_map";
  static constexpr bool kIterable = true;
  static constexpr Keys kKeys = Keys::kStay;
  void Add(const Key& key) {
    auto found = map_.find(key);
    if (found == map_.end()) found = map_.emplace(key, Counts()).first;
    found->second.Add();
  }
  template <typename Row>
  void Snapshot(Rows<Row>* rows) {
    rows->Fill([&](auto&& put) {
      for (const auto& [key, counts] : map_) counts.Put(key, put);
    });
  }
  size_t Bytes() { return 0; }

 private:
  using Allocator = std::allocator<std::pair<const Key, Counts>>;
  tbb::concurrent_unordered_map<Key, Counts, Hash<Key>, std::equal_to<Key>, Allocator> map_;
};
#endif

#ifdef BENCH_HAS_BOOST
template <typename Key>
class BoostFlatMap {
 public:
  static constexpr const char* kName = "boost::concurrent_flat_map";
  static constexpr bool kIterable = true;
  static constexpr Keys kKeys = Keys::kMove;  // they move when the table grows
  void Add(const Key& key) {
    auto add = [](const auto& entry) { entry.second.Add(); };
    if (map_.cvisit(key, add) == 0) {
      map_.emplace(key, Counts());
      map_.cvisit(key, add);
    }
  }
  template <typename Row>
  void Snapshot(Rows<Row>* rows) {
    rows->Fill(
        [&](auto&& put) { map_.cvisit_all([&](const auto& entry) { entry.second.Put(entry.first, put); }); });
  }
  size_t Bytes() { return 0; }

 private:
  boost::concurrent_flat_map<Key, Counts, Hash<Key>> map_;
};
#endif

}  // namespace bench

#endif  // MEMPROF_BENCH_TABLE_TABLES_H_
