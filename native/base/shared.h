// A reference-counted pointer to a value that is made with it. std::shared_ptr would need a symbol that older
// C libraries lack.
//
// Thread safety: that of std::shared_ptr: the count is atomic, and the value is not guarded.

#ifndef MEMPROF_NATIVE_BASE_SHARED_H_
#define MEMPROF_NATIVE_BASE_SHARED_H_

#include <atomic>
#include <cstddef>
#include <utility>

namespace memprof {

template <typename T>
class Shared {
 public:
  template <typename... Arguments>
  static Shared Make(Arguments&&... arguments) {
    return Shared(new Box{1, T(std::forward<Arguments>(arguments)...)});
  }
  Shared(const Shared& other) : box_(other.box_) { box_->count.fetch_add(1, std::memory_order_relaxed); }
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    if (box_->count.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box_;
  }

  // Constness is that of the pointer, not of the value.
  T* operator->() const { return &box_->value; }
  T& operator*() const { return box_->value; }

 private:
  struct Box {
    std::atomic<size_t> count;
    T value;
  };

  explicit Shared(Box* box) : box_(box) {}

  Box* box_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_SHARED_H_
