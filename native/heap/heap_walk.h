// A walk over a heap snapshot, breadth first, from V8's roots along the edges that hold an object.
//
// Thread safety: none; nothing may delete the snapshot meanwhile.
//
// It takes 8 bytes a node, because ids of V8's objects are odd and dense. The few other nodes are in a map.

#ifndef MEMPROF_NATIVE_HEAP_HEAP_WALK_H_
#define MEMPROF_NATIVE_HEAP_HEAP_WALK_H_

#include <v8-profiler.h>
#include <v8.h>

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace memprof {

// Allocates strings on V8's heap.
std::string NodeName(v8::Isolate* isolate, const v8::HeapGraphNode* node);
// Empty for an element, and for a numbered field of V8's own.
std::string EdgeName(v8::Isolate* isolate, const v8::HeapGraphEdge* edge);

class HeapWalk {
 public:
  HeapWalk(v8::Isolate* isolate, const v8::HeapSnapshot* snapshot);
  HeapWalk(const HeapWalk&) = delete;
  HeapWalk& operator=(const HeapWalk&) = delete;

  // What refers to `table` does not hold the values in it: it is the table of a WeakMap, and the keys hold them.
  void AddWeakTable(const v8::HeapGraphNode* table) { weak_tables_.insert(table); }
  void Run();
  // The last edge of the shortest path to the object with that id; null when nothing holds it.
  const v8::HeapGraphEdge* EdgeTo(v8::SnapshotObjectId id) const;
  // The same for a node; null for the root.
  const v8::HeapGraphEdge* EdgeTo(const v8::HeapGraphNode* node) const;

 private:
  const v8::HeapGraphEdge** SlotOf(const v8::HeapGraphNode* node);
  void Expand(const v8::HeapGraphNode* node);
  std::vector<const v8::HeapGraphNode*>* QueueOf(const v8::HeapGraphNode* roots);

  v8::Isolate* const isolate_;
  const v8::HeapSnapshot* const snapshot_;
  std::vector<const v8::HeapGraphEdge*> by_id_;
  std::unordered_map<const v8::HeapGraphNode*, const v8::HeapGraphEdge*> others_;
  std::unordered_set<const v8::HeapGraphNode*> weak_tables_;
  std::vector<const v8::HeapGraphNode*> queue_;
  // Roots that come after all others: those of V8 itself, and those that hold for a moment only.
  std::vector<const v8::HeapGraphNode*> strong_roots_;
  std::vector<const v8::HeapGraphNode*> momentary_roots_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_HEAP_WALK_H_
