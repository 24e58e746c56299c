#include "binding/figures.h"

#include <span>

#include "base/clocks.h"
#include "binding/instance.h"
#include "isolate/isolate_registry.h"

namespace memprof {

namespace {

class NumberObject {
 public:
  explicit NumberObject(Napi::Env env) : object_(Napi::Object::New(env)) {}
  void Set(const char* name, double value) { object_.Set(name, Napi::Number::New(object_.Env(), value)); }
  void Set(const char* name, std::span<const uint64_t> values) {
    object_.Set(name, ToTypedArray<Napi::Float64Array>(object_.Env(), values));
  }
  Napi::Object object() const { return object_; }

 private:
  Napi::Object object_;
};

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Napi::Value ReadMemFigures(const Napi::CallbackInfo& info) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  IsolateSampler* current = SamplerOf(info.Env());
  bool process = info[0].As<Napi::Boolean>().Value();
  MemFigures figures = process ? registry->TotalFigures(current) : current->clock().Fresh();
  NumberObject result(info.Env());
  result.Set("totalAlloc", figures.total_alloc);
  result.Set("heapUsed", figures.heap_used);
  result.Set("heapCommitted", figures.heap_committed);
  result.Set("heapResident", figures.heap_resident);
  result.Set("heapIdle", figures.heap_idle);
  result.Set("heapLimit", figures.heap_limit);
  result.Set("malloced", figures.malloced);
  result.Set("globalHandles", figures.global_handles);
  result.Set("external", figures.external);
  result.Set("stackInuse", figures.stack_inuse);
  result.Set("stackSys", figures.stack_sys);
  result.Set("lifetimeNs", figures.lifetime_ns);
  result.Set("numMinorGC", figures.minor.count);
  result.Set("numMajorGC", figures.major.count);
  result.Set("pauseMinorTotalNs", figures.minor.pause_ns);
  result.Set("pauseMajorTotalNs", figures.major.pause_ns);
  result.Set("numForcedGC", figures.forced);
  result.Set("lastGC", figures.last_gc_ns);
  result.Set("pauseNs", figures.pause_ns);
  result.Set("pauseEnd", figures.pause_end);
  return result.object();
}

Napi::Value ReadBufferFigures(const Napi::CallbackInfo& info) {
  BufferTotals totals;
  if (BufferProfile* profile = BufferProfile::IfMade()) totals = profile->totals();
  NumberObject result(info.Env());
  result.Set("inUse", totals.in_use());
  result.Set("allocated", totals.allocated);
  bool counted = BufferSampler::IsCounted(SamplerOf(info.Env())->isolate());
  result.object().Set("counted", Napi::Boolean::New(info.Env(), counted));
  return result.object();
}

Napi::Value WritingClock(const Napi::CallbackInfo& info) {
  IsolateSampler* current = SamplerOf(info.Env());
  return Napi::Number::New(info.Env(), static_cast<double>(current->WritingClock()));
}

void CountWriting(const Napi::CallbackInfo& info) {
  double since = info[0].As<Napi::Number>().DoubleValue();
  SamplerOf(info.Env())->CountWriting(static_cast<uint64_t>(since));
}

Napi::Value ReadStatus(const Napi::CallbackInfo& info) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  IsolateSampler* current = SamplerOf(info.Env());
  ProcessStatus status = registry->Status(current);
  const SamplerStatus& caller = status.caller;
  const SamplerStatus& sum = status.sum;
  const ProfileTables* tables = registry->tables();
  uint64_t now = MonotonicNs();
  NumberObject result(info.Env());
  result.Set("state", static_cast<double>(caller.state));
  result.Set("sampleInterval", status.sample_interval);
  result.Set("stackDepth", caller.stack_depth);
  uint64_t as_of = caller.state == SamplerState::kRunning ? caller.as_of_ns : status.as_of_ns;
  if (as_of == 0) as_of = caller.as_of_ns;
  result.Set("figuresAgeNs", as_of == 0 ? 0 : now - std::min(now, as_of));
  result.Set("harvests", sum.harvests);
  result.Set("skippedGCs", sum.skipped_gcs);
  result.Set("overdueHarvests", sum.overdue_harvests);
  result.Set("harvestAgeLimitNs", caller.age_limit_ns);
  result.Set("harvestCpuNs", sum.harvest_cpu_ns);
  result.Set("readCpuNs", sum.read_cpu_ns);
  result.Set("translateCpuNs", sum.translate_cpu_ns);
  result.Set("writeCpuNs", sum.write_cpu_ns);
  result.Set("lastHarvestNs", caller.last_harvest_ns);
  result.Set("maxHarvestNs", sum.max_harvest_ns);
  result.Set("runningNs", status.running_ns);
  result.Set("overhead", Share(sum.own_cpu_ns(), status.running_ns));
  result.Set("overheadLastMinute", Share(status.last_minute_cpu_ns, status.last_minute_ns));
  result.Set("samplesSeen", sum.samples_seen);
  result.Set("samplesLost", sum.samples_lost);
  result.Set("samplesImputed", sum.samples_imputed);
  result.Set("samplesPublished", sum.samples_published);
  result.Set("samplesLive", sum.samples_live);
  result.Set("displaced", sum.displaced);
  result.Set("treeNodes", sum.nodes);
  result.Set("isolateBytes", sum.bytes);
  result.Set("isolates", status.threads.size());
  result.Set("isolatesRunning", status.isolates_running);
  result.Set("isolatesEnded", status.isolates_ended);
  result.Set("tableBytes", tables->UsedBytes());
  result.Set("tableCommittedBytes", tables->CommittedBytes());
  result.Set("maxTableBytes", tables->LimitBytes());
  result.Set("frames", tables->FrameCount());
  result.Set("stacks", tables->StackCount());
  result.Set("buckets", tables->BucketCount());
  result.Set("cutStacks", tables->CutStacks());
  result.Set("overflowAllocs", tables->OverflowAllocs());
  const HeapLimitDump& dump = current->heap_limit_dump();
  auto text = [&](const char* name, const char* value) {
    Napi::Env env = info.Env();
    result.object().Set(name,
                        value == nullptr ? env.Null() : Napi::String::New(env, value).As<Napi::Value>());
  };
  text("heapLimitDump", dump.directory() == nullptr ? nullptr : dump.directory()->c_str());
  text("heapLimitDumpProblem", dump.problem());
  const BufferSampler& buffers = current->buffers();
  result.object().Set("buffers", Napi::Boolean::New(info.Env(), buffers.running()));
  text("buffersProblem", buffers.problem());
  result.Set("bufferSampleInterval", registry->buffer_interval());
  BufferProfile* profile = BufferProfile::IfMade();
  result.Set("bufferSamples", profile == nullptr ? 0 : profile->samples());
  result.Set("bufferSamplesLive", profile == nullptr ? 0 : profile->live());
  result.Set("bufferSamplesDropped", profile == nullptr ? 0 : profile->dropped());
  result.Set("bufferThinning", buffers.thinning());
  result.Set("bufferTableBytes", profile == nullptr ? 0 : profile->tables()->CommittedBytes());
  std::vector<uint32_t> running;
  for (const ProcessStatus::Thread& thread : status.threads) {
    if (thread.state == SamplerState::kRunning) running.push_back(static_cast<uint32_t>(thread.id));
  }
  result.object().Set("runningThreads", ToTypedArray<Napi::Uint32Array>(info.Env(), running));
  return result.object();
}

}  // namespace memprof
