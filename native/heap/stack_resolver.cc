#include "heap/stack_resolver.h"

#include <algorithm>
#include <array>
#include <span>

namespace memprof {

Ref StackResolver::StackOf(uint32_t path) {
  if (path == 0) return 0;
  std::array<uint32_t, CallPaths::kMostBases + 1> unknown;
  size_t count = 0;
  for (uint32_t each = path; each != 0 && paths_->StackOf(each) == 0; each = paths_->At(each).base) {
    unknown[count++] = each;
  }
  while (count != 0) {
    uint32_t each = unknown[--count];
    Ref stack = Intern(each);
    if (stack == 0) return 0;
    paths_->At(each).stack.store(stack, std::memory_order_release);
  }
  return paths_->StackOf(path);
}

// Finds the path in the tables, given that its base is known there. Returns 0 when a function is not
// described yet.
Ref StackResolver::Intern(uint32_t number) {
  const CallPaths::Path& path = paths_->At(number);
  std::span<const uint32_t> added = paths_->AddedBy(path);
  sums_.resize(added.size() + 1);
  uint64_t sum = path.sum;
  for (size_t i = added.size(); i != 0; --i) {
    sums_[i] = sum;
    prefixes_.Fetch(sum);
    sum -= CallPaths::TermOf(path.shared + i - 1, added[i - 1]);
  }
  sums_[0] = sum;
  size_t known = added.size();
  Ref stack = 0;
  while (known != 0 && (stack = prefixes_.Find(sums_[known])) == 0) --known;
  std::span<const uint32_t> rest = added.subspan(known);
  if (!std::all_of(rest.begin(), rest.end(), [&](uint32_t id) { return frames_->IsSet(id); })) return 0;
  if (known == 0 && path.base != 0) {
    // In this order: whoever stores a cut stack has said so before.
    Ref of_base = paths_->StackOf(path.base);
    if (paths_->At(path.base).cut.load(std::memory_order_relaxed)) return InternWhole(number);
    stack = BeginningOf(of_base, paths_->At(path.base).count, path.shared);
  }
  new_frames_.clear();
  for (uint32_t id : rest) new_frames_.push_back(frames_->At(id));
  new_stacks_.resize(rest.size());
  size_t found = tables_->InternStacks(stack, new_frames_, new_stacks_.data());
  // Every other beginning, so that twice as many paths are remembered.
  for (size_t i = 0; i < found; ++i) {
    size_t length = known + 1 + i;
    if ((path.shared + length) % 2 == 0) prefixes_.Put(sums_[length], new_stacks_[i]);
  }
  if (found != rest.size()) return InternWhole(number);
  return rest.empty() ? stack : new_stacks_.back();
}

// The first `count` functions of a stack of `length`.
Ref StackResolver::BeginningOf(Ref stack, uint32_t length, uint32_t count) const {
  for (uint32_t i = count; i < length; ++i) stack = tables_->StackAt(stack)->key.parent;
  return stack;
}

// The same for a path whose base is cut, or for which there is no room.
Ref StackResolver::InternWhole(uint32_t number) {
  std::vector<uint32_t> functions = paths_->FunctionsOf(number);
  Ref stack = 0;
  for (uint32_t id : functions) {
    stack = tables_->InternStack(stack, frames_->At(id));
    if (stack == 0) break;
  }
  if (stack != 0) return stack;
  paths_->At(number).cut.store(true, std::memory_order_relaxed);
  std::vector<Ref> frames;
  size_t kept = std::min(functions.size(), ProfileTables::kCutFrames + size_t{1});
  for (size_t i = functions.size() - kept; i < functions.size(); ++i)
    frames.push_back(frames_->At(functions[i]));
  return tables_->InternCutStack(frames);
}

}  // namespace memprof
