// What snapshots of the tables are written to: memory for a known number of rows, which all tables fill in the same way.

#ifndef MEMPROF_BENCH_TABLE_ROWS_H_
#define MEMPROF_BENCH_TABLE_ROWS_H_

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace bench {

// What a snapshot takes of a key.
template <typename Key>
struct CopiedRow {
  CopiedRow(const Key& from, uint64_t objects_now, uint64_t bytes_now)
      : key(from), objects(objects_now), bytes(bytes_now) {}
  Key key;
  uint64_t objects;
  uint64_t bytes;
};
template <typename Key>
struct PlacedRow {
  PlacedRow(const Key& from, uint64_t objects_now, uint64_t bytes_now)
      : key(&from), objects(objects_now), bytes(bytes_now) {}
  const Key* key;
  uint64_t objects;
  uint64_t bytes;
};

template <typename Key>
void WritePastCaches(CopiedRow<Key>* to, const Key& key, uint64_t objects, uint64_t bytes) {
#ifdef __SSE2__
  if constexpr (sizeof(Key) % sizeof(__m128i) == 0) {
    constexpr size_t kPieces = sizeof(Key) / sizeof(__m128i);
    __m128i* at = reinterpret_cast<__m128i*>(to);
    const __m128i* from = reinterpret_cast<const __m128i*>(&key);
#pragma GCC unroll 16
    for (size_t i = 0; i < kPieces; ++i) _mm_stream_si128(at + i, _mm_loadu_si128(from + i));
    _mm_stream_si128(at + kPieces,
                     _mm_set_epi64x(static_cast<int64_t>(bytes), static_cast<int64_t>(objects)));
    return;
  }
#endif
  new (to) CopiedRow<Key>(key, objects, bytes);
}
template <typename Key>
void WritePastCaches(PlacedRow<Key>* to, const Key& key, uint64_t objects, uint64_t bytes) {
  new (to) PlacedRow<Key>(key, objects, bytes);
}

template <typename Row>
class Rows {
 public:
  explicit Rows(size_t most) : bytes_(most * sizeof(Row)), most_(most) {
    void* at = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) abort();
    rows_ = static_cast<Row*>(at);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { munmap(rows_, bytes_); }

  // Whether rows are written past the caches, where the processor can. Then the memory under them need not be read
  // first, but every atomic operation in between has to wait for it.
  void SetPastCaches(bool past) { past_caches_ = past; }

  // Calls `each(put)`, which calls `put(key, objects, bytes)` for each row.
  template <typename Each>
  void Fill(Each&& each) {
    Row* next = rows_;
    Row* const end = rows_ + most_;
    if (!past_caches_) {
      each([&](const auto& key, uint64_t objects, uint64_t bytes) {
        if (next == end) abort();
        new (next++) Row(key, objects, bytes);
      });
      return;
    }
    each([&](const auto& key, uint64_t objects, uint64_t bytes) {
      if (next == end) abort();
      WritePastCaches(next++, key, objects, bytes);
    });
#ifdef __SSE2__
    _mm_sfence();
#endif
  }

  // Gives the memory back to the system: what is written next comes with new pages.
  void Forget() { madvise(rows_, bytes_, MADV_DONTNEED); }

 private:
  const size_t bytes_;
  const size_t most_;
  Row* rows_;
  bool past_caches_ = false;
};

}  // namespace bench

#endif  // MEMPROF_BENCH_TABLE_ROWS_H_
