// A value written by one thread and read by any: readers retry, the writer never waits.

#ifndef MEMPROF_NATIVE_BASE_SEQ_LOCK_H_
#define MEMPROF_NATIVE_BASE_SEQ_LOCK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace memprof {

// Thread safety: `Store` by one thread at a time, `Load` by any.
// The copy goes through atomic words, so that it is no data race in the sense of the language either. A
// reader that has acquired a word of a later `Store` then sees that one's odd sequence number, or a later
// number, and tries again.
template <typename T>
class SeqLock {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);

 public:
  void Store(const T& value) {
    uint64_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    const char* from = reinterpret_cast<const char*>(&value);
    for (size_t i = 0; i < kWords; ++i) {
      uint64_t word;
      memcpy(&word, from + i * 8, 8);
      words_[i].store(word, std::memory_order_release);
    }
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  T Load() const {
    uint64_t copy[kWords];
    for (;;) {
      uint64_t before = sequence_.load(std::memory_order_acquire);
      for (size_t i = 0; i < kWords; ++i) copy[i] = words_[i].load(std::memory_order_acquire);
      if (before % 2 == 0 && sequence_.load(std::memory_order_relaxed) == before) break;
    }
    T value;
    memcpy(static_cast<void*>(&value), copy, sizeof(T));
    return value;
  }

 private:
  static constexpr size_t kWords = sizeof(T) / 8;
  std::atomic<uint64_t> sequence_{0};
  std::atomic<uint64_t> words_[kWords] = {};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_SEQ_LOCK_H_
