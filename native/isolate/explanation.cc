#include "isolate/explanation.h"

#include <v8.h>

#include <utility>

#include "heap/retaining_paths.h"
#include "heap/snapshot_names.h"

namespace memprof {

namespace {

std::atomic<bool> one_is_open{false};

// Beyond that share of the heap limit no snapshot is taken.
constexpr double kFullestHeap = 0.8;

bool IsHeapTooFull(v8::Isolate* isolate) {
  v8::HeapStatistics heap;
  isolate->GetHeapStatistics(&heap);
  return static_cast<double>(heap.used_heap_size()) >
         kFullestHeap * static_cast<double>(heap.heap_size_limit());
}

}  // namespace

std::optional<ExplanationRef> Explanation::Make(std::vector<Ref> stacks) {
  if (one_is_open.exchange(true)) return std::nullopt;
  ExplanationRef request = ExplanationRef::Make(std::move(stacks));
  request->owns_ = true;
  return request;
}

Explanation::~Explanation() { End(Outcome::kStopped); }

void Explanation::Run(v8::Isolate* isolate, DirectSampler* sampler) {
  if (claimed_.exchange(true)) return;
  if (stop_) return End(Outcome::kStopped);
  if (!sampler->active() || !sampler->StillOurs()) return End(Outcome::kNoObjects);
  if (IsHeapTooFull(isolate)) return End(Outcome::kHeapFull);
  SnapshotNames names(isolate->GetHeapProfiler(), sampler->profiler_word());
  PathsResult result = FindRetainingPaths(
      isolate, [&] { return sampler->ObjectsOf(stacks_); }, [&] { return sampler->AllObjects(); },
      [&] { return stop_.load(std::memory_order_relaxed); });
  json_ = std::move(result.json);
  End(result.aborted ? Outcome::kStopped : Outcome::kDone);
}

void Explanation::Stop() {
  stop_ = true;
  if (!claimed_.exchange(true)) End(Outcome::kStopped);
}

void Explanation::End(Outcome outcome) {
  Outcome open = Outcome::kOpen;
  outcome_.compare_exchange_strong(open, outcome, std::memory_order_acq_rel);
  if (owns_.exchange(false)) one_is_open = false;
}

}  // namespace memprof
