#include "base/arena.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

#include <algorithm>

namespace memprof {

namespace {

constexpr size_t kCommitStep = 64 * 1024;
// To make memory usable interrupts all the threads of the process, so it is done in steps that grow with the
// arena. Memory that is usable costs nothing before it is used.
constexpr size_t kLongestStep = 1024 * 1024;
size_t CommitStep(size_t committed) {
  return std::clamp(committed / 8 & ~(kCommitStep - 1), kCommitStep, kLongestStep);
}
// Never handed out, so that a Ref of 0 can mean nowhere.
constexpr size_t kNowhereBytes = 64;

#ifdef _WIN32
char* Reserve(size_t bytes) {
  return static_cast<char*>(VirtualAlloc(nullptr, bytes, MEM_RESERVE, PAGE_NOACCESS));
}
bool MakeUsable(char* at, size_t bytes) {
  return VirtualAlloc(at, bytes, MEM_COMMIT, PAGE_READWRITE) != nullptr;
}
void Release(char* at, size_t) { VirtualFree(at, 0, MEM_RELEASE); }
#else
char* Reserve(size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}
bool MakeUsable(char* at, size_t bytes) { return mprotect(at, bytes, PROT_READ | PROT_WRITE) == 0; }
void Release(char* at, size_t bytes) { munmap(at, bytes); }
#endif

}  // namespace

Arena::Arena(size_t limit)
    : base_(Reserve(kMaxLimit)), limit_(std::min(limit, kMaxLimit)), used_(kNowhereBytes), committed_(0) {}

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

}  // namespace memprof
