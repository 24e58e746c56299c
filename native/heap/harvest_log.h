// Writes what each harvest saw to a file. To test the imputation, bench/estimator replays the same harvests
// with some of them left out.
//
// Thread safety: none; belongs to one isolate's thread.

#ifndef MEMPROF_NATIVE_HEAP_HARVEST_LOG_H_
#define MEMPROF_NATIVE_HEAP_HARVEST_LOG_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "base/arena.h"

namespace memprof {

// The file is a sequence of these, in the machine's own byte order. A harvest is a row with id 0, whose size
// is the number of GCs completed, followed by a row for each sample V8 showed.
struct HarvestLogRow {
  uint64_t id;
  uint64_t size;
  uint32_t node;
  Ref leaf_frame;
};

class HarvestLog {
 public:
  // `nullptr` when the file cannot be opened.
  static std::unique_ptr<HarvestLog> Open(const std::string& path) {
    FILE* file = fopen(path.c_str(), "wb");
    return file == nullptr ? nullptr : std::unique_ptr<HarvestLog>(new HarvestLog(file));
  }
  ~HarvestLog() { fclose(file_); }
  HarvestLog(const HarvestLog&) = delete;
  HarvestLog& operator=(const HarvestLog&) = delete;

  void Write(const HarvestLogRow& row) { fwrite(&row, sizeof(row), 1, file_); }

 private:
  explicit HarvestLog(FILE* file) : file_(file) {}
  FILE* const file_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_HARVEST_LOG_H_
