#include "isolate/isolate_registry.h"

#include <node.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clocks.h"
#include "base/old_glibc.h"
#include "encode/profile_text.h"

MEMPROF_OLD_GLIBC(pthread_mutex_trylock);

namespace memprof {

namespace {

using Lock = std::lock_guard<CountedMutex>;

void AddStatus(SamplerStatus* sum, const SamplerStatus& other) {
  sum->displaced += other.displaced;
  sum->direct.Add(other.direct);
  sum->skipped_gcs += other.skipped_gcs;
  sum->overdue_harvests += other.overdue_harvests;
  sum->harvest_cpu_ns += other.harvest_cpu_ns;
  sum->read_cpu_ns += other.read_cpu_ns;
  sum->translate_cpu_ns += other.translate_cpu_ns;
  sum->write_cpu_ns += other.write_cpu_ns;
  sum->samples_imputed += other.samples_imputed;
  sum->harvests += other.harvests;
  sum->longest_pause_ns = std::max(sum->longest_pause_ns, other.longest_pause_ns);
  sum->longest_pause_wall_ns = std::max(sum->longest_pause_wall_ns, other.longest_pause_wall_ns);
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
    HeapLimitDump::SetFacts([](ProfileTextFacts* facts) {
      facts->sample_interval = Process()->sample_interval();
      Process()->TryPublishedFigures(&facts->figures, &facts->own_bytes);
    });
    return tables == nullptr ? nullptr : new IsolateRegistry(tables);
  }();
  return registry;
}

bool IsolateRegistry::LockWithin(int milliseconds) {
  for (int waited = 0; !mutex_.try_lock(); ++waited) {
    if (waited == milliseconds) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

IsolateSampler* IsolateRegistry::FindOrMake() {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  {
    Lock lock(mutex_);
    for (IsolateSampler* sampler : samplers_) {
      if (sampler->isolate() == isolate) return sampler;
    }
  }
  // Only this thread can add this isolate, so it was not added meanwhile. One isolate may load the addon many
  // times (under a test runner that empties the module cache), but must add the hook only once: twice aborts.
  auto* sampler = new IsolateSampler(isolate, tables_);
  node::AddEnvironmentCleanupHook(isolate, OnEnvironmentEnd, sampler);
  Lock lock(mutex_);
  samplers_.push_back(sampler);
  return sampler;
}

StartResult IsolateRegistry::Start(IsolateSampler* sampler, const StartRequest& request) {
  SamplerOptions options;
  bool label;
  bool with_buffers;
  std::string heap_limit_dump;
  bool was_stopped = sampler->state() == SamplerState::kStopped;
  {
    std::unique_lock<std::mutex> tables_lock(tables_mutex_, std::defer_lock);
    if (request.reset) tables_lock.lock();
    Lock lock(mutex_);
    if (request.reset) {
      if (running_ != 0) return StartResult::kResetWhileRunning;
      tables_->Reset();
      if (BufferProfile* buffers = BufferProfile::IfMade()) buffers->Reset();
    }
    bool bound = running_ != 0 || !tables_->Empty();
    options = Complete(request.sampler);
    if (request.sampler.sample_interval == 0 && !bound) options.sample_interval = kDefaultInterval;
    if (bound && options.sample_interval != sample_interval_) return StartResult::kOtherInterval;
    if (sampler->state() == SamplerState::kRunning) return StartResult::kAlreadyRunning;
    with_buffers = request.buffers < 0 ? buffers_ : request.buffers != 0;
    if (with_buffers) {
      bool bound = BufferRecordsExist();
      uint64_t interval = request.buffer_interval;
      if (interval == 0) interval = bound ? buffer_interval_.load() : buffer_interval_latest_;
      if (bound && interval != buffer_interval_) return StartResult::kOtherBufferInterval;
      buffer_interval_ = buffer_interval_latest_ = interval;
      ++buffers_running_;  // from now on no other interval may be chosen
    }
    buffers_ = with_buffers;
    if (request.max_table_bytes != 0) tables_->SetLimit(request.max_table_bytes);
    if (running_ == 0) WantIntervals(IntervalsFor(request, options));
    sample_interval_ = options.sample_interval;
    latest_ = options;
    if (request.label_threads >= 0) label_threads_ = request.label_threads != 0;
    label = label_threads_;
    if (request.heap_limit_dump) heap_limit_dump_ = *request.heap_limit_dump;
    heap_limit_dump = heap_limit_dump_;
    if (was_stopped) ++running_;  // from now on nobody may reset, or choose another interval
  }
  options.thread = label ? ThreadLabel(sampler) : 0;
  if (sampler->Start(options)) {
    if (with_buffers) StartBuffers(sampler, options, request.existing_buffers);
    if (!heap_limit_dump.empty())
      sampler->heap_limit_dump().Start(heap_limit_dump, sampler->status().thread_id);
    return StartResult::kStarted;
  }
  Lock lock(mutex_);
  if (was_stopped) --running_;
  if (with_buffers) --buffers_running_;
  return StartResult::kSamplerBusy;
}

bool IsolateRegistry::BufferRecordsExist() const {
  BufferProfile* buffers = BufferProfile::IfMade();
  return buffers_running_ != 0 || (buffers != nullptr && !buffers->tables()->Empty());
}

// REQUIRES: the sampler is counted as running.
void IsolateRegistry::StartBuffers(IsolateSampler* sampler, const SamplerOptions& options,
                                   uint64_t existing) {
  bool was_running = sampler->buffers().running();  // it went on while the heap's sampler was displaced
  bool started = sampler->buffers().Start(
      {buffer_interval_, options.stack_depth, options.max_overhead, options.thread, existing});
  if (started && !was_running) return;
  Lock lock(mutex_);
  --buffers_running_;
}

void IsolateRegistry::Stop(IsolateSampler* sampler, bool isolate_ends) {
  if (sampler->state() == SamplerState::kStopped) return;
  if (isolate_ends && sampler->RanOutOfHeap()) sampler->heap_limit_dump().DumpAtEnd();
  sampler->Stop(isolate_ends);
  sampler->heap_limit_dump().Stop();
  bool with_buffers = sampler->buffers().running();
  sampler->buffers().Stop();
  Lock lock(mutex_);
  --running_;
  if (with_buffers) --buffers_running_;
}

void IsolateRegistry::PrepareRead(IsolateSampler* caller) {
  if (caller->state() != SamplerState::kStopped) return caller->PrepareRead();
  std::lock_guard<std::mutex> lock(tables_mutex_);
  caller->PrepareRead();
}

void IsolateRegistry::Listen(IsolateSampler* sampler, napi_env env) {
  if (sampler->doorbell()) return;
  auto work = [this, sampler](bool collect) {
    std::optional<ExplanationRef> asked = sampler->explanations().Take();
    if (asked) (*asked)->Run(sampler->isolate(), &sampler->direct());
    if (sampler->state() != SamplerState::kRunning) return;
    if (collect) {
      sampler->clock().CountForced();
      sampler->isolate()->LowMemoryNotification();
    }
    PrepareRead(sampler);
    sampler->clock().Fresh();
  };
  DoorbellRef doorbell = DoorbellRef::Make(sampler->isolate(), work);
  Doorbell::Listen(doorbell, env);
  Lock lock(mutex_);
  sampler->set_doorbell(doorbell);
}

std::vector<Refreshment> IsolateRegistry::Refresh(bool collect) {
  std::vector<Refreshment> asked;
  Lock lock(mutex_);
  for (IsolateSampler* sampler : samplers_) {
    if (!sampler->doorbell() || sampler->status().state != SamplerState::kRunning) continue;
    const DoorbellRef& doorbell = *sampler->doorbell();
    asked.push_back({doorbell, doorbell->Ring(collect)});
  }
  return asked;
}

std::optional<Refreshment> IsolateRegistry::Explain(uint64_t thread_id, const ExplanationRef& request) {
  Lock lock(mutex_);
  for (IsolateSampler* sampler : samplers_) {
    SamplerStatus status = sampler->status();
    if (!sampler->doorbell() || status.thread_id != thread_id || status.state != SamplerState::kRunning)
      continue;
    sampler->explanations().Put(request);
    const DoorbellRef& doorbell = *sampler->doorbell();
    return Refreshment{doorbell, doorbell->Ring(false)};
  }
  return std::nullopt;
}

void IsolateRegistry::OnEnvironmentEnd(void* sampler) {
  Process()->End(static_cast<IsolateSampler*>(sampler));
}

void IsolateRegistry::End(IsolateSampler* sampler) {
  // The environment that wants to know is being torn down as well.
  sampler->set_on_displaced(nullptr);
  if (sampler->doorbell()) (*sampler->doorbell())->Close();
  MemFigures figures = sampler->clock().Fresh();
  figures.KeepTotalsOnly();
  sampler->allocation_counter().Stop();
  Stop(sampler, true);
  std::lock_guard<std::mutex> tables_lock(tables_mutex_);
  sampler->End();
  Lock lock(mutex_);
  samplers_.erase(std::remove(samplers_.begin(), samplers_.end(), sampler), samplers_.end());
  SamplerStatus status = sampler->status();
  status.bytes = 0;
  AddStatus(&ended_status_, status);
  ended_status_.ran_ns += status.ran_ns;
  ended_figures_.Add(figures);
  ++ended_;
  delete sampler;
}

bool IsolateRegistry::TryPublishedFigures(MemFigures* total, uint64_t* own_bytes) {
  constexpr int kPatience = 50;  // milliseconds
  // The thread on which V8 runs out of memory never holds the lock, since nothing under the lock calls V8.
  if (!LockWithin(kPatience)) return false;
  std::unique_lock<CountedMutex> lock(mutex_, std::adopt_lock);
  *own_bytes = tables_->CommittedBytes();
  total->Add(ended_figures_);
  for (IsolateSampler* sampler : samplers_) {
    total->Add(sampler->clock().published()->Load());
    *own_bytes += sampler->status().bytes;
  }
  return true;
}

MemFigures IsolateRegistry::TotalFigures(IsolateSampler* caller) {
  MemFigures total = caller->clock().Fresh();
  MemFigures ended;
  std::vector<PublishedFigures> others;
  {
    Lock lock(mutex_);
    ended = ended_figures_;
    others.reserve(samplers_.size());
    for (IsolateSampler* sampler : samplers_) {
      if (sampler != caller) others.push_back(sampler->clock().published());
    }
  }
  // A thread that ends from now on is not among those that ended.
  total.Add(ended);
  for (const PublishedFigures& published : others) total.Add(published->Load());
  return total;
}

ProcessStatus IsolateRegistry::Status(IsolateSampler* caller) {
  ProcessStatus status;
  uint64_t now = MonotonicNs();
  constexpr uint64_t kMinute = 60'000'000'000;
  Lock lock(mutex_);
  status.caller = caller->status();
  status.sum = ended_status_;
  status.running_ns = ended_status_.ran_ns;
  for (IsolateSampler* sampler : samplers_) {
    SamplerStatus each = sampler->status();
    uint64_t ran = each.started_ns == 0 ? 0 : now - std::min(now, each.started_ns);
    AddStatus(&status.sum, each);
    status.running_ns += each.ran_ns + ran;
    status.last_minute_cpu_ns += each.meter.LastMinute(now);
    status.last_minute_ns += std::min(ran, kMinute);
    status.threads.push_back({each.thread_id, each.state});
    if (each.state != SamplerState::kRunning || each.as_of_ns == 0) continue;
    if (status.as_of_ns == 0 || each.as_of_ns < status.as_of_ns) status.as_of_ns = each.as_of_ns;
  }
  status.sample_interval = sample_interval();
  status.isolates_running = running_;
  status.isolates_ended = ended_;
  return status;
}

bool IsolateRegistry::SetIntervals(IntervalRange range) {
  Lock lock(mutex_);
  bool can = std::any_of(samplers_.begin(), samplers_.end(), [](IsolateSampler* sampler) {
    SamplerStatus status = sampler->status();
    return status.state == SamplerState::kRunning && status.is_direct;
  });
  if (can) WantIntervals(range);
  return can;
}

uint64_t IsolateRegistry::lockings() {
  Lock lock(mutex_);
  return mutex_.lockings();
}

SamplerOptions IsolateRegistry::Complete(SamplerOptions options) const {
  if (options.sample_interval == 0) options.sample_interval = latest_.sample_interval;
  if (options.stack_depth == 0) {
    options.stack_depth = latest_.stack_depth;
    options.direct_depth = latest_.direct_depth;
  }
  if (options.max_overhead == 0) options.max_overhead = latest_.max_overhead;
  if (options.max_pause_ns == 0) options.max_pause_ns = latest_.max_pause_ns;
  if (options.direct_samples < 0) options.direct_samples = latest_.direct_samples;
  if (options.call_sites < 0) options.call_sites = latest_.call_sites;
  return options;
}

// `options` are those of the request, completed.
IntervalRange IsolateRegistry::IntervalsFor(const StartRequest& request, const SamplerOptions& options) {
  uint64_t interval = options.sample_interval;
  uint64_t finest = request.finest_interval == 0 ? interval : request.finest_interval;
  bool by_default = request.sampler.sample_interval == 0 && interval == kDefaultInterval;
  uint64_t coarsest = options.call_sites > 0 ? kCoarsestWithLines : kCoarsestByDefault;
  if (!by_default) coarsest = interval;
  return {static_cast<uint32_t>(finest), static_cast<uint32_t>(coarsest)};
}

uint32_t IsolateRegistry::ThreadLabel(IsolateSampler* sampler) {
  if (sampler->thread_label() != 0) return sampler->thread_label();
  // The records of an ended thread stay, so each label costs as many buckets as its thread has stacks, for good.
  // The second half of the tables is kept for stacks.
  if (tables_->UsedBytes() > tables_->LimitBytes() / 2) return kOtherThreads;
  // Plus 1, since the main thread's id is 0, which as a label would mean none.
  return static_cast<uint32_t>(sampler->status().thread_id) + 1;
}

}  // namespace memprof
