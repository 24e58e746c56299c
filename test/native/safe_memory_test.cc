#include "heap/safe_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "check.h"

namespace memprof {

namespace {

using Read = bool (*)(const void*, void*, size_t);

void CheckReads(Read read) {
  char text[] = "readable";
  char copy[sizeof(text)] = "";
  CHECK(read(text, copy, sizeof(text)));
  CHECK_EQ(std::string(copy), "readable");

  size_t page = sysconf(_SC_PAGESIZE);
  char* pages =
      static_cast<char*>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(pages != MAP_FAILED);
  memset(pages, 'x', 2 * page);
  REQUIRE(munmap(pages + page, page) == 0);
  CHECK(read(pages + page - 8, copy, 8));
  CHECK(copy[7] == 'x');
  CHECK(!read(pages + page - 4, copy, 8));  // the second half is not mapped
  CHECK(!read(pages + page, copy, 8));
  CHECK(!read(nullptr, copy, 8));
  CHECK(!read(reinterpret_cast<const void*>(0xdeadbeefcafebabe), copy, 8));
  CHECK(!read(pages, copy, kMostReadable + 1));
  munmap(pages, page);
}

}  // namespace

TEST(SafeMemoryTellsWhatIsThere) { CheckReads(ReadMemory); }

TEST(SafeMemoryByPipeTellsWhatIsThere) { CheckReads(ReadMemoryByPipe); }

}  // namespace memprof
