#include "gc/memory_map.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#endif

namespace memprof {

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kHeapPage = 256 * 1024;       // V8 aligns the pages of its heap to it
constexpr uint64_t kArena = uint64_t{64} << 20;  // glibc's HEAP_MAX_SIZE
constexpr uint64_t kLeastReserved = 64 * 1024;   // a page of WebAssembly
constexpr uint64_t kMostGuard = 64 * 1024;       // below a stack
constexpr uint64_t kLeastStack = 128 * 1024;
constexpr uint64_t kSparse = uint64_t{16} << 30;

struct Mapping {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string_view permissions;
  std::string_view path;
  uint64_t rss = 0;

  bool anonymous() const { return path.empty() || path.starts_with("[anon"); }
  bool is_data() const { return permissions == "rw-p"; }
  bool is_guard() const { return anonymous() && permissions == "---p"; }
  uint64_t bytes() const { return end - begin; }
};

// The text before the delimiter, which is removed from `text` with it.
std::string_view Cut(std::string_view* text, char delimiter) {
  size_t at = std::min(text->find(delimiter), text->size());
  std::string_view before = text->substr(0, at);
  text->remove_prefix(std::min(at + 1, text->size()));
  return before;
}

uint64_t Number(std::string_view text, int base) {
  uint64_t value = 0;
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

std::vector<Mapping> Parse(std::string_view smaps) {
  std::vector<Mapping> mappings;
  while (!smaps.empty()) {
    std::string_view line = Cut(&smaps, '\n');
    // The lines of a mapping begin with a capital, its first one with a lower-case hexadecimal number.
    if (!line.empty() && (line[0] < 'A' || line[0] > 'Z')) {
      Mapping mapping;
      std::string_view range = Cut(&line, ' ');
      mapping.begin = Number(Cut(&range, '-'), 16);
      mapping.end = Number(range, 16);
      mapping.permissions = Cut(&line, ' ');
      for (int i = 0; i < 3; ++i) Cut(&line, ' ');
      while (line.starts_with(' ')) line.remove_prefix(1);
      mapping.path = line;
      mappings.push_back(mapping);
    } else if (line.starts_with("Rss:") && !mappings.empty()) {
      line.remove_prefix(4);
      mappings.back().rss = Number(line, 10) * 1024;
    }
  }
  return mappings;
}

class Classifier {
 public:
  Classifier(std::vector<Mapping> mappings, const MappedMemory& memory)
      : mappings_(std::move(mappings)), memory_(memory) {}

  MemoryMap Run() {
    map_.mappings = mappings_.size();
    for (size_t i = 0; i < mappings_.size(); ++i) {
      const Mapping& mapping = mappings_[i];
      if (IsStack(i)) ++map_.stack_count;
      if (mapping.rss == 0) continue;
      map_.rss += mapping.rss;
      if (uint64_t* whole = Whole(i))
        *whole += mapping.rss;
      else
        Split(i);
    }
    return map_;
  }

 private:
  const Mapping* Before(size_t i) const {
    return i > 0 && mappings_[i - 1].end == mappings_[i].begin ? &mappings_[i - 1] : nullptr;
  }
  const Mapping* After(size_t i) const {
    return i + 1 < mappings_.size() && mappings_[i + 1].begin == mappings_[i].end ? &mappings_[i + 1]
                                                                                  : nullptr;
  }

  // A stack of glibc's or musl's has a guard below it, of a page or some.
  bool IsStack(size_t i) const {
    const Mapping& mapping = mappings_[i];
    if (mapping.path == "[stack]") return true;
    const Mapping* before = Before(i);
    return mapping.anonymous() && mapping.is_data() && mapping.bytes() >= kLeastStack && before != nullptr &&
           before->is_guard() && before->bytes() <= kMostGuard && !IsArena(mapping.begin);
  }

  bool IsArena(uint64_t at) const {
    if (at % kArena != 0) return false;
    struct {
      uint64_t arena;
      uint64_t previous;
      uint64_t bytes;
      uint64_t accessible;
    } header;
    return memory_.Read(at, &header, sizeof(header)) && header.arena != 0 && header.arena % 8 == 0 &&
           header.bytes != 0 && header.bytes <= kArena && header.bytes % kPage == 0 &&
           header.accessible >= header.bytes && header.accessible <= kArena;
  }

  // The part that the mapping belongs to, or `nullptr` if it may be several things.
  uint64_t* Whole(size_t i) {
    const Mapping& mapping = mappings_[i];
    const Mapping* before = Before(i);
    if (mapping.path == "[heap]") return &map_.brk;
    if (IsStack(i)) return &map_.stacks;
    if (!mapping.anonymous()) {
      bool on_disk = mapping.path.starts_with('/') && !mapping.path.starts_with("/memfd:") &&
                     !mapping.path.starts_with("/dev/");
      return on_disk || mapping.path.starts_with('[') ? &map_.files : &map_.shared;
    }
    if (mapping.permissions.ends_with('s')) return &map_.shared;
    if (mapping.permissions.find('x') != std::string_view::npos) return &map_.code;
    // Zeroed data of a program or library.
    if (before != nullptr && before->path.starts_with('/') && mapping.begin % kHeapPage != 0)
      return &map_.files;
    if (!mapping.is_data()) return &map_.other;
    // Somebody's reservation, such as a sanitizer's of many terabytes, would take minutes to look through.
    if (mapping.bytes() >= kSparse && mapping.rss < mapping.bytes() / 16) return &map_.other;
    // The system may have joined a chunk or an arena with what is reserved behind it.
    if (IsArena(mapping.begin) || ChunkAt(mapping.begin, mapping.end) != 0) return nullptr;
    return IsReserved(i) ? &map_.reserved : nullptr;
  }

  // Whether more of the same reservation, not usable yet, lies behind the mapping.
  bool IsReserved(size_t i) const {
    const Mapping* after = After(i);
    return after != nullptr && after->is_guard() && after->bytes() >= kLeastReserved;
  }

  void Split(size_t i) {
    const Mapping& mapping = mappings_[i];
    uint64_t* unknown = IsReserved(i) ? &map_.reserved : &map_.other;
    struct Piece {
      uint64_t* part;
      uint64_t begin;
      uint64_t end;
    };
    std::vector<Piece> pieces;
    for (uint64_t at = mapping.begin; at < mapping.end;) {
      Piece piece{unknown, at, mapping.end};
      if (uint64_t chunk = ChunkAt(at, mapping.end)) {
        piece.part = &map_.chunks;
        piece.end = at + chunk;
      } else if (IsArena(at)) {
        piece.part = &map_.arenas;
        piece.end = std::min(mapping.end, at + kArena);
      } else if (at % kHeapPage == 0 && (at == mapping.begin || pieces.back().part == &map_.heap)) {
        // Page by page: something else may lie behind it.
        piece.part = &map_.heap;
        piece.end = std::min(mapping.end, at + kHeapPage);
      }
      at = piece.end;
      if (!pieces.empty() && pieces.back().part == piece.part)
        pieces.back().end = piece.end;
      else
        pieces.push_back(piece);
    }
    if (pieces.empty()) map_.other += mapping.rss;
    // The last piece has what is left, so that the sum is what the system says.
    uint64_t left = mapping.rss;
    for (const Piece& piece : pieces) {
      uint64_t resident =
          &piece == &pieces.back() ? left : std::min(left, memory_.ResidentIn(piece.begin, piece.end));
      *piece.part += resident;
      left -= resident;
    }
  }

  // The size of a chunk that malloc mapped, or 0.
  uint64_t ChunkAt(uint64_t at, uint64_t end) const {
    struct {
      uint64_t before;
      uint64_t size_and_flags;
    } header;
    constexpr uint64_t kFlags = 7;
    constexpr uint64_t kIsMapped = 2;
    if (!memory_.Read(at, &header, sizeof(header)) || header.before != 0) return 0;
    uint64_t bytes = header.size_and_flags & ~kFlags;
    bool is_chunk = (header.size_and_flags & kFlags) == kIsMapped && bytes != 0 && bytes % kPage == 0 &&
                    bytes <= end - at;
    return is_chunk ? bytes : 0;
  }

  const std::vector<Mapping> mappings_;
  const MappedMemory& memory_;
  MemoryMap map_;
};

#ifdef __linux__

std::string ReadFile(const std::string& path, std::string* text) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return path + ": " + strerror(errno);
  std::vector<char> buffer(size_t{256} * 1024);
  ssize_t got;
  while ((got = read(file, buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR)) {
    if (got > 0) text->append(buffer.data(), static_cast<size_t>(got));
  }
  std::string problem = got < 0 ? path + ": " + strerror(errno) : "";
  close(file);
  return problem;
}

class ProcessMemory final : public MappedMemory {
 public:
  ProcessMemory(int pid, const std::string& directory)
      : pid_(pid), pagemap_(open((directory + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC)) {}
  ProcessMemory(const ProcessMemory&) = delete;
  ProcessMemory& operator=(const ProcessMemory&) = delete;
  ~ProcessMemory() {
    if (pagemap_ >= 0) close(pagemap_);
  }

  // Reading a page that is not there would make the system put one there, with a table of pages for it.
  bool Read(uint64_t address, void* to, size_t bytes) const override {
    uint64_t first = address / kPage * kPage;
    uint64_t end = (address + bytes + kPage - 1) / kPage * kPage;
    if (pagemap_ >= 0 && ResidentIn(first, end) != end - first) return false;
    iovec here{to, bytes};
    iovec there{reinterpret_cast<void*>(address), bytes};
    return process_vm_readv(pid_, &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes);
  }

  uint64_t ResidentIn(uint64_t begin, uint64_t end) const override {
    constexpr uint64_t kPresent = uint64_t{1} << 63;
    std::array<uint64_t, 4096> pages;
    uint64_t present = 0;
    for (uint64_t at = begin / kPage; pagemap_ >= 0 && at < end / kPage;) {
      size_t wanted = std::min<uint64_t>(pages.size(), end / kPage - at);
      ssize_t got = pread(pagemap_, pages.data(), wanted * 8, static_cast<off_t>(at * 8));
      if (got <= 0) break;
      size_t count = static_cast<size_t>(got) / 8;
      for (size_t i = 0; i < count; ++i) present += (pages[i] & kPresent) != 0;
      at += count;
    }
    return present * kPage;
  }

 private:
  const pid_t pid_;
  const int pagemap_;
};

#endif

}  // namespace

MemoryMap ClassifyMappings(std::string_view smaps, const MappedMemory& memory) {
  return Classifier(Parse(smaps), memory).Run();
}

std::string ReadMemoryMap(int pid, MemoryMap* map) {
#ifdef __linux__
  if (sysconf(_SC_PAGESIZE) != static_cast<long>(kPage)) return "pages of the system are not of 4 KiB";
  std::string directory = pid == 0 ? "/proc/self" : "/proc/" + std::to_string(pid);
  std::string smaps;
  std::string problem = ReadFile(directory + "/smaps", &smaps);
  if (!problem.empty()) return problem;
  *map = ClassifyMappings(smaps, ProcessMemory(pid == 0 ? getpid() : pid, directory));
  return map->rss == 0 ? directory + "/smaps is empty" : "";
#else
  (void)pid;
  (void)map;
  return "resident memory can be taken apart on Linux only";
#endif
}

}  // namespace memprof
