// How a DirectSampler compares its samples with V8's: each of those that V8 takes too on the spot, which of them
// are alive at the next safe moments, and all of them where V8's public profile is read anyway.

#include <v8-profiler.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/clocks.h"
#include "heap/direct_sampler.h"
#include "heap/v8_samples.h"

namespace memprof {

// Compares the sample with V8's.
void DirectSampler::Verify(Record* record, uintptr_t soon) {
  uint64_t begin = MonotonicNs();
  if (const char* problem = CompareSample(*record, soon)) {
    doubt_ = problem;
  } else if (doubt_ == nullptr) {
    ++figures_.compared;
    if (!compare_all_) audited_.push_back({record, record->v8_id});
    if (++verified_ >= kProof) proved_ = true;
  }
  Charge(MonotonicNs() - begin, &figures_.v8_step_ns);
}

// To make V8's public profile takes milliseconds, so where our own walk has failed, V8's stack is read in place.
bool DirectSampler::TakeV8sStack(Record* record) {
  V8SampleReader reader(sampler_);
  V8Sample sample;
  while (reader.Next(&sample)) {
    if (sample.id != record->v8_id) continue;
    SampledStacks::Taken taken = stacks_.TakeV8s(sample.node);
    record->stack = taken.stack;
    record->path = taken.path;
    if (taken.path == 0) return false;
    ++figures_.read_in_place;
    return true;
  }
  return false;
}

const char* DirectSampler::CompareSample(const Record& record, uintptr_t soon) {
  V8SampleReader reader(sampler_);
  V8Sample sample;
  while (reader.Next(&sample)) {
    if (sample.id != record.v8_id) continue;
    if (sample.size != record.size) return "a sample has not the size that V8 has";
    if (ObjectAddress(sample.object) != soon) return "a sample is not of the object that V8 has";
    return stacks_.Compare(sample.node);
  }
  return reader.broken() ? "V8's samples are not kept as they should be" : "a sample is none of V8's";
}

// Checks that of the samples that V8 has too, those are alive that are alive there.
const char* DirectSampler::CompareDeaths() {
  std::vector<uint64_t> alive;
  V8SampleReader reader(sampler_);
  V8Sample sample;
  while (reader.Next(&sample)) alive.push_back(sample.id);
  if (reader.broken()) return "V8's samples are not kept as they should be";
  std::sort(alive.begin(), alive.end());
  const char* problem = nullptr;
  std::erase_if(audited_, [&](const Audited& each) {
    bool here = each.record->v8_id == each.v8_id && each.record->used && !each.record->dead;
    bool there = std::binary_search(alive.begin(), alive.end(), each.v8_id);
    if (here && !there) problem = "a sample that is in use is none of V8's";
    if (there && !here) problem = "V8 has a sample in use that is none of ours";
    return !here;
  });
  return problem;
}

bool DirectSampler::Compare() {
  v8::HandleScope scope(isolate_);
  uint64_t last = LastV8Id();
  std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
  if (profile == nullptr) {
    doubt_ = "V8 has no samples any more";
    return false;
  }
  interner_.Read(isolate_, profile->GetRootNode(), v8_depth_);
  ResolveStacks(kNoLimit);
  compare_due_ = LastV8Id() != last;
  std::vector<v8::AllocationProfile::Sample> theirs;
  for (const auto& sample : profile->GetSamples()) {
    if (sample.sample_id <= last) theirs.push_back(sample);
  }
  std::sort(theirs.begin(), theirs.end(),
            [](const auto& a, const auto& b) { return a.sample_id < b.sample_id; });
  size_t matched = 0;
  const char* doubt = nullptr;
  ledger_.ForEach([&](Record* record) {
    if (record->v8_id == 0 || record->v8_id > last) return;
    auto found = std::lower_bound(theirs.begin(), theirs.end(), record->v8_id,
                                  [](const auto& sample, uint64_t id) { return sample.sample_id < id; });
    if (found == theirs.end() || found->sample_id != record->v8_id) {
      if (!record->dead) doubt = "a sample that is in use is none of V8's";
      return;
    }
    ++matched;
    Ref stack = interner_.StackOf(found->node_id);
    // Where we could not walk the stack, we take V8's.
    bool walked = record->stack != 0;
    if (!walked && record->calls == 0) record->stack = stack;
    if (found->size != record->size) doubt = "a sample has not the size that V8 has";
    // V8's stack has no lines of calls. On the spot, the functions were compared.
    bool comparable = record->calls == 0;
    if (comparable && record->stack != stack && !SameStack(*tables_, record->stack, stack, v8_cuts_more_)) {
      doubt = "a stack is not V8's";
    }
    if (doubt == nullptr && walked && record->v8_id > compared_up_to_) ++figures_.compared;
  });
  if (matched != theirs.size()) doubt = "V8 has a sample in use that is none of ours";
  if (doubt != nullptr) {
    doubt_ = doubt;
    return false;
  }
  interner_.Clear();
  compared_up_to_ = last;
  return true;
}

}  // namespace memprof
