// Finds the call paths of one isolate in the process's tables.
//
// Thread safety: a resolver belongs to one thread. Resolvers of the same paths may work on several threads, while
// the isolate's thread adds paths; whoever comes last at a path finds what the others found, or the same again.

#ifndef MEMPROF_NATIVE_HEAP_STACK_RESOLVER_H_
#define MEMPROF_NATIVE_HEAP_STACK_RESOLVER_H_

#include <cstdint>
#include <vector>

#include "heap/call_paths.h"
#include "heap/function_frames.h"
#include "heap/prefix_stacks.h"
#include "tables/profile_tables.h"

namespace memprof {

class StackResolver {
 public:
  StackResolver(ProfileTables* tables, CallPaths* paths, const FunctionFrames* frames)
      : tables_(tables), paths_(paths), frames_(frames) {}
  StackResolver(const StackResolver&) = delete;
  StackResolver& operator=(const StackResolver&) = delete;

  // From here on, the beginnings of recent paths are remembered, which takes some memory.
  void Remember() { prefixes_.Start(); }

  // 0 as long as some function of the path is not described.
  Ref StackOf(uint32_t path);

  size_t bytes() const { return prefixes_.bytes(); }

 private:
  Ref Intern(uint32_t path);
  Ref BeginningOf(Ref stack, uint32_t length, uint32_t count) const;
  Ref InternWhole(uint32_t path);

  ProfileTables* const tables_;
  CallPaths* const paths_;
  const FunctionFrames* const frames_;
  PrefixStacks prefixes_;
  // For `Intern`: the sums of a path's beginnings, and the frames and stacks of those that were not remembered.
  std::vector<uint64_t> sums_;
  std::vector<Ref> new_frames_;
  std::vector<Ref> new_stacks_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STACK_RESOLVER_H_
