// Finds for every node of V8's call tree its stack in the tables.
//
// Thread safety: none; belongs to one isolate's thread.
//
// V8 constantly prunes nodes without live samples and makes new ones with new ids. So the map from node ids
// to stacks is swept with each tree, and never holds more than the nodes of the last one.
//
// Ids have 32 bits: at 2,000 new ones a second they begin anew after 25 days. So an id is trusted only
// together with the node's parent, script, position and name.

#ifndef MEMPROF_NATIVE_HEAP_STACK_INTERNER_H_
#define MEMPROF_NATIVE_HEAP_STACK_INTERNER_H_

#include <v8-profiler.h>

#include <vector>

#include "base/sweep_map.h"
#include "tables/profile_tables.h"

namespace memprof {

class StackInterner {
 public:
  explicit StackInterner(ProfileTables* tables) : tables_(tables) {}

  // Interns what is new in the tree. Walks without recursion, since a tree is as deep as the stacks. Stacks
  // with more than `depth` frames are cut, and hang from a root of their own. REQUIRES: V8 was asked for one
  // frame more.
  void Read(v8::Isolate* isolate, v8::AllocationProfile::Node* root, int depth);
  // The stack of a node of the last tree that was read, 0 for other nodes.
  Ref StackOf(uint32_t node_id) {
    const Known* known = nodes_.Find(node_id);
    return known == nullptr ? 0 : known->stack;
  }
  void Clear() { nodes_.Clear(); }

  size_t size() const { return nodes_.size(); }
  size_t bytes() const {
    return nodes_.bytes() + steps_.capacity() * sizeof(Step) + path_.capacity() * sizeof(Ref);
  }

 private:
  struct Known {
    Ref stack = 0;
    Ref frame = 0;
    uint32_t fingerprint = 0;  // of parent, script, position and name
    bool cut = false;
  };
  struct Step {
    v8::AllocationProfile::Node* node;
    Ref parent_stack;
    uint32_t depth;
    bool parent_cut;
  };

  static uint32_t FingerprintOf(const Step& step);
  Known Intern(v8::Isolate* isolate, const Step& step);
  Ref InternTruncated(Ref frame);
  bool IsTruncated(const Step& step, Ref frame) const;
  Ref InternFrame(v8::Isolate* isolate, v8::AllocationProfile::Node* node);

  ProfileTables* const tables_;
  SweepMap<Known> nodes_;
  uint32_t depth_ = 0;
  std::vector<Step> steps_;  // kept from tree to tree to save allocations
  std::vector<Ref> path_;    // frames of the nodes above the current one, outermost first
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STACK_INTERNER_H_
