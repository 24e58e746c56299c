// A profile as of one moment, and its encoding as pprof's `profile.proto`. The bytes are those that
// lib/formats/pprof makes of records, but no profiled thread has to make the records.
//
// Thread safety: none; but any thread may make, fill and encode it, one after the other. What it refers to in
// the tables is never removed.

#ifndef MEMPROF_NATIVE_ENCODE_PROTO_SNAPSHOT_H_
#define MEMPROF_NATIVE_ENCODE_PROTO_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "tables/profile_tables.h"

namespace memprof {

// How a frame is shown where a source map says so.
struct ShownFrame {
  std::string function_name;
  std::string file_name;
  int32_t line = 0;
  int32_t column = 0;
  int32_t start_line = 0;  // of the function
};

struct ProtoOptions {
  uint64_t sample_interval = 0;
  uint64_t time_nanos = 0;
  std::string default_sample_type;
  std::string program;
  std::vector<std::string> comments;
  // The names of `files()`, in the same order.
  std::vector<std::string> file_names;
  std::unordered_map<Ref, ShownFrame> shown;
};

class ProtoSnapshot {
 public:
  // With `of_buffers`, lines are those of calls, and leaf frames of Node's own allocator are left out.
  ProtoSnapshot(const ProfileTables* tables, bool of_buffers) : tables_(tables), of_buffers_(of_buffers) {}

  void Add(const Bucket& bucket, const Figures& figures) {
    records_.push_back({figures, bucket.key.stack, bucket.key.thread, bucket.key.labels});
  }
  // Looks through the frames. REQUIRES: all records were added, and it was not called before.
  void Finish();

  // Everything below REQUIRES `Finish`.
  // The URLs of scripts, each once.
  const std::vector<Ref>& files() const { return files_; }
  const std::vector<Ref>& FramesOf(size_t file) const { return frames_of_[file]; }
  std::string_view StringAt(Ref ref) const { return tables_->StringAt(ref); }

  // Not compressed. REQUIRES: there are as many `file_names` as `files`.
  std::string Encode(const ProtoOptions& options) const;

 private:
  friend class ProtoEncoder;

  struct Record {
    Figures figures;
    Ref stack;
    uint32_t thread;
    uint32_t labels;
  };

  // The stack without the leaf frames that are not shown.
  Ref LeafShown(Ref stack) const;
  bool IsAllocator(Ref frame) const;

  const ProfileTables* tables_;
  bool of_buffers_;
  std::vector<Record> records_;
  std::vector<Ref> files_;
  std::vector<std::vector<Ref>> frames_of_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ENCODE_PROTO_SNAPSHOT_H_
