// Gives back memory that was needed once and is not any more.

#ifndef MEMPROF_NATIVE_BASE_SHRINK_H_
#define MEMPROF_NATIVE_BASE_SHRINK_H_

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace memprof {

// Leaves some room for the next time, and is done only where much is saved: what is needed each time must not
// be asked for each time.
template <typename T>
void ShrinkToUse(std::vector<T>* vector, size_t used) {
  constexpr size_t kLittle = 4096;  // bytes
  if (vector->capacity() * sizeof(T) <= kLittle || vector->capacity() / 8 < used) return;
  std::vector<T> smaller;
  smaller.reserve(std::max(vector->size(), used * 2));
  std::move(vector->begin(), vector->end(), std::back_inserter(smaller));
  vector->swap(smaller);
}

template <typename T>
void ShrinkToUse(std::vector<T>* vector) {
  ShrinkToUse(vector, vector->size());
}

// Empties it for the next time, which is expected to need about as much.
template <typename T>
void ClearForNext(std::vector<T>* vector) {
  size_t used = vector->size();
  vector->clear();
  ShrinkToUse(vector, used);
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_SHRINK_H_
