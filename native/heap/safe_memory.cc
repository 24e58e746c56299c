#include "heap/safe_memory.h"

#include <cstdint>

#ifdef __linux__
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace memprof {

#ifdef __linux__

bool ReadMemoryByPipe(const void* from, void* to, size_t bytes) {
  if (bytes > kMostReadable) return false;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  // An empty pipe takes this many bytes in one write, all of them or none.
  bool done = write(ends[1], from, bytes) == static_cast<ssize_t>(bytes) &&
              read(ends[0], to, bytes) == static_cast<ssize_t>(bytes);
  close(ends[0]);
  close(ends[1]);
  return done;
}

bool ReadMemory(const void* from, void* to, size_t bytes) {
  if (bytes > kMostReadable) return false;
  int before = errno;
  iovec local{to, bytes};
  iovec remote{const_cast<void*>(from), bytes};
  // A direct system call, because some C libraries have no function for it.
  long got = syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0);
  bool done = got == static_cast<long>(bytes);
  if (!done && got == -1 && errno != EFAULT) done = ReadMemoryByPipe(from, to, bytes);
  errno = before;
  return done;
}

#else

bool ReadMemoryByPipe(const void*, void*, size_t) { return false; }
bool ReadMemory(const void*, void*, size_t) { return false; }

#endif

}  // namespace memprof
