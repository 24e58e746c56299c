// A new file for a dump, which is whole or does not exist, and the line on standard error that reports it.
// POSIX only.
//
// Thread safety: none; each is used by one thread. Nothing allocates memory, throws or ends the process:
// errors are kept and reported.

#ifndef MEMPROF_NATIVE_DUMP_DUMP_FILE_H_
#define MEMPROF_NATIVE_DUMP_DUMP_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text_sink.h"

namespace memprof {

class DumpFile final : public TextSink {
 public:
  DumpFile() = default;
  DumpFile(const DumpFile&) = delete;
  DumpFile& operator=(const DumpFile&) = delete;
  ~DumpFile();

  // Begins `DIRECTORY/memprof.DATE.TIME.PID.THREAD.NUMBER.oom.txt`, with the first number from `number` on
  // that no file has yet. Until `Close`, its name ends in `.part`, so that no reader takes it for a profile.
  // False when that fails: see `error()`.
  bool Open(std::string_view directory, uint64_t thread, unsigned number);
  // Has no effect after an error.
  void Write(std::string_view text) override;
  // Writes what is left and gives the file its name. When any part of it could not be written, removes the
  // file, since a text that was cut off reads like a whole one, and returns false.
  bool Close();

  // As much of it as was made; followed by a 0.
  std::string_view path() const { return {path_, path_bytes_}; }
  int error() const { return error_; }

 private:
  bool MakePath(std::string_view directory, uint64_t thread, unsigned number);
  int OpenPart();
  int Finish();
  void Flush();

  int fd_ = -1;
  int error_ = 0;
  size_t path_bytes_ = 0;
  size_t used_ = 0;
  static constexpr size_t kLongestPath = 4096;
  static constexpr size_t kBuffer = 8192;
  static constexpr std::string_view kPart = ".part";

  char path_[kLongestPath];
  char part_[kLongestPath + kPart.size()];
  char buffer_[kBuffer];
};

// One line on standard error, which begins with `memprof: `. Gives up when writing it would take long.
class ErrorLine final : public TextSink {
 public:
  ErrorLine() { Write("memprof: "); }
  ErrorLine(const ErrorLine&) = delete;
  ErrorLine& operator=(const ErrorLine&) = delete;
  // Writes the line.
  ~ErrorLine();

  void Write(std::string_view text) override;
  // Writes the text of an errno.
  void WriteError(int error);

 private:
  static constexpr size_t kLongestLine = 5120;  // room for a path and its error

  size_t used_ = 0;
  char line_[kLongestLine];
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_DUMP_DUMP_FILE_H_
