#include "dump/dump_file.h"

#ifndef _WIN32

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace memprof {

namespace {

// Returns an errno, or 0. Tries a full pipe again up to `patience` times, a millisecond apart.
int WriteAll(int fd, std::string_view text, int patience) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN && patience > 0) {
      --patience;
      timespec millisecond{0, 1'000'000};
      nanosleep(&millisecond, nullptr);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// Text of a fixed size. What does not fit is left out, and `whole` is false then.
class FixedText final : public TextSink {
 public:
  FixedText(char* at, size_t size) : at_(at), size_(size) {}
  void Write(std::string_view text) override {
    size_t fits = std::min(text.size(), size_ - used_);
    memcpy(at_ + used_, text.data(), fits);
    used_ += fits;
    if (fits < text.size()) whole_ = false;
  }
  void WritePadded(uint64_t number, size_t width) {
    CountingSink digits;
    digits.WriteNumber(number);
    for (size_t i = digits.bytes(); i < width; ++i) Write("0");
    WriteNumber(number);
  }
  size_t used() const { return used_; }
  bool whole() const { return whole_; }

 private:
  char* const at_;
  const size_t size_;
  size_t used_ = 0;
  bool whole_ = true;
};

}  // namespace

DumpFile::~DumpFile() { Close(); }

bool DumpFile::Open(std::string_view directory, uint64_t thread, unsigned number) {
  constexpr unsigned kMostTried = 1000;
  for (unsigned tried = 0; tried < kMostTried; ++tried) {
    if (!MakePath(directory, thread, number + tried)) {
      error_ = ENAMETOOLONG;
      return false;
    }
    error_ = OpenPart();
    if (error_ != EEXIST && error_ != EINTR) break;
  }
  return error_ == 0;
}

// Named like the files of lib/launch/write-profile.ts.
bool DumpFile::MakePath(std::string_view directory, uint64_t thread, unsigned number) {
  FixedText text(path_, sizeof(path_) - 1);
  time_t now = time(nullptr);
  tm local{};
  localtime_r(&now, &local);
  text.Write(directory);
  text.Write("/memprof.");
  text.WritePadded(local.tm_year + 1900, 4);
  text.WritePadded(local.tm_mon + 1, 2);
  text.WritePadded(local.tm_mday, 2);
  text.Write(".");
  text.WritePadded(local.tm_hour, 2);
  text.WritePadded(local.tm_min, 2);
  text.WritePadded(local.tm_sec, 2);
  text.Write(".");
  text.WriteNumber(getpid());
  text.Write(".");
  text.WriteNumber(thread);
  text.Write(".");
  text.WritePadded(number, 3);
  text.Write(".oom.txt");
  path_bytes_ = text.used();
  path_[path_bytes_] = '\0';
  return text.whole();
}

int DumpFile::OpenPart() {
  if (access(path_, F_OK) == 0) return EEXIST;
  memcpy(part_, path_, path_bytes_);
  memcpy(part_ + path_bytes_, kPart.data(), kPart.size());
  part_[path_bytes_ + kPart.size()] = '\0';
  fd_ = open(part_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  return fd_ == -1 ? errno : 0;
}

int DumpFile::Finish() {
  // Unlike `rename`, `link` never replaces a file, such as that of a process with the same id in another
  // container. Some file systems lack it.
  if (link(part_, path_) == 0) {
    unlink(part_);
    return 0;
  }
  if (errno == EEXIST) return EEXIST;
  return rename(part_, path_) == 0 ? 0 : errno;
}

void DumpFile::Write(std::string_view text) {
  while (!text.empty() && error_ == 0) {
    size_t fits = std::min(text.size(), sizeof(buffer_) - used_);
    memcpy(buffer_ + used_, text.data(), fits);
    used_ += fits;
    text.remove_prefix(fits);
    if (used_ == sizeof(buffer_)) Flush();
  }
}

void DumpFile::Flush() {
  constexpr int kPatience = 1000;
  if (error_ == 0) error_ = WriteAll(fd_, std::string_view(buffer_, used_), kPatience);
  used_ = 0;
}

bool DumpFile::Close() {
  if (fd_ != -1) {
    Flush();
    if (close(fd_) != 0 && error_ == 0 && errno != EINTR) error_ = errno;
    fd_ = -1;
    if (error_ == 0) error_ = Finish();
    if (error_ != 0) unlink(part_);
  }
  return error_ == 0;
}

void ErrorLine::Write(std::string_view text) {
  // Keeps one byte for the end of the line.
  FixedText rest(line_ + used_, sizeof(line_) - 1 - used_);
  rest.Write(text);
  used_ += rest.used();
}

void ErrorLine::WriteError(int error) { Write(strerror(error)); }

ErrorLine::~ErrorLine() {
  constexpr int kPatience = 100;
  line_[used_++] = '\n';
  WriteAll(STDERR_FILENO, std::string_view(line_, used_), kPatience);
}

}  // namespace memprof

#endif  // _WIN32
