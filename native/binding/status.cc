#include "binding/status.h"

#include <algorithm>
#include <vector>

#include "base/background.h"
#include "base/clocks.h"
#include "binding/figures.h"
#include "binding/instance.h"
#include "heap/interval_steering.h"
#include "isolate/isolate_registry.h"

namespace memprof {

namespace {

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// One group of figures. lib/addon/status-figures.ts declares the names and says what each means.
class Group {
 public:
  explicit Group(Napi::Env env) : object_(Napi::Object::New(env)) {}
  void Set(const char* name, double value) { object_.Set(name, Napi::Number::New(object_.Env(), value)); }
  void SetFlag(const char* name, bool value) { object_.Set(name, Napi::Boolean::New(object_.Env(), value)); }
  void SetText(const char* name, const char* value) {
    Napi::Env env = object_.Env();
    object_.Set(name, value == nullptr ? env.Null() : Napi::String::New(env, value).As<Napi::Value>());
  }
  Napi::Object object() const { return object_; }

 private:
  Napi::Object object_;
};

uint64_t FiguresAge(const ProcessStatus& status) {
  const SamplerStatus& caller = status.caller;
  uint64_t as_of = caller.state == SamplerState::kRunning ? caller.as_of_ns : status.as_of_ns;
  if (as_of == 0) as_of = caller.as_of_ns;
  uint64_t now = MonotonicNs();
  return as_of == 0 ? 0 : now - std::min(now, as_of);
}

Group Heap(Napi::Env env, const ProcessStatus& status) {
  const SamplerStatus& sum = status.sum;
  Group heap(env);
  heap.SetText("source", status.caller.is_direct ? "direct" : "public");
  heap.SetText("sourceProblem", status.caller.direct_problem);
  heap.Set("sampleInterval", status.sample_interval);
  heap.Set("interval", status.caller.state == SamplerState::kRunning ? status.caller.interval : 0);
  heap.Set("stackDepth", status.caller.stack_depth);
  heap.Set("figuresAgeNs", FiguresAge(status));
  heap.Set("samplesSeen", sum.samples_seen);
  heap.Set("samplesLost", sum.samples_lost);
  heap.Set("samplesImputed", sum.samples_imputed);
  heap.Set("samplesPublished", sum.samples_published);
  heap.Set("samplesLive", sum.samples_live);
  heap.Set("harvests", sum.harvests);
  heap.Set("skippedCollections", sum.skipped_gcs);
  heap.Set("overdueHarvests", sum.overdue_harvests);
  heap.Set("longestPauseNs", sum.longest_pause_ns);
  heap.Set("thinning", 1);
  heap.Set("displaced", sum.displaced);
  return heap;
}

const char* Limited(const SamplerStatus& caller) {
  if (!caller.is_direct) return "reading";
  IntervalRange range = WantedIntervals();
  return range.finest < range.coarsest ? "total" : "nothing";
}

Group Overhead(Napi::Env env, const ProcessStatus& status, double limit) {
  const SamplerStatus& sum = status.sum;
  Group overhead(env);
  overhead.Set("total", Share(sum.own_cpu_ns(), status.running_ns));
  overhead.Set("reading", Share(sum.harvest_cpu_ns + sum.read_cpu_ns, status.running_ns));
  overhead.object().Set("sampling", env.Null());
  if (sum.direct.steps != 0) overhead.Set("sampling", Share(sum.direct.sampling_ns(), status.running_ns));
  overhead.Set("writing", Share(sum.write_cpu_ns, status.running_ns));
  overhead.Set("limit", limit);
  overhead.SetText("limited", Limited(status.caller));
  overhead.Set("lastMinute", Share(status.last_minute_cpu_ns, status.last_minute_ns));
  return overhead;
}

Group Tables(Napi::Env env, const ProfileTables* known) {
  Group tables(env);
  tables.Set("usedBytes", known->UsedBytes());
  tables.Set("committedBytes", known->CommittedBytes());
  tables.Set("maxBytes", known->LimitBytes());
  tables.Set("frames", known->FrameCount());
  tables.Set("stacks", known->StackCount());
  tables.Set("buckets", known->BucketCount());
  tables.Set("cutStacks", known->CutStacks());
  tables.Set("overflowSamples", known->OverflowAllocs());
  return tables;
}

Group Buffers(Napi::Env env, const BufferSampler& sampler, uint64_t interval) {
  BufferProfile* profile = BufferProfile::IfMade();
  Group buffers(env);
  buffers.SetFlag("running", sampler.running());
  buffers.SetText("problem", sampler.problem());
  buffers.Set("bytes", profile == nullptr ? 0 : profile->totals().in_use());
  buffers.Set("sampleInterval", interval);
  buffers.Set("samplesSeen", profile == nullptr ? 0 : profile->samples());
  buffers.Set("samplesLive", profile == nullptr ? 0 : profile->live());
  buffers.Set("samplesDropped", profile == nullptr ? 0 : profile->dropped());
  buffers.Set("thinning", sampler.thinning());
  buffers.Set("mostThinning", profile == nullptr ? 1 : profile->most_thinning());
  buffers.Set("tableBytes", profile == nullptr ? 0 : profile->tables()->CommittedBytes());
  return buffers;
}

Group Calls(Napi::Env env, const ProcessStatus& status) {
  const CallSiteFigures& sum = status.sum.direct.calls;
  Group calls(env);
  calls.SetFlag("running", status.caller.has_calls);
  calls.SetText("problem", status.caller.call_problem);
  calls.Set("samples", sum.samples);
  calls.Set("withLines", sum.with_lines);
  calls.Set("skipped", sum.skipped);
  calls.Set("unfit", sum.unfit);
  calls.Set("unknown", sum.unknown);
  return calls;
}

Group Dump(Napi::Env env, const HeapLimitDump& heap_limit_dump) {
  const std::string* directory = heap_limit_dump.directory();
  Group dump(env);
  dump.SetText("directory", directory == nullptr ? nullptr : directory->c_str());
  dump.SetText("problem", heap_limit_dump.problem());
  return dump;
}

Group Internal(Napi::Env env, const ProcessStatus& status) {
  const SamplerStatus& sum = status.sum;
  Group internal(env);
  internal.Set("runningNs", status.running_ns);
  internal.Set("harvestCpuNs", sum.harvest_cpu_ns);
  internal.Set("readCpuNs", sum.read_cpu_ns);
  internal.Set("translateCpuNs", sum.translate_cpu_ns);
  internal.Set("writeCpuNs", sum.write_cpu_ns);
  internal.Set("directSamples", sum.direct.steps);
  internal.Set("directSampleNs", sum.direct.step_ns);
  internal.Set("v8Samples", sum.direct.v8_steps);
  internal.Set("v8SampleNs", sum.direct.v8_step_ns);
  internal.Set("callSiteNs", sum.direct.calls.ns);
  internal.Set("stacksCompared", sum.direct.compared);
  internal.Set("stacksAskedOfV8", sum.direct.unsure);
  internal.Set("stacksReadInPlace", sum.direct.read_in_place);
  internal.Set("backgroundCpuNs", BackgroundCpuNs());
  internal.Set("lastHarvestNs", status.caller.last_harvest_ns);
  internal.Set("longestPauseWallNs", sum.longest_pause_wall_ns);
  internal.Set("harvestAgeLimitNs", status.caller.age_limit_ns);
  internal.Set("treeNodes", sum.nodes);
  internal.Set("isolateBytes", sum.bytes);
  internal.Set("isolates", status.threads.size());
  internal.Set("isolatesRunning", status.isolates_running);
  internal.Set("isolatesEnded", status.isolates_ended);
  return internal;
}

}  // namespace

Napi::Value ReadStatus(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  IsolateRegistry* registry = IsolateRegistry::Process();
  IsolateSampler* current = SamplerOf(env);
  ProcessStatus status = registry->Status(current);
  std::vector<uint32_t> threads;
  for (const ProcessStatus::Thread& thread : status.threads) {
    threads.push_back(static_cast<uint32_t>(thread.id));
    threads.push_back(static_cast<uint32_t>(thread.state));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("state", Napi::Number::New(env, static_cast<double>(status.caller.state)));
  result.Set("threads", ToTypedArray<Napi::Uint32Array>(env, threads));
  result.Set("heap", Heap(env, status).object());
  result.Set("overhead", Overhead(env, status, current->max_overhead()).object());
  result.Set("tables", Tables(env, registry->tables()).object());
  result.Set("buffers", Buffers(env, current->buffers(), registry->buffer_interval()).object());
  result.Set("callSites", Calls(env, status).object());
  result.Set("dump", Dump(env, current->heap_limit_dump()).object());
  result.Set("internal", Internal(env, status).object());
  return result;
}

}  // namespace memprof
