// The parts of heap/ that call V8: the second third.

#include "heap/heap_walk.cc"
#include "heap/retaining_paths.cc"
#include "heap/snapshot_names.cc"
