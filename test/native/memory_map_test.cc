#include "gc/memory_map.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "check.h"
#include "gc/malloc_state.h"

namespace memprof {
namespace {

// Words at some addresses; all pages of `resident` are resident.
class Memory final : public MappedMemory {
 public:
  bool Read(uint64_t address, void* to, size_t bytes) const override {
    for (size_t at = 0; at < bytes; at += 8) {
      auto found = words.find(address + at);
      uint64_t word = found == words.end() ? 0x1111 : found->second;
      memcpy(static_cast<char*>(to) + at, &word, 8);
    }
    ++reads;
    return address < kNotReadable;
  }
  uint64_t ResidentIn(uint64_t begin, uint64_t end) const override { return (end - begin) / 2; }

  void PutChunk(uint64_t at, uint64_t bytes) {
    words[at] = 0;
    words[at + 8] = bytes | 2;
  }
  void PutArena(uint64_t at, uint64_t bytes) {
    words[at] = 0x7000'0000'0000;
    words[at + 8] = 0;
    words[at + 16] = bytes;
    words[at + 24] = bytes;
  }

  static constexpr uint64_t kNotReadable = 0x7fff'0000'0000;
  std::map<uint64_t, uint64_t> words;
  mutable size_t reads = 0;
};

struct Smaps {
  // `rss` in kB.
  void Add(uint64_t begin, uint64_t end, const char* permissions, const char* path, uint64_t rss) {
    char line[200];
    snprintf(line, sizeof(line), "%lx-%lx %s 00000000 00:00 0 %s%s\nSize: 1 kB\nRss: %12lu kB\nVmFlags: rd\n",
             begin, end, permissions, path[0] == '\0' ? "" : "     ", path, rss);
    // As the system writes it: no space at the end where there is no path.
    text += line;
  }
  std::string text;
};

constexpr uint64_t kKb = 1024;
constexpr uint64_t kMb = 1024 * kKb;

TEST(MemoryMapTellsWholeMappingsApart) {
  Memory memory;
  Smaps smaps;
  smaps.Add(0x400000, 0x600000, "r-xp", "/usr/bin/node", 100);
  smaps.Add(0x600000, 0x6f1000, "rw-p", "/usr/bin/node", 10);
  smaps.Add(0x6f1000, 0x6f3000, "rw-p", "", 4);  // its zeroed data
  smaps.Add(0x2000000, 0x3000000, "rw-p", "[heap]", 200);
  smaps.Add(0x10'0000'0000, 0x10'0004'0000, "rw-p", "", 256);  // a page of V8's heap
  smaps.Add(0x20'0000'0000, 0x20'0004'0000, "rwxp", "", 30);
  smaps.Add(0x30'0000'0000, 0x30'0010'0000, "rw-p", "", 64);  // WebAssembly.Memory
  smaps.Add(0x30'0010'0000, 0x32'0000'0000, "---p", "", 0);
  smaps.Add(0x40'0000'0000, 0x40'0000'1000, "---p", "", 0);
  smaps.Add(0x40'0000'1000, 0x40'0080'1000, "rw-p", "", 40);  // a stack
  smaps.Add(0x50'0000'0000, 0x50'0001'0000, "rw-s", "/memfd:x (deleted)", 8);
  smaps.Add(0x50'0002'1000, 0x50'0003'0000, "rw-s", "anon_inode:[io_uring]", 4);
  smaps.Add(0x60'0000'1000, 0x60'0000'3000, "rw-p", "", 8);  // who knows
  smaps.Add(0x7fff'1000'0000, 0x7fff'1010'0000, "rw-p", "[stack]", 50);
  MemoryMap map = ClassifyMappings(smaps.text, memory);
  CHECK_EQ(map.files, 114 * kKb);
  CHECK_EQ(map.brk, 200 * kKb);
  CHECK_EQ(map.heap, 256 * kKb);
  CHECK_EQ(map.code, 30 * kKb);
  CHECK_EQ(map.reserved, 64 * kKb);
  CHECK_EQ(map.stacks, 90 * kKb);
  CHECK_EQ(map.stack_count, 2);
  CHECK_EQ(map.shared, 12 * kKb);
  CHECK_EQ(map.other, 8 * kKb);
  CHECK_EQ(map.mappings, 14);
  CHECK_EQ(map.sum(), map.rss);
}

// The system joins what malloc maps for single chunks, and what else lies beside them.
TEST(MemoryMapSplitsWhatTheSystemJoined) {
  Memory memory;
  Smaps smaps;
  constexpr uint64_t kBegin = 0x7000'0000'0000 - 8 * kMb;  // aligned as V8's pages are
  memory.PutChunk(kBegin, 3 * kMb);
  memory.PutChunk(kBegin + 3 * kMb, kMb);
  smaps.Add(kBegin, kBegin + 6 * kMb, "rw-p", "", 4 * 1024);
  MemoryMap map = ClassifyMappings(smaps.text, memory);
  CHECK_EQ(map.chunks, 2 * kMb);  // half of them is resident
  CHECK_EQ(map.other, 2 * kMb);   // and the rest is in what follows
  CHECK_EQ(map.heap, 0);
  CHECK_EQ(map.sum(), map.rss);
}

TEST(MemoryMapFindsChunksBeforeAReservation) {
  Memory memory;
  Smaps smaps;
  constexpr uint64_t kBegin = 0x7000'0000'0000 - 8 * kMb + 4 * kKb;
  memory.PutChunk(kBegin, 3 * kMb);
  memory.PutChunk(kBegin + 3 * kMb, kMb);
  smaps.Add(kBegin, kBegin + 6 * kMb, "rw-p", "", 4 * 1024);
  smaps.Add(kBegin + 6 * kMb, kBegin + 100 * kMb, "---p", "", 0);
  MemoryMap map = ClassifyMappings(smaps.text, memory);
  CHECK_EQ(map.chunks, 2 * kMb);
  CHECK_EQ(map.reserved, 2 * kMb);
  CHECK_EQ(map.sum(), map.rss);
}

TEST(MemoryMapEndsAHeapWhereAChunkBegins) {
  Memory memory;
  Smaps smaps;
  constexpr uint64_t kBegin = 0x10'0000'0000;
  memory.PutChunk(kBegin + 512 * kKb, kMb + 4 * kKb);
  smaps.Add(kBegin, kBegin + 1540 * kKb, "rw-p", "", 1000);
  MemoryMap map = ClassifyMappings(smaps.text, memory);
  CHECK_EQ(map.heap, 256 * kKb);  // half of two pages is resident
  CHECK_EQ(map.chunks, 744 * kKb);
  CHECK_EQ(map.sum(), map.rss);
}

TEST(MemoryMapKnowsArenasOfMalloc) {
  Memory memory;
  Smaps smaps;
  constexpr uint64_t kArena = 0x7000'0000'0000;
  memory.PutArena(kArena, 2 * kMb);
  smaps.Add(kArena, kArena + 2 * kMb, "rw-p", "", 1000);
  smaps.Add(kArena + 2 * kMb, kArena + 64 * kMb, "---p", "", 0);
  // A full one, and another behind it.
  memory.PutArena(kArena + 64 * kMb, 64 * kMb);
  memory.PutArena(kArena + 128 * kMb, 64 * kMb);
  smaps.Add(kArena + 64 * kMb, kArena + 192 * kMb, "rw-p", "", 2000);
  MemoryMap map = ClassifyMappings(smaps.text, memory);
  CHECK_EQ(map.arenas, 3000 * kKb);
  CHECK_EQ(map.sum(), map.rss);
}

TEST(MemoryMapDoesNotLookThroughTerabytes) {
  Memory memory;
  Smaps smaps;
  constexpr uint64_t kBegin = 0x1000'0000'0000;
  smaps.Add(kBegin, kBegin + (uint64_t{16} << 40), "rw-p", "", 5 * 1024);
  MemoryMap map = ClassifyMappings(smaps.text, memory);
  CHECK_EQ(map.other, 5 * kMb);
  CHECK_EQ(map.sum(), map.rss);
  CHECK(memory.reads < 10);
}

TEST(MemoryMapOfNonsenseIsEmptyOrAddsUp) {
  Memory memory;
  for (const char* text :
       {"", "\n\n", "zzz", "Rss: 5 kB\n", "1-2\nRss: 4 kB\n", "10-5 rw-p 0 0 0\nRss: 8 kB\n",
        "0-ffffffffffffffff rw-p 0 0 0\nRss: 99999999999999999999 kB\n"}) {
    MemoryMap map = ClassifyMappings(text, memory);
    CHECK_EQ(map.sum(), map.rss);
  }
}

#ifdef __linux__
TEST(MemoryMapOfThisProcessAddsUp) {
  MemoryMap map;
  CHECK(ReadMemoryMap(0, &map).empty());
  CHECK(map.rss > kMb);
  CHECK(map.files > 0);
  CHECK(map.stack_count >= 1);
  CHECK_EQ(map.sum(), map.rss);
  CHECK(!ReadMemoryMap(999'999'999, &map).empty());
}

uint64_t BytesOfPageTables() {
  FILE* file = fopen("/proc/self/status", "re");
  uint64_t kb = 0;
  char line[200];
  while (file != nullptr && fgets(line, sizeof(line), file) != nullptr) {
    if (sscanf(line, "VmPTE: %lu kB", &kb) == 1) break;
  }
  if (file != nullptr) fclose(file);
  return kb * kKb;
}

// A process that was looked at must not need memory for it: this one mapped 8 GiB and used one page.
TEST(MemoryMapLeavesUnusedMemoryAlone) {
  constexpr uint64_t kBytes = uint64_t{8} << 30;
  void* mapped =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(mapped != MAP_FAILED);
  // Where the heap's pages are looked for.
  constexpr uint64_t kHeapPage = 256 * 1024;
  uint64_t begin = (reinterpret_cast<uint64_t>(mapped) + kHeapPage - 1) / kHeapPage * kHeapPage;
  munmap(mapped, begin - reinterpret_cast<uint64_t>(mapped));
  *reinterpret_cast<volatile char*>(begin) = 1;
  uint64_t before = BytesOfPageTables();
  CHECK(before > 0);
  MemoryMap map;
  CHECK(ReadMemoryMap(0, &map).empty());
  CHECK_EQ(map.sum(), map.rss);
  CHECK(BytesOfPageTables() < before + kMb);
}
#endif

TEST(MallocStateIsReadFromGlibcsText) {
  MallocState state = ParseMallocInfo(
      "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n<size from=\"33\" to=\"48\" total=\"48\" "
      "count=\"1\"/>\n"
      "</sizes>\n<total type=\"fast\" count=\"1\" size=\"48\"/>\n<total type=\"rest\" count=\"3\" "
      "size=\"1000\"/>\n"
      "<system type=\"current\" size=\"135168\"/>\n<system type=\"max\" size=\"999999\"/>\n</heap>\n"
      "<heap nr=\"1\">\n<total type=\"fast\" count=\"0\" size=\"0\"/>\n<total type=\"rest\" count=\"1\" "
      "size=\"20\"/>\n"
      "<system type=\"current\" size=\"4096\"/>\n</heap>\n<total type=\"fast\" count=\"1\" size=\"48\"/>\n"
      "<total type=\"rest\" count=\"4\" size=\"1020\"/>\n<total type=\"mmap\" count=\"2\" size=\"8192\"/>\n"
      "<system type=\"current\" size=\"139264\"/>\n</malloc>\n");
  CHECK(state.problem == nullptr);
  CHECK_EQ(state.arenas.size(), 2);
  CHECK_EQ(state.arenas[0].system, 135168);
  CHECK_EQ(state.arenas[0].free, 1048);
  CHECK_EQ(state.arenas[1].system, 4096);
  CHECK_EQ(state.arenas[1].free, 20);
  CHECK_EQ(state.mapped, 8192);
  CHECK(ParseMallocInfo("").problem != nullptr);
  CHECK(ParseMallocInfo("<heap nr=\"0\"").problem != nullptr);
}

}  // namespace
}  // namespace memprof
