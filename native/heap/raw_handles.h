// Handles of V8 from the words they consist of, and back: a handle is the address of a word that holds the
// pointer to the object, and V8 moves the object and changes the word.
//
// Thread safety: of the isolate's thread.

#ifndef MEMPROF_NATIVE_HEAP_RAW_HANDLES_H_
#define MEMPROF_NATIVE_HEAP_RAW_HANDLES_H_

#include <v8.h>

#include <cstdint>
#include <cstring>

namespace memprof {

// Valid as long as V8 knows of the word and keeps it right, or does not collect garbage.
template <typename T>
v8::Local<T> LocalAt(const uintptr_t* word) {
  v8::Local<T> local;
  static_assert(sizeof(local) == sizeof(word));
  memcpy(static_cast<void*>(&local), &word, sizeof(word));
  return local;
}

template <typename T>
uintptr_t WordAt(v8::Local<T> local) {
  const uintptr_t* word;
  static_assert(sizeof(local) == sizeof(word));
  memcpy(&word, static_cast<const void*>(&local), sizeof(word));
  return word == nullptr ? 0 : *word;
}

// What the handle's word holds; 0 when the object died.
template <typename T>
uintptr_t WordIn(const v8::Global<T>& global) {
  const uintptr_t* word;
  static_assert(sizeof(global) == sizeof(word));
  memcpy(&word, static_cast<const void*>(&global), sizeof(word));
  return word == nullptr ? 0 : *word;
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_RAW_HANDLES_H_
