// Makes V8 handles from words, and reads the words of handles. A handle is the address of a word that holds
// the pointer to the object. When V8 moves the object, it updates the word.
//
// Thread safety: none; handles belong to the isolate's thread.

#ifndef MEMPROF_NATIVE_HEAP_RAW_HANDLES_H_
#define MEMPROF_NATIVE_HEAP_RAW_HANDLES_H_

#include <v8.h>

#include <cstdint>
#include <cstring>

namespace memprof {

// The handle is valid as long as V8 knows of the word and keeps it up to date. Otherwise it is valid until
// the next GC.
template <typename T>
v8::Local<T> LocalAt(const uintptr_t* word) {
  v8::Local<T> local;
  static_assert(sizeof(local) == sizeof(word));
  memcpy(static_cast<void*>(&local), &word, sizeof(word));
  return local;
}

// The word that the handle points to; 0 for an empty handle.
template <typename T>
uintptr_t WordAt(v8::Local<T> local) {
  const uintptr_t* word;
  static_assert(sizeof(local) == sizeof(word));
  memcpy(&word, static_cast<const void*>(&local), sizeof(word));
  return word == nullptr ? 0 : *word;
}

// The same for a global handle; 0 also when the handle is weak and the object died.
template <typename T>
uintptr_t WordIn(const v8::Global<T>& global) {
  const uintptr_t* word;
  static_assert(sizeof(global) == sizeof(word));
  memcpy(&word, static_cast<const void*>(&global), sizeof(word));
  return word == nullptr ? 0 : *word;
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_RAW_HANDLES_H_
