// Joins a path that our own walk has found with V8's CPU sample of the same stack: the functions are ours, and
// get the lines of their calls; functions between them were inlined, and are added.
//
// Thread safety: none; belongs to one isolate's thread.

#ifndef MEMPROF_NATIVE_HEAP_CALL_JOINER_H_
#define MEMPROF_NATIVE_HEAP_CALL_JOINER_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "heap/cpu_samples.h"
#include "heap/sampled_stacks.h"
#include "tables/profile_tables.h"

namespace memprof {

struct JoinedStack {
  Ref stack = 0;            // 0: the two have other functions, or a function is not described yet
  bool knows_line = false;  // of the innermost function
};

class CallJoiner {
 public:
  CallJoiner(ProfileTables* tables, SampledStacks* stacks) : tables_(tables), stacks_(stacks) {}

  struct Leaf {
    bool known;      // false: V8's line of the innermost function is wrong, and so is what was inlined there
    bool of_maglev;  // which gives the start of an inlined function where it does not know the line
  };
  JoinedStack Join(uint32_t path, const CpuSample& sample, Leaf leaf);
  // What the last `Join` has found for each function of the path, leaf first: it and those inlined into it.
  struct Part {
    uint32_t begin = 0;  // in `frames`
    uint32_t end = 0;
    bool sure = false;  // false: V8's answer does not tell for certain
  };
  const std::vector<Part>& parts() const { return parts_; }
  std::span<const Ref> FramesOf(const Part& part) const {
    return std::span<const Ref>(frames_).subspan(part.begin, part.end - part.begin);
  }
  // The stack of these frames, leaf first.
  Ref Intern(std::span<const Ref> frames);

  // Must be called before the profile that the samples came from is deleted.
  void ForgetProfile() { starts_.Clear(); }

  size_t bytes() const {
    return calls_.capacity() * sizeof(Call) + frames_.capacity() * sizeof(Ref) +
           parts_.capacity() * sizeof(Part);
  }

 private:
  // A function on V8's stack, and where in it the next one was called.
  struct Call {
    const v8::CpuProfileNode* node;
    int script_id;
    CpuFunctionStart start;
    int line;
    int column;
  };

  void ReadCalls(const CpuSample& sample);
  bool Fit(uint32_t path, Leaf leaf);
  static void ForgetStart(Call* call);
  bool AddInlined(const Call& call);
  std::string_view UrlOf(const Call& call) const;
  bool SameFunction(const Call& a, const Call& b) const {
    return a.script_id == b.script_id && a.start.line == b.start.line && a.start.column == b.start.column;
  }

  ProfileTables* const tables_;
  SampledStacks* const stacks_;
  CpuFunctionStarts starts_;
  // Of the stack at hand, leaf first.
  std::vector<Call> calls_;
  std::vector<Ref> frames_;
  std::vector<Part> parts_;
  size_t v8_frames_ = 0;
  bool knows_line_ = false;
  // A script whose function is on the path, and its name in the tables.
  int script_id_ = 0;
  Ref script_url_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CALL_JOINER_H_
