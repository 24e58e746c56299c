// Gives back memory that was needed once and no longer is.

#ifndef MEMPROF_NATIVE_BASE_SHRINK_H_
#define MEMPROF_NATIVE_BASE_SHRINK_H_

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace memprof {

// Leaves some room for the next time, and shrinks only where that saves much: memory that is needed every
// time must not be allocated every time.
template <typename T>
void ShrinkToUse(std::vector<T>* vector, size_t used) {
  constexpr size_t kLittle = 4096;  // bytes that are not worth it
  constexpr size_t kTooRoomy = 8;   // times what is used
  constexpr size_t kRoomy = 2;      // times what is used, for the next time
  if (vector->capacity() * sizeof(T) <= kLittle || vector->capacity() / kTooRoomy < used) return;
  std::vector<T> smaller;
  smaller.reserve(std::max(vector->size(), used * kRoomy));
  std::move(vector->begin(), vector->end(), std::back_inserter(smaller));
  vector->swap(smaller);
}

template <typename T>
void ShrinkToUse(std::vector<T>* vector) {
  ShrinkToUse(vector, vector->size());
}

// Empties the vector for its next use, which is expected to need about as much.
template <typename T>
void ClearForNext(std::vector<T>* vector) {
  size_t used = vector->size();
  vector->clear();
  ShrinkToUse(vector, used);
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_SHRINK_H_
