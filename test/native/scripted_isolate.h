// The tables and the harvest of an isolate whose sampler is a script: for tests.

#ifndef MEMPROF_TEST_NATIVE_SCRIPTED_ISOLATE_H_
#define MEMPROF_TEST_NATIVE_SCRIPTED_ISOLATE_H_

#include <initializer_list>
#include <string>

#include "heap/harvest.h"
#include "tables/profile_tables.h"

namespace memprof::test {

constexpr uint32_t kNode = 7;
constexpr uint64_t kSize = 100;

struct Seen {
  uint64_t id;
  uint32_t node = kNode;
  uint64_t size = kSize;
  bool in_tree = true;  // whether the node came with the tree
};

class ScriptedIsolate {
 public:
  explicit ScriptedIsolate(ProfileTables* tables) : tables_(tables), harvest_(tables) {}

  // One harvest.
  bool Look(uint64_t completed_gcs, std::initializer_list<Seen> samples) {
    return Look(HarvestMoment{completed_gcs}, samples);
  }
  bool Look(const HarvestMoment& moment, std::initializer_list<Seen> samples) {
    harvest_.Begin();
    for (const Seen& seen : samples) {
      harvest_.See(seen.id, seen.node, seen.size, [&] { return seen.in_tree ? StackOf(seen.node) : 0; });
    }
    return harvest_.End(moment);
  }

  Ref StackOf(uint32_t node) { return tables_->InternStack(0, tables_->InternFrame("f", "", node, 0)); }
  Harvest& harvest() { return harvest_; }

  // As a line of Go's text: "in use: its bytes [allocated: its bytes]", of all stacks or of one.
  std::string Profile() const { return ProfileOf(0); }
  std::string ProfileOf(Ref stack) const {
    Figures sum;
    tables_->ForEachBucket([&](const Bucket& bucket, const Figures& figures) {
      if (stack != 0 && bucket.key.stack != stack) return;
      sum.alloc_objects += figures.alloc_objects;
      sum.alloc_bytes += figures.alloc_bytes;
      sum.free_objects += figures.free_objects;
      sum.free_bytes += figures.free_bytes;
    });
    return std::to_string(sum.alloc_objects - sum.free_objects) + ": " +
           std::to_string(sum.alloc_bytes - sum.free_bytes) + " [" + std::to_string(sum.alloc_objects) +
           ": " + std::to_string(sum.alloc_bytes) + "]";
  }
  // "seen, lost, published".
  std::string Counts() const {
    const HarvestCounts& counts = harvest_.counts();
    return std::to_string(counts.seen) + ", " + std::to_string(counts.lost) + ", " +
           std::to_string(counts.published);
  }

 private:
  ProfileTables* const tables_;
  Harvest harvest_;
};

}  // namespace memprof::test

#endif  // MEMPROF_TEST_NATIVE_SCRIPTED_ISOLATE_H_
