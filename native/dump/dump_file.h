// A new file for a dump, whole or not there, and the line on standard error that tells of it. POSIX only.
//
// Thread safety: none; each is used by one thread. Nothing takes memory, and nothing throws or ends the
// process: errors are kept and told.

#ifndef MEMPROF_NATIVE_DUMP_FILE_H_
#define MEMPROF_NATIVE_DUMP_FILE_H_

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
  // that no file has yet. Until it is closed it is called so with `.part` behind it, which no reader takes
  // for a profile. False when that fails: see `error()`.
  bool Open(std::string_view directory, uint64_t thread, unsigned number);
  // After an error without effect.
  void Write(std::string_view text) override;
  // Writes what is left and gives the file its name. When anything of it could not be written, removes it: a
  // text that is cut off reads as a whole one. Then false.
  bool Close();

  // As far as it could be told; ends with a 0.
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
  char path_[4096];
  char part_[4096 + 8];
  char buffer_[8192];
};

// One line to standard error, `memprof: ` before it, as far as it can be written without waiting long.
class ErrorLine final : public TextSink {
 public:
  ErrorLine() { Write("memprof: "); }
  ErrorLine(const ErrorLine&) = delete;
  ErrorLine& operator=(const ErrorLine&) = delete;
  // Writes the line.
  ~ErrorLine();

  void Write(std::string_view text) override;
  // Of the system, by its number.
  void WriteError(int error);

 private:
  size_t used_ = 0;
  char line_[5120];
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_DUMP_FILE_H_
