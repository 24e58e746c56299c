#include "isolate_sampler.h"

#include <v8-profiler.h>

#include <algorithm>
#include <memory>

namespace memprof {

namespace {

// Other types call back without collecting anything. The second is named differently by V8's versions.
constexpr v8::GCType kCollecting = static_cast<v8::GCType>(v8::kGCTypeScavenge | (1 << 1) | v8::kGCTypeMarkSweepCompact);

// A translation of V8's tree allocates strings on the heap it describes.
constexpr uint64_t kRoomForHarvest = 4 << 20;

}  // namespace

IsolateSampler::IsolateSampler(v8::Isolate* isolate, ProfileTables* tables)
    : isolate_(isolate), tables_(tables), clock_(isolate), harvest_(tables), interner_(tables) {
  isolate_->AddGCPrologueCallback(OnPrologue, this, kCollecting);
  isolate_->AddGCEpilogueCallback(OnEpilogue, this, kCollecting);
}

IsolateSampler::~IsolateSampler() {
  harvest_.Forget();
  isolate_->RemoveGCPrologueCallback(OnPrologue, this);
  isolate_->RemoveGCEpilogueCallback(OnEpilogue, this);
}

bool IsolateSampler::Start(uint64_t sample_interval, int stack_depth) {
  if (!isolate_->GetHeapProfiler()->StartSamplingHeapProfiler(sample_interval, stack_depth,
                                                              v8::HeapProfiler::kSamplingNoFlags)) {
    return false;
  }
  harvest_.Forget();
  interner_.Clear();
  state_ = SamplerState::kRunning;
  figures_.stack_depth = stack_depth;
  PublishStatus();
  return true;
}

void IsolateSampler::Stop() {
  // A worker that ran out of memory has none left for a last look at what it did.
  if (state_ == SamplerState::kRunning && !HeapNearlyFull()) DoHarvest();
  if (state_ == SamplerState::kRunning) isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
  state_ = SamplerState::kStopped;
  PublishStatus();
}

void IsolateSampler::PrepareRead() {
  // Between two GCs a harvest finds nothing that may be published.
  if (state_ == SamplerState::kRunning && (clock_.completed() != harvested_at_gc_ || tables_->Empty())) DoHarvest();
  if (tables_->Empty()) harvest_.PublishPending();
}

void IsolateSampler::OnPrologue(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* data) {
  auto* self = static_cast<IsolateSampler*>(data);
  self->clock_.OnPrologue();
  // A GC inside our own harvest comes here again: the harvest is under way and must not begin a second time.
  if (self->state_ == SamplerState::kRunning && !self->harvesting_) self->DoHarvest();
  self->clock_.OnPauseBegin();
}

void IsolateSampler::OnEpilogue(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags flags, void* data) {
  static_cast<IsolateSampler*>(data)->clock_.OnEpilogue(type, flags);
}

void IsolateSampler::DoHarvest() {
  harvesting_ = true;
  uint64_t begin = MonotonicNs();
  {
    v8::HandleScope scope(isolate_);
    std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
    if (profile == nullptr) {
      LeaveToOthers();
    } else {
      interner_.Read(isolate_, profile->GetRootNode());
      harvest_.Begin();
      for (const auto& sample : profile->GetSamples()) {
        harvest_.See(sample.sample_id, sample.node_id, sample.size, interner_.StackOf(sample.node_id));
      }
      if (!harvest_.End(clock_.completed())) LeaveToOthers();
    }
  }
  harvested_at_gc_ = clock_.completed();
  uint64_t took = MonotonicNs() - begin;
  ++figures_.harvests;
  figures_.harvest_ns += took;
  figures_.max_harvest_ns = std::max(figures_.max_harvest_ns, took);
  harvesting_ = false;
  PublishStatus();
}

void IsolateSampler::LeaveToOthers() {
  harvest_.Forget();
  interner_.Clear();
  state_ = SamplerState::kDisplaced;
}

void IsolateSampler::PublishStatus() {
  figures_.state = state_;
  figures_.samples_seen = harvest_.counts().seen;
  figures_.samples_lost = harvest_.counts().lost;
  figures_.samples_published = harvest_.counts().published;
  figures_.samples_live = harvest_.live();
  figures_.nodes = interner_.size();
  figures_.bytes = harvest_.bytes() + interner_.bytes();
  status_.Store(figures_);
}

bool IsolateSampler::HeapNearlyFull() {
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  return heap.used_heap_size() + kRoomForHarvest > heap.heap_size_limit();
}

}  // namespace memprof
