#include "isolate_registry.h"

#include <node.h>

#include <algorithm>

namespace memprof {

namespace {

void AddStatus(SamplerStatus* sum, const SamplerStatus& other) {
  sum->harvests += other.harvests;
  sum->harvest_ns += other.harvest_ns;
  sum->max_harvest_ns = std::max(sum->max_harvest_ns, other.max_harvest_ns);
  sum->samples_seen += other.samples_seen;
  sum->samples_lost += other.samples_lost;
  sum->samples_published += other.samples_published;
  sum->samples_live += other.samples_live;
  sum->nodes += other.nodes;
  sum->bytes += other.bytes;
}

}  // namespace

IsolateRegistry* IsolateRegistry::Process() {
  static IsolateRegistry* registry = [] {
    ProfileTables* tables = ProfileTables::Process();
    return tables == nullptr ? nullptr : new IsolateRegistry(tables);
  }();
  return registry;
}

IsolateSampler* IsolateRegistry::Current() {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (IsolateSampler* sampler : samplers_) {
      if (sampler->isolate() == isolate) return sampler;
    }
  }
  // Only this thread can add this isolate: it cannot have come meanwhile. An addon may be loaded many times by one
  // isolate (a test runner that empties the module cache), but the hook must be added once: twice aborts.
  auto* sampler = new IsolateSampler(isolate, tables_);
  node::AddEnvironmentCleanupHook(isolate, OnEnvironmentEnd, sampler);
  std::lock_guard<std::mutex> lock(mutex_);
  samplers_.push_back(sampler);
  return sampler;
}

StartResult IsolateRegistry::Start(IsolateSampler* sampler, const StartRequest& request) {
  uint64_t interval;
  bool was_stopped = sampler->state() == SamplerState::kStopped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (request.reset) {
      if (running_ != 0) return StartResult::kResetWhileRunning;
      tables_->Reset();
    }
    bool bound = running_ != 0 || !tables_->Empty();
    interval = request.sample_interval;
    if (interval == 0) interval = bound ? sample_interval_ : kDefaultInterval;
    if (bound && interval != sample_interval_) return StartResult::kOtherInterval;
    if (sampler->state() == SamplerState::kRunning) return StartResult::kAlreadyRunning;
    if (request.max_table_bytes != 0) tables_->SetLimit(request.max_table_bytes);
    sample_interval_ = interval;
    if (was_stopped) ++running_;  // from here on nobody may reset, or agree on another interval
  }
  if (sampler->Start(interval, request.stack_depth)) return StartResult::kStarted;
  std::lock_guard<std::mutex> lock(mutex_);
  if (was_stopped) --running_;
  return StartResult::kSamplerBusy;
}

void IsolateRegistry::Stop(IsolateSampler* sampler) {
  if (sampler->state() == SamplerState::kStopped) return;
  sampler->Stop();
  std::lock_guard<std::mutex> lock(mutex_);
  --running_;
}

void IsolateRegistry::PrepareRead(IsolateSampler* caller) {
  if (caller->state() != SamplerState::kStopped) return caller->PrepareRead();
  std::lock_guard<std::mutex> lock(mutex_);
  caller->PrepareRead();
}

void IsolateRegistry::OnEnvironmentEnd(void* sampler) {
  Process()->End(static_cast<IsolateSampler*>(sampler));
}

void IsolateRegistry::End(IsolateSampler* sampler) {
  MemFigures figures = sampler->clock().Fresh();
  figures.KeepTotalsOnly();
  Stop(sampler);
  std::lock_guard<std::mutex> lock(mutex_);
  samplers_.erase(std::remove(samplers_.begin(), samplers_.end(), sampler), samplers_.end());
  SamplerStatus status = sampler->status();
  status.samples_live = status.nodes = status.bytes = 0;
  AddStatus(&ended_status_, status);
  ended_figures_.Add(figures);
  ++ended_;
  delete sampler;
}

MemFigures IsolateRegistry::TotalFigures(IsolateSampler* caller) {
  MemFigures total = caller->clock().Fresh();
  std::lock_guard<std::mutex> lock(mutex_);
  total.Add(ended_figures_);
  for (IsolateSampler* sampler : samplers_) {
    if (sampler != caller) total.Add(sampler->clock().Published());
  }
  return total;
}

ProcessStatus IsolateRegistry::Status(IsolateSampler* caller) {
  ProcessStatus status;
  std::lock_guard<std::mutex> lock(mutex_);
  status.sum = ended_status_;
  for (IsolateSampler* sampler : samplers_) AddStatus(&status.sum, sampler->status());
  status.sum.state = caller->state();
  status.sum.stack_depth = caller->status().stack_depth;
  status.sample_interval = sample_interval_;
  status.isolates = samplers_.size();
  status.isolates_running = running_;
  status.isolates_ended = ended_;
  return status;
}

}  // namespace memprof
