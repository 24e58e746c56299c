#include "isolate/isolate_sampler.h"

#include <v8-profiler.h>

#include <algorithm>

#include "base/clocks.h"
#include "isolate/callback_meter.h"

namespace memprof {

namespace {

// V8 calls back for other types too, but collects nothing in them. Versions of V8 name the second type
// differently.
constexpr v8::GCType kCollecting =
    static_cast<v8::GCType>(v8::kGCTypeScavenge | (1 << 1) | v8::kGCTypeMarkSweepCompact);

// When V8 translates its tree, it allocates strings and line tables on the very heap that it describes. A
// heap that is nearly full has no room for them. The room needed is the heap limit divided by this, within
// the bounds below.
constexpr uint64_t kRoomForHarvestDivisor = 32;
constexpr uint64_t kLeastRoomForHarvest = 4 << 20;
constexpr uint64_t kMostRoomForHarvest = 64 << 20;

// So long may functions be described in a GC. The others wait for the next one, or for a reader.
constexpr uint64_t kLongestDescribingNs = 500'000;

// A harvest is barren when V8 ran a full GC for it and showed less than one of this many expected samples.
constexpr uint64_t kBarrenRatio = 4;
// After this many barren harvests in a row, the sampler is taken for somebody else's.
constexpr int kBarrenUntilDisplaced = 4;

}  // namespace

IsolateSampler::IsolateSampler(v8::Isolate* isolate, ProfileTables* tables)
    : isolate_(isolate),
      tables_(tables),
      clock_(isolate),
      allocation_counter_(isolate),
      heap_limit_dump_(isolate),
      labels_(isolate),
      buffers_(isolate, &labels_),
      harvest_(tables),
      interner_(tables),
      direct_(isolate, tables, &labels_) {
  heap_limit_dump_.set_update([this] { return direct_.PublishAsOfNow(); });
  isolate_->AddGCPrologueCallback(OnPrologue, this, kCollecting);
  isolate_->AddGCEpilogueCallback(OnEpilogue, this, kCollecting);
}

IsolateSampler::~IsolateSampler() {
  *self_ = nullptr;
  isolate_->RemoveGCPrologueCallback(OnPrologue, this);
  isolate_->RemoveGCEpilogueCallback(OnEpilogue, this);
}

bool IsolateSampler::Start(SamplerOptions options) {
  options.stack_depth = std::min(options.stack_depth, kMostV8Depth);
  // One frame more than what is kept tells which stacks are cut.
  auto begin = [&] {
    return isolate_->GetHeapProfiler()->StartSamplingHeapProfiler(
        options.sample_interval, options.stack_depth + 1, v8::HeapProfiler::kSamplingNoFlags);
  };
  if (!begin()) {
    if (!TurnsOutToBeOurs()) return false;
    isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
    if (!begin()) return false;
  }
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  heap_limit_ = heap.heap_size_limit();
  harvest_.Forget();
  harvest_.set_thread(options.thread);
  harvest_.set_interval(tables_->IntervalCode(static_cast<uint32_t>(options.sample_interval)));
  interner_.Clear();
  direct_.Detach();
  direct_.Forget();
  if (options.direct_samples > 0 && recorder_ == nullptr) {
    direct_.Attach({.interval = static_cast<uint32_t>(options.sample_interval),
                    .depth = options.direct_depth,
                    .v8_depth = options.stack_depth,
                    .thread = options.thread,
                    .max_overhead = options.max_overhead});
  }
  if (options.call_sites > 0 && direct_.active()) direct_.AttachCalls(options.max_overhead);
  uint64_t now = MonotonicNs();
  if (state_ == SamplerState::kStopped) {
    budget_.Configure(options.max_overhead, options.max_pause_ns, now);
    figures_.started_ns = now;
  }
  options_ = options;
  perhaps_ours_ = false;
  state_ = SamplerState::kRunning;
  PublishStatus();
  return true;
}

bool IsolateSampler::Restart() { return state_ == SamplerState::kDisplaced && Start(options_); }

// If our sampler was wrongly taken for somebody else's, it still runs, and V8 refuses to start another one.
// Without this check it would run forever, and nothing would be counted.
bool IsolateSampler::TurnsOutToBeOurs() {
  constexpr uint64_t kLongestWaitNs = 600'000'000'000;
  if (perhaps_ours_ && direct_.StillOurs()) return true;
  uint64_t now = MonotonicNs();
  if (!perhaps_ours_ || now < look_at_ns_ || HeapNearlyFull()) return false;
  clock_.OnPrologue();
  uint64_t taken = ExpectedTaken();
  harvested_at_alloc_ = clock_.total_alloc();
  v8::HandleScope scope(isolate_);
  harvesting_ = true;
  std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
  harvesting_ = false;
  uint64_t highest = 0;
  if (profile != nullptr) {
    for (const auto& sample : profile->GetSamples()) highest = std::max(highest, sample.sample_id);
  }
  int proofs = continuity_.proofs();
  bool ours = continuity_.Proves(highest, taken);
  // A look may be expensive, so each look that does not agree doubles the wait before the next one. Looks
  // that agree do not: only a few of them are needed.
  if (continuity_.proofs() <= proofs) look_wait_ns_ = std::min(look_wait_ns_ * 2, kLongestWaitNs);
  look_at_ns_ = now + look_wait_ns_;
  return ours;
}

void IsolateSampler::Stop(bool isolate_ends) {
  if (state_ == SamplerState::kStopped) return;
  // A worker that ran out of memory has no room for a last harvest.
  bool no_room = isolate_ends ? RanOutOfHeap() : HeapNearlyFull();
  if (!no_room) LookAtSamples(Reason::kRead);
  LookWhoseSamplerRuns();
  direct_.Detach();
  if (state_ == SamplerState::kRunning || (isolate_ends && perhaps_ours_)) {
    isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
  }
  probe_.Reset();
  harvest_.FlushLost();
  state_ = SamplerState::kStopped;
  figures_.ran_ns += Elapsed(figures_.started_ns, MonotonicNs());
  figures_.started_ns = 0;
  PublishStatus();
}

void IsolateSampler::End() {
  ReportHeap(0);
  harvest_.Forget();
  direct_.Forget();
  interner_.Clear();
  PublishStatus();
}

void IsolateSampler::PrepareRead() {
  // Unless a GC was completed since the last harvest, another one finds nothing that may be published.
  if (direct_.active() || clock_.completed() != harvested_at_gc_ || tables_->Empty())
    LookAtSamples(Reason::kRead);
  direct_.PublishLate();
  // The totals must be right now, although the next harvest would bring a few more donors for lost samples.
  harvest_.FlushLost();
  if (tables_->Empty()) {
    harvest_.PublishPending();
    direct_.Publish();
    figures_.as_of_ns = MonotonicNs();
  }
  PublishStatus();
}

void IsolateSampler::CountWriting(uint64_t since) {
  uint64_t now = WritingClock();
  if (state_ == SamplerState::kStopped || now <= since) return;
  figures_.write_cpu_ns += now - since;
  figures_.meter.Add(MonotonicNs(), now - since);
  PublishStatus();
}

void IsolateSampler::set_thread_id(uint64_t id) {
  figures_.thread_id = id;
  PublishStatus();
}

// Estimates what V8 will have to translate, without asking V8: what was there at the last harvest, and the
// samples that must have been taken since.
uint64_t IsolateSampler::ExpectedWork() const { return interner_.size() + harvest_.live() + ExpectedTaken(); }

// Estimates the samples taken since the last harvest from the bytes allocated since.
uint64_t IsolateSampler::ExpectedTaken() const {
  return (clock_.total_alloc() - harvested_at_alloc_) / options_.sample_interval;
}

void IsolateSampler::OnPrologue(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags flags, void* data) {
  auto* self = static_cast<IsolateSampler*>(data);
  self->buffers_.OnPrologue();
  // Our own harvest may cause a GC, which comes here again. The harvest must not begin a second time then.
  if (!self->harvesting_) self->pause_cpu_ns_ = self->pause_wall_ns_ = 0;
  {
    CallbackMeter meter(self);
    self->LookBeforeCollection(type, flags);
  }
  self->clock_.OnPauseBegin();
}

void IsolateSampler::LookBeforeCollection(v8::GCType type, v8::GCCallbackFlags flags) {
  clock_.OnPrologue();
  if (harvesting_) return;
  Settle(Reason::kPrologue);
  if (state_ == SamplerState::kRunning && !direct_.active()) {
    bool forced = (flags & v8::kGCCallbackFlagForced) != 0 || recorder_ != nullptr;
    bool major = type == v8::kGCTypeMarkSweepCompact;
    Verdict verdict = budget_.Decide(MonotonicNs(), ExpectedWork(), major);
    if (forced) {
      DoHarvest(Reason::kForcedGc);
    } else if (verdict != Verdict::kSkip) {
      if (verdict == Verdict::kOverdue) ++figures_.overdue_harvests;
      DoHarvest(Reason::kPrologue);
    } else {
      ++figures_.skipped_gcs;
    }
  }
  // Samples that V8 takes are known as of the last collection only now.
  RememberMoment();
}

void IsolateSampler::OnEpilogue(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags flags, void* data) {
  auto* self = static_cast<IsolateSampler*>(data);
  {
    CallbackMeter meter(self);
    self->clock_.OnEpilogue(type, flags);
    self->PublishDirect(type == v8::kGCTypeMarkSweepCompact);
    self->LookWhetherMomentIsDue(type == v8::kGCTypeMarkSweepCompact);
    if (self->direct_.active()) self->RememberMoment();
  }
  self->buffers_.OnEpilogue(type == v8::kGCTypeMarkSweepCompact,
                            self->buffers_.running() && self->HeapNearlyFull());
}

void IsolateSampler::DoHarvest(Reason reason) {
  harvesting_ = true;
  uint64_t begin = MonotonicNs();
  uint64_t cpu_begin = ThreadCpuNs();
  ReadSamples();
  harvested_at_gc_ = clock_.completed();
  harvested_at_alloc_ = clock_.total_alloc();
  uint64_t cpu = Elapsed(cpu_begin, ThreadCpuNs());
  uint64_t now = MonotonicNs();
  uint64_t work = interner_.size() + harvest_.live();
  ++figures_.harvests;
  figures_.last_harvest_ns = Elapsed(begin, now);
  if (reason != Reason::kRead) {
    budget_.Spend(now, cpu, work, reason == Reason::kForcedGc ? Payment::kForced : Payment::kInFull);
    figures_.harvest_cpu_ns += cpu;
    CountPause(cpu, figures_.last_harvest_ns);
  } else {
    budget_.Learn(now, cpu, work);
    figures_.read_cpu_ns += cpu;
  }
  figures_.meter.Add(now, cpu);
  if (clock_.last_gc_end_ns() != 0) figures_.as_of_ns = clock_.last_gc_end_ns();
  harvesting_ = false;
  PublishStatus();
}

// Works in either mode: samples taken by us are settled, samples taken by V8 are harvested.
void IsolateSampler::LookAtSamples(Reason reason) {
  Settle(reason);
  if (state_ == SamplerState::kRunning && !direct_.active()) DoHarvest(reason);
}

void IsolateSampler::LookWhoseSamplerRuns() {
  if (state_ != SamplerState::kRunning || !direct_.active() || direct_.StillOurs()) return;
  LeaveToOthers(true);
  PublishStatus();
}

// Settles the samples that we take ourselves. Does nothing when V8 takes them. In a GC, the callback's meter
// counts it.
void IsolateSampler::Settle(Reason reason) {
  LookWhoseSamplerRuns();
  if (state_ != SamplerState::kRunning || !direct_.active()) return;
  harvesting_ = true;
  bool for_reader = reason == Reason::kRead;
  uint64_t begin = MonotonicNs();
  uint64_t cpu_begin = for_reader ? ThreadCpuNs() : 0;
  if (!direct_.Settle(for_reader ? DirectSampler::kNoLimit : begin + kLongestDescribingNs)) {
    harvest_.BeginAfter(direct_.v8_boundary());
  }
  uint64_t now = MonotonicNs();
  ++figures_.harvests;
  figures_.last_harvest_ns = Elapsed(begin, now);
  if (for_reader) {
    uint64_t cpu = Elapsed(cpu_begin, ThreadCpuNs());
    figures_.read_cpu_ns += cpu;
    MeterSampling(now, cpu);
  }
  harvested_at_gc_ = clock_.completed();
  harvested_at_alloc_ = clock_.total_alloc();
  harvesting_ = false;
}

void IsolateSampler::PublishDirect(bool major) {
  if (state_ == SamplerState::kStopped || !direct_.AnyToPublish()) return;
  direct_.OnCollected(major);
  direct_.Publish();
  if (major) direct_.EndMajorCollection();
  if (direct_.active()) figures_.as_of_ns = clock_.last_gc_end_ns();
  PublishStatus();
}

// Counts a stretch of work in the pause of a GC. Its wall time may contain what other programs did.
void IsolateSampler::CountPause(uint64_t cpu_ns, uint64_t wall_ns) {
  pause_cpu_ns_ += cpu_ns;
  pause_wall_ns_ += wall_ns;
  figures_.longest_pause_ns = std::max(figures_.longest_pause_ns, pause_cpu_ns_);
  figures_.longest_pause_wall_ns = std::max(figures_.longest_pause_wall_ns, pause_wall_ns_);
}

void IsolateSampler::MeterSampling(uint64_t now, uint64_t more_ns) {
  uint64_t sampling = direct_.figures().sampling_ns();
  figures_.meter.Add(now, more_ns + sampling - figures_.direct.sampling_ns());
  if (direct_.active()) direct_.Pay(now, more_ns);
  figures_.direct = direct_.figures();
}

void IsolateSampler::ReadSamples() {
  v8::HandleScope scope(isolate_);
  uint64_t cpu_begin = ThreadCpuNs();
  uint64_t used = buffers_.running() ? HeapUsed() : 0;
  probe_.Begin(isolate_);
  std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
  bool collected = probe_.End();
  // V8 calls no callbacks for a GC inside a prologue. The probe misses a GC whose marking had already reached
  // it, so the size of the heap is compared as well.
  if (collected || (used != 0 && HeapUsed() < used)) buffers_.OnUnseenGc();
  figures_.translate_cpu_ns += Elapsed(cpu_begin, ThreadCpuNs());
  if (profile == nullptr) return LeaveToOthers(true);
  interner_.Read(isolate_, profile->GetRootNode(), options_.stack_depth);
  if (recorder_ != nullptr) recorder_->Write({0, clock_.completed(), 0, 0});
  harvest_.Begin();
  for (const auto& sample : profile->GetSamples()) {
    auto stack_of = [&] { return interner_.StackOf(sample.node_id); };
    harvest_.See(sample.sample_id, sample.node_id, sample.size, stack_of);
    if (recorder_ != nullptr) {
      Ref stack = stack_of();
      Ref leaf = stack == 0 ? 0 : tables_->StackAt(stack)->key.frame;
      recorder_->Write({sample.sample_id, sample.size, sample.node_id, leaf});
    }
  }
  // Our sampler runs no GC when it is asked for its samples. One that runs a full GC again and again, and
  // therefore shows hardly any samples, is not ours, and to go on harvesting it would be ruinous.
  bool barren = collected && profile->GetSamples().size() * kBarrenRatio < ExpectedTaken();
  barren_in_a_row_ = barren ? barren_in_a_row_ + 1 : 0;
  if (!harvest_.End({clock_.completed(), ExpectedTaken(), collected}) ||
      barren_in_a_row_ == kBarrenUntilDisplaced)
    LeaveToOthers(harvest_.contradicted());

  cpu_begin = ThreadCpuNs();
  profile.reset();
  figures_.translate_cpu_ns += Elapsed(cpu_begin, ThreadCpuNs());
}

void IsolateSampler::LeaveToOthers(bool certain) {
  perhaps_ours_ = !certain;
  if (perhaps_ours_) {
    constexpr uint64_t kFirstWaitNs = 2'000'000'000;
    continuity_.Begin(harvest_.last_id(), ExpectedTaken());
    harvested_at_alloc_ = clock_.total_alloc();
    look_at_ns_ = MonotonicNs() + kFirstWaitNs;
    look_wait_ns_ = kFirstWaitNs;
  }
  harvest_.Forget();
  interner_.Clear();
  direct_.Detach();
  direct_.Forget();
  state_ = SamplerState::kDisplaced;
  barren_in_a_row_ = 0;
  ++figures_.displaced;
  if (on_displaced_) on_displaced_();
}

void IsolateSampler::PublishStatus() {
  figures_.state = state_;
  HarvestCounts counts = harvest_.counts();
  figures_.samples_seen = counts.seen + direct_.taken();
  figures_.samples_lost = counts.lost;
  figures_.samples_imputed = counts.imputed;
  figures_.samples_published = counts.published + direct_.published();
  figures_.samples_live = harvest_.live() + direct_.live();
  figures_.nodes = interner_.size();
  figures_.age_limit_ns = budget_.AgeLimit(interner_.size() + harvest_.live());
  figures_.bytes = harvest_.bytes() + interner_.bytes() + direct_.bytes();
  figures_.is_direct = direct_.active();
  figures_.stack_depth = direct_.active() ? options_.direct_depth : options_.stack_depth;
  figures_.interval = direct_.active() ? direct_.interval() : options_.sample_interval;
  figures_.direct_problem = direct_.problem();
  figures_.has_calls = direct_.has_calls();
  figures_.call_problem = nullptr;
  if (state_ == SamplerState::kRunning && options_.call_sites > 0) {
    figures_.call_problem = direct_.active() ? direct_.call_problem()
                                             : "memprof does not take the samples itself: see heap.source";
  }
  status_.Store(figures_);
}

uint64_t IsolateSampler::HeapUsed() {
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  return heap.used_heap_size();
}

bool IsolateSampler::HeapNearlyFull() {
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  uint64_t limit = heap.heap_size_limit();
  return heap.used_heap_size() +
             std::clamp(limit / kRoomForHarvestDivisor, kLeastRoomForHarvest, kMostRoomForHarvest) >
         limit;
}

bool IsolateSampler::RanOutOfHeap() {
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  return heap.heap_size_limit() > heap_limit_ || HeapNearlyFull();
}

}  // namespace memprof
