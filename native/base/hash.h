// Hashing for the tables: fixed for ever, since frame addresses in profiles are made from it.

#ifndef MEMPROF_NATIVE_HASH_H_
#define MEMPROF_NATIVE_HASH_H_

#include <cstdint>
#include <cstring>
#include <string_view>

namespace memprof {

// Finaliser of splitmix64 (public domain, Sebastiano Vigna).
inline uint64_t Mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  x ^= x >> 31;
  return x;
}

inline uint64_t Combine(uint64_t seed, uint64_t value) { return Mix(seed * 0x9e3779b97f4a7c15u + value + 1); }

// Bytes are taken as little-endian words, so that the result is the same on every machine we build for.
inline uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size();
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    hash ^= hash >> 35;
  }
  uint64_t tail = 0;
  if (left != 0) memcpy(&tail, at, left);  // an empty view may have no data at all
  return Combine(hash, tail);
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HASH_H_
