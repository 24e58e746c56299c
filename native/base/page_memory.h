// Memory straight from the system, for moments when the allocator may have none left.
//
// Thread safety: none.

#ifndef MEMPROF_NATIVE_BASE_PAGE_MEMORY_H_
#define MEMPROF_NATIVE_BASE_PAGE_MEMORY_H_

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

#include <cstddef>

namespace memprof {

class PageMemory {
 public:
  explicit PageMemory(size_t bytes) : bytes_(bytes) {
#ifdef _WIN32
    at_ = VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
#else
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at_ = at == MAP_FAILED ? nullptr : at;
#endif
  }
  PageMemory(const PageMemory&) = delete;
  PageMemory& operator=(const PageMemory&) = delete;
  ~PageMemory() {
    if (at_ == nullptr) return;
#ifdef _WIN32
    VirtualFree(at_, 0, MEM_RELEASE);
#else
    munmap(at_, bytes_);
#endif
  }

  bool ok() const { return at_ != nullptr; }
  void* at() const { return at_; }
  size_t bytes() const { return bytes_; }

 private:
  void* at_;
  const size_t bytes_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_PAGE_MEMORY_H_
