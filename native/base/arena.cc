#include "base/arena.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cerrno>

namespace memprof {

namespace {

constexpr size_t kCommitStep = 64 * 1024;
// To make memory usable interrupts all the threads of the process, so it is done in steps that grow with the
// arena. Memory that is usable costs nothing before it is used.
constexpr size_t kLongestStep = 1024 * 1024;
size_t CommitStep(size_t committed) {
  return std::clamp(committed / 8 & ~(kCommitStep - 1), kCommitStep, kLongestStep);
}
// Pages come so many at a time, since each that is missing when it is written interrupts the thread. That takes some
// 10 us, and at most so much memory is not used yet.
constexpr size_t kTouchStep = 64 * 1024;
// Never handed out, so that a Ref of 0 can mean nowhere.
constexpr size_t kNowhereBytes = 64;

#ifdef _WIN32
char* Reserve(size_t bytes) {
  return static_cast<char*>(VirtualAlloc(nullptr, bytes, MEM_RESERVE, PAGE_NOACCESS));
}
bool MakeUsable(char* at, size_t bytes) {
  return VirtualAlloc(at, bytes, MEM_COMMIT, PAGE_READWRITE) != nullptr;
}
void Touch(char*, size_t) {}
void Release(char* at, size_t) { VirtualFree(at, 0, MEM_RELEASE); }
#else
char* Reserve(size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}
bool MakeUsable(char* at, size_t bytes) { return mprotect(at, bytes, PROT_READ | PROT_WRITE) == 0; }
// Where the system knows it (Linux 5.14). Otherwise each page comes when it is written for the first time.
void Touch([[maybe_unused]] char* at, [[maybe_unused]] size_t bytes) {
#ifdef __linux__
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, which older headers do not have
  int before = errno;
  madvise(at, bytes, kPopulateWrite);
  errno = before;
#endif
}
void Release(char* at, size_t bytes) { munmap(at, bytes); }
#endif

}  // namespace

Arena::Arena(size_t limit)
    : base_(Reserve(kMaxLimit)),
      limit_(std::min(limit, kMaxLimit)),
      used_(kNowhereBytes),
      committed_(0),
      touched_(0) {}

Arena::~Arena() {
  if (base_ != nullptr) Release(base_, kMaxLimit);
}

void Arena::SetLimit(size_t limit) { limit_.store(std::min(limit, kMaxLimit), std::memory_order_relaxed); }

Ref Arena::Allocate(size_t bytes, size_t alignment, size_t keep_free) {
  if (bytes > kMaxLimit) return 0;
  bytes = (bytes + kRefUnit - 1) & ~(kRefUnit - 1);
  size_t start;
  size_t end;
  size_t used = used_.load(std::memory_order_relaxed);
  do {
    start = (used + alignment - 1) & ~(alignment - 1);
    size_t limit = this->limit();
    if (start > limit || keep_free > limit - start || bytes > limit - start - keep_free) return 0;
    end = start + bytes;
    // Acquire: the memory may be what another thread cleared and gave back.
  } while (!used_.compare_exchange_weak(used, end, std::memory_order_acquire, std::memory_order_relaxed));
  // A failed commit wastes the range. That is rare (the system is out of memory), and the range cannot be
  // handed out again: others may already have been given what lies above it.
  if (!Commit(end)) return 0;
  TouchUpTo(end);
  return static_cast<Ref>(start / kRefUnit);
}

void Arena::GiveBack(Ref ref, size_t bytes) {
  size_t start = size_t{ref} * kRefUnit;
  size_t end = start + ((bytes + kRefUnit - 1) & ~(kRefUnit - 1));
  used_.compare_exchange_strong(end, start, std::memory_order_release, std::memory_order_relaxed);
}

bool Arena::Commit(size_t end) {
  size_t committed = committed_.load(std::memory_order_acquire);
  while (committed < end) {
    size_t target = std::max(end, std::min(committed + CommitStep(committed), limit()));
    target = std::min(kMaxLimit, (target + kCommitStep - 1) & ~(kCommitStep - 1));
    // Two threads may make the same pages usable. That is harmless, and the mark only ever rises.
    if (!MakeUsable(base_ + committed, target - committed)) return false;
    if (committed_.compare_exchange_weak(committed, target, std::memory_order_acq_rel)) return true;
  }
  return true;
}

// What is longer than a step, such as an index, is left to be touched as it is used.
void Arena::TouchUpTo(size_t end) {
  size_t touched = touched_.load(std::memory_order_relaxed);
  if (end <= touched) return;
  size_t target = (end + kTouchStep - 1) & ~(kTouchStep - 1);
  if (!touched_.compare_exchange_strong(touched, target, std::memory_order_relaxed)) return;
  size_t from = std::max(touched, target - kTouchStep);
  Touch(base_ + from, target - from);
}

}  // namespace memprof
