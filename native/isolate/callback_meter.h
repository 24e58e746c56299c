// Counts what the sampler does in a callback of V8's, except for what counts itself on the way. In the middle of
// our own work, that work counts it.
//
// Thread safety: none; belongs to the isolate's thread.

#ifndef MEMPROF_NATIVE_ISOLATE_CALLBACK_METER_H_
#define MEMPROF_NATIVE_ISOLATE_CALLBACK_METER_H_

#include <cstdint>

#include "base/clocks.h"
#include "isolate/isolate_sampler.h"

namespace memprof {

class IsolateSampler::CallbackMeter {
 public:
  explicit CallbackMeter(IsolateSampler* sampler)
      : sampler_(sampler->state_ != SamplerState::kRunning || sampler->harvesting_ ? nullptr : sampler) {
    if (sampler_ == nullptr) return;
    begin_ns_ = MonotonicNs();
    cpu_begin_ns_ = ThreadCpuNs();
    counted_ns_ = sampler_->figures_.harvest_cpu_ns;
    counted_wall_ns_ = sampler_->pause_wall_ns_;
  }
  CallbackMeter(const CallbackMeter&) = delete;
  CallbackMeter& operator=(const CallbackMeter&) = delete;
  ~CallbackMeter() {
    if (sampler_ == nullptr) return;
    uint64_t counted = sampler_->figures_.harvest_cpu_ns - counted_ns_;
    uint64_t cpu = Elapsed(counted, Elapsed(cpu_begin_ns_, ThreadCpuNs()));
    uint64_t now = MonotonicNs();
    sampler_->figures_.harvest_cpu_ns += cpu;
    sampler_->CountPause(cpu, Elapsed(sampler_->pause_wall_ns_ - counted_wall_ns_, Elapsed(begin_ns_, now)));
    sampler_->MeterSampling(now, cpu);
    sampler_->PublishStatus();
  }

 private:
  IsolateSampler* const sampler_;
  uint64_t begin_ns_ = 0;
  uint64_t cpu_begin_ns_ = 0;
  uint64_t counted_ns_ = 0;
  uint64_t counted_wall_ns_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_CALLBACK_METER_H_
