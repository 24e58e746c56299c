// The hash functions of the tables. They must never change: the addresses of frames in profiles are made from
// them.

#ifndef MEMPROF_NATIVE_BASE_HASH_H_
#define MEMPROF_NATIVE_BASE_HASH_H_

#include <cstdint>
#include <cstring>
#include <string_view>

namespace memprof {

inline constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15u;  // 2^64 divided by it
inline constexpr uint64_t kByteMultiplier = 0x9fb21c651e98df25u;

// Finaliser of splitmix64 (public domain, Sebastiano Vigna).
inline uint64_t Mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  x ^= x >> 31;
  return x;
}

inline uint64_t Combine(uint64_t seed, uint64_t value) { return Mix(seed * kGoldenRatio + value + 1); }

// Reads the bytes as words of the machine: all that we build for are little-endian, so the result is the same
// on each.
inline uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size();
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash = (hash ^ word) * kByteMultiplier;
    hash ^= hash >> 35;
  }
  uint64_t tail = 0;
  if (left != 0) memcpy(&tail, at, left);  // an empty view may have no data at all
  return Combine(hash, tail);
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_HASH_H_
