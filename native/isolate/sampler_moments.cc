// What an IsolateSampler does for the peak of the heap, and for the histories of the heap and of buffers.

#include <uv.h>

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
  bool has_time = remembering_.HasTime(options_.max_overhead, Elapsed(figures_.started_ns, now));
  peak_is_due_ = has_time && moments->IsPeak(moment_.heap_used);
  history_is_due_ = history_is_due_ || (major && has_time && moments->IsHistoryDue(now));
}

void IsolateSampler::RememberMoment() {
  if (!peak_is_due_ && !history_is_due_) return;
  uint64_t begin = MonotonicNs();
  uint64_t cpu_begin = ThreadCpuNs();
  size_t rss;
  if (uv_resident_set_memory(&rss) == 0) moment_.rss = rss;
  HeapMoments* moments = HeapMoments::Process();
  if (peak_is_due_) moments->TryTakePeak(moment_);
  // If another thread is at it, the history has a moment of now.
  if (history_is_due_ && moments->TryAddToHistory(moment_)) {
    if (BufferProfile* buffers = BufferProfile::IfMade()) buffers->moments()->TryAddToHistory(moment_);
  }
  peak_is_due_ = history_is_due_ = false;
  uint64_t cpu = Elapsed(cpu_begin, ThreadCpuNs());
  uint64_t now = MonotonicNs();
  remembering_.Spend(cpu);
  figures_.harvest_cpu_ns += cpu;
  CountPause(cpu, Elapsed(begin, now));
  figures_.meter.Add(now, cpu);
}

}  // namespace memprof
