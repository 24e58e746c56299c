// What the resident memory of a process is, by the addresses it lies at: what the system says of each mapping
// (`/proc/PID/smaps`), and what begins there. Linux only.
//
// Thread safety: may be called from any thread, and takes no lock of this process. The system holds the
// process's memory map meanwhile, for some 10 to 150 ms.
//
// Nothing here rests on V8's layout: a page of its heap is known by the alignment that V8 asks for, and by not
// being anything else. The chunks and arenas of glibc are known by their headers, whose form has been the same
// for twenty years.

#ifndef MEMPROF_NATIVE_GC_MEMORY_MAP_H_
#define MEMPROF_NATIVE_GC_MEMORY_MAP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace memprof {

// Resident bytes; the parts add up to `rss`.
struct MemoryMap {
  uint64_t rss = 0;
  uint64_t heap = 0;      // pages of V8's heaps
  uint64_t code = 0;      // what V8 compiled
  uint64_t stacks = 0;    // of threads
  uint64_t reserved = 0;  // the used part of a larger reservation: WebAssembly.Memory, resizable ArrayBuffers
  uint64_t brk = 0;       // malloc's main arena
  uint64_t arenas = 0;    // malloc's other arenas
  uint64_t chunks = 0;    // what malloc mapped for one large chunk each
  uint64_t files = 0;     // of files, with the data of programs and libraries
  uint64_t shared = 0;    // shared memory without a file on a disk
  uint64_t other = 0;
  uint64_t mappings = 0;
  uint64_t stack_count = 0;

  uint64_t sum() const {
    return heap + code + stacks + reserved + brk + arenas + chunks + files + shared + other;
  }
};

// The memory that mappings are looked into. Declared for tests.
class MappedMemory {
 public:
  virtual bool Read(uint64_t address, void* to, size_t bytes) const = 0;
  virtual uint64_t ResidentIn(uint64_t begin, uint64_t end) const = 0;

 protected:
  ~MappedMemory() = default;
};
MemoryMap ClassifyMappings(std::string_view smaps, const MappedMemory& memory);

// Why it cannot be read, or an empty text. `pid` is 0 for this process.
std::string ReadMemoryMap(int pid, MemoryMap* map);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_GC_MEMORY_MAP_H_
