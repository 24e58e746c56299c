// Writes the heap profile in the text form of Go's `runtime/pprof`, as lib/formats/gotext does, straight from
// the tables.
//
// Thread safety: may be called from any thread while others count. It takes no lock and calls neither an
// allocator nor V8, since it is made for the moment when memory has run out.

#ifndef MEMPROF_NATIVE_ENCODE_PROFILE_TEXT_H_
#define MEMPROF_NATIVE_ENCODE_PROFILE_TEXT_H_

#include <cstddef>
#include <cstdint>

#include "base/text_sink.h"
#include "gc/mem_figures.h"
#include "tables/profile_tables.h"

namespace memprof {

struct ProfileTextFacts {
  uint64_t sample_interval = 0;
  MemFigures figures;      // for the trailer, like the two below
  uint64_t own_bytes = 0;  // of memprof's own tables and maps
  uint64_t max_rss = 0;
};

// The records with the most bytes in use come first. When the records would take more than `max_bytes`, the
// rest are added up in one, `(not written)`, so that every sum over the records stays right.
void WriteProfileText(const ProfileTables& tables, const ProfileTextFacts& facts, size_t max_bytes,
                      TextSink* sink);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ENCODE_PROFILE_TEXT_H_
