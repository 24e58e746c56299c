// What an IsolateSampler does for the peak of the heap, and for the histories of the heap and of buffers.

#include <uv.h>

#include <utility>

#include "base/clocks.h"
#include "buffers/buffer_profile.h"
#include "isolate/isolate_sampler.h"

namespace memprof {

uint64_t IsolateSampler::ReportHeap(uint64_t used) {
  int64_t change = static_cast<int64_t>(used) - static_cast<int64_t>(reported_heap_);
  reported_heap_ = used;
  return HeapMoments::Process()->AddHeap(change);
}

void IsolateSampler::LookWhetherMomentIsDue(bool major) {
  if (state_ != SamplerState::kRunning) return;
  HeapMoments* moments = HeapMoments::Process();
  uint64_t now = MonotonicNs();
  moment_.at_ns = now;
  moment_.heap_used = ReportHeap(clock_.heap_used());
  moment_.external = clock_.external();
  remembering_.Spend(moment_work_->TakeSpentNs());
  if (moment_work_->at_work()) return;
  bool has_time = remembering_.HasTime(options_.max_overhead, Elapsed(figures_.started_ns, now));
  peak_is_due_ = has_time && moments->IsPeak(moment_.heap_used);
  history_is_due_ = history_is_due_ || (major && has_time && moments->IsHistoryDue(now));
}

void IsolateSampler::RememberMoment() {
  if ((!peak_is_due_ && !history_is_due_) || moment_work_->at_work()) return;
  uint64_t begin = MonotonicNs();
  uint64_t cpu_begin = ThreadCpuNs();
  if (direct_.active()) direct_.PublishLookedUp();
  MomentJob job{moment_, peak_is_due_, history_is_due_};
  peak_is_due_ = history_is_due_ = false;
  if (tables_->BucketCount() >= MomentWork::kManyBuckets && StartBackground()) {
    MomentWork::Begin(moment_work_, std::move(job));
  } else {
    Remember(std::move(job));
  }
  uint64_t cpu = Elapsed(cpu_begin, ThreadCpuNs());
  uint64_t now = MonotonicNs();
  remembering_.Spend(cpu);
  figures_.harvest_cpu_ns += cpu;
  CountPause(cpu, Elapsed(begin, now));
  figures_.meter.Add(now, cpu);
}

void Remember(MomentJob job) {
  size_t rss;
  if (uv_resident_set_memory(&rss) == 0) job.moment.rss = rss;
  HeapMoments* moments = HeapMoments::Process();
  if (job.is_peak) moments->TryTakePeak(job.moment);
  // If another thread is at it, the history has a moment of now.
  if (job.for_history && moments->TryAddToHistory(job.moment)) {
    if (BufferProfile* buffers = BufferProfile::IfMade()) buffers->moments()->TryAddToHistory(job.moment);
  }
}

void MomentWork::Run() {
  uint64_t begin = ThreadCpuNs();
  Remember(std::move(job_));
  spent_ns_.fetch_add(Elapsed(begin, ThreadCpuNs()), std::memory_order_relaxed);
  at_work_.store(false, std::memory_order_release);
}

}  // namespace memprof
