// Finds what holds sampled objects: takes a heap snapshot, walks it from V8's roots along the edges that hold,
// and writes the path to each object.
//
// Thread safety: none; belongs to the isolate's thread, which stands still meanwhile.
//
// Everything used here is V8's public interface. The snapshot is deleted before the function returns. Names are
// read only of the nodes on paths, because V8 makes a string on its heap for each.

#ifndef MEMPROF_NATIVE_HEAP_RETAINING_PATHS_H_
#define MEMPROF_NATIVE_HEAP_RETAINING_PATHS_H_

#include <v8-profiler.h>
#include <v8.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "heap/sampled_object.h"

namespace memprof {

// What lib/analysis/holders.ts reads, with the meaning of each number.
//
//   { nodes, snapshotNs, walkNs, alive, objects: [stack, size, state, step …], steps: [parent, edge kind, edge name,
//     node kind, node name, file, line, column …], texts: [text …] }
//
// `objects` has all samples that the snapshot's collections freed, but at most `kMostObjects` of the `alive` ones,
// evenly chosen. A step's parent precedes it; names and files are indices into `texts`, and -1 is none.
struct PathsResult {
  std::string json;
  bool aborted = false;
};

enum class HeldState { kFreed = 0, kNotHeld = 1, kHeld = 2 };

// What follows V8's own kinds of nodes: a context whose variables are those of a module.
constexpr int kModuleScope = 100;
// Is added to the kind of an edge before which steps were left out.
constexpr int kStepsLeftOut = 100;

constexpr size_t kMostObjects = 4000;

// `objects()` lists the sampled objects that are alive: it is called before the snapshot, and again after it.
// `functions()` lists all sampled objects, of which the functions tell where they are defined.
// `stop()` is asked now and then while the snapshot is being taken, and ends it by returning true.
PathsResult FindRetainingPaths(v8::Isolate* isolate,
                               const std::function<std::vector<SampledObject>()>& objects,
                               const std::function<std::vector<SampledObject>()>& functions,
                               const std::function<bool()>& stop);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_RETAINING_PATHS_H_
