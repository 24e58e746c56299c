// What JavaScript calls through Node-API: arguments in, figures out. Options are checked in lib/, which words
// the errors.

#include <napi.h>
#include <node_version.h>
#include <v8.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "binding/bench.h"
#include "binding/explain.h"
#include "binding/figures.h"
#include "binding/instance.h"
#include "binding/labels.h"
#include "binding/memory.h"
#include "binding/moments.h"
#include "binding/object_reader.h"
#include "binding/proto.h"
#include "binding/records.h"
#include "binding/status.h"
#include "isolate/isolate_registry.h"

namespace memprof {

namespace {

Napi::Value Start(const Napi::CallbackInfo& info) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  StartRequest request;
  ObjectReader options(info[0]);
  request.sampler.sample_interval = static_cast<uint64_t>(options.Number("sampleInterval"));
  request.finest_interval = static_cast<uint64_t>(options.Number("finestInterval"));
  request.sampler.stack_depth = static_cast<int>(options.Number("stackDepth"));
  request.sampler.direct_depth = request.sampler.stack_depth;
  request.sampler.max_overhead = options.Number("maxOverhead");
  request.sampler.max_pause_ns = static_cast<uint64_t>(options.Number("maxPause") * 1e6);
  request.max_table_bytes = static_cast<size_t>(options.Number("maxTableBytes"));
  request.label_threads = static_cast<int>(options.Number("labelThreads"));
  request.reset = options.Boolean("reset");
  std::optional<std::string> dump = options.OptionalText("heapLimitDump");
  if (dump) request.heap_limit_dump = *dump;
  request.buffers = static_cast<int>(options.Number("buffers"));
  request.buffer_interval = static_cast<uint64_t>(options.Number("bufferSampleInterval"));
  request.sampler.direct_samples = static_cast<int>(options.Number("directSamples"));
  request.sampler.call_sites = static_cast<int>(options.Number("callSites"));
  request.existing_buffers = static_cast<uint64_t>(options.Number("existingBuffers"));
  if (!options.ok()) return info.Env().Undefined();
  StartResult result = registry->Start(SamplerOf(info.Env()), request);
  return Napi::Number::New(info.Env(), static_cast<int>(result));
}

void Stop(const Napi::CallbackInfo& info) { IsolateRegistry::Process()->Stop(SamplerOf(info.Env())); }

// Asks all profiled isolates for fresh figures, and returns a function that says how many have yet to answer.
Napi::Value Refresh(const Napi::CallbackInfo& info) {
  std::vector<Refreshment> asked = IsolateRegistry::Process()->Refresh(info[0].As<Napi::Boolean>().Value());
  return Napi::Function::New(info.Env(), [asked](const Napi::CallbackInfo& info) {
    auto open =
        std::count_if(asked.begin(), asked.end(), [](const Refreshment& each) { return !each.done(); });
    return Napi::Number::New(info.Env(), static_cast<double>(open));
  });
}

void SetThreadId(const Napi::CallbackInfo& info) {
  SamplerOf(info.Env())->set_thread_id(info[0].As<Napi::Number>().Uint32Value());
}

// See `AddonInstance::set_on_displaced`.
void OnDisplaced(const Napi::CallbackInfo& info) {
  AddonInstance::Of(info.Env())->set_on_displaced(info[0].As<Napi::Function>());
}

Napi::Value Restart(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), SamplerOf(info.Env())->Restart());
}

// For tests and benchmarks: writes every harvest from now on to the file as well; without an argument, stops
// doing so.
Napi::Value Record(const Napi::CallbackInfo& info) {
  std::unique_ptr<HarvestLog> recorder;
  if (info[0].IsString()) recorder = HarvestLog::Open(info[0].As<Napi::String>().Utf8Value());
  bool opened = recorder != nullptr;
  SamplerOf(info.Env())->set_recorder(std::move(recorder));
  return Napi::Boolean::New(info.Env(), opened);
}

// For tests: how often the registry's lock was taken.
Napi::Value RegistryLockings(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(IsolateRegistry::Process()->lockings()));
}

// For tests.
void MistakeForAnothers(const Napi::CallbackInfo& info) { SamplerOf(info.Env())->MistakeForAnothers(); }

// Takes the finest and the coarsest interval. Returns false, and has no effect, where no thread takes samples
// itself.
Napi::Value SetSampleInterval(const Napi::CallbackInfo& info) {
  IntervalRange range{info[0].As<Napi::Number>().Uint32Value(), info[1].As<Napi::Number>().Uint32Value()};
  return Napi::Boolean::New(info.Env(), IsolateRegistry::Process()->SetIntervals(range));
}

// For tests and benchmarks: from here on V8 takes every sample as well, and all are compared.
void CompareAllSamples(const Napi::CallbackInfo& info) {
  SamplerOf(info.Env())->direct().set_compare_all(info[0].As<Napi::Boolean>().Value());
}

// For benchmarks: nanoseconds of each sample since then, ours and V8's.
Napi::Value SampleTimes(const Napi::CallbackInfo& info) {
  const auto& times = SamplerOf(info.Env())->direct().times();
  Napi::Float64Array values = Napi::Float64Array::New(info.Env(), times.size());
  // V8's are negative.
  for (size_t i = 0; i < times.size(); ++i) {
    values[i] = static_cast<double>(times[i].ns) * (times[i].of_v8 ? -1 : 1);
  }
  return values;
}

// For tests: the next look at our own samples finds them wrong.
void DoubtSamples(const Napi::CallbackInfo& info) { SamplerOf(info.Env())->direct().set_doubt(); }

// For tests: of each sampled object of the given stacks its size, and the object itself if JavaScript may
// have it.
Napi::Value SampledObjects(const Napi::CallbackInfo& info) {
  auto stacks = info[0].As<Napi::Uint32Array>();
  IsolateSampler* sampler = SamplerOf(info.Env());
  v8::HandleScope scope(sampler->isolate());
  Napi::Array result = Napi::Array::New(info.Env());
  for (const SampledObject& each : sampler->direct().ObjectsOf({stacks.Data(), stacks.ElementLength()})) {
    Napi::Array entry = Napi::Array::New(info.Env(), 2);
    entry.Set(uint32_t{0}, Napi::Number::New(info.Env(), static_cast<double>(each.size)));
    // Node-API's values are V8's handles.
    auto value = reinterpret_cast<napi_value>(*reinterpret_cast<void* const*>(&each.object));
    if (each.object->IsObject()) entry.Set(1, Napi::Value(info.Env(), value));
    result.Set(result.Length(), entry);
  }
  return result;
}

// For tests.
void HideNodesOutOfMemoryHandler(const Napi::CallbackInfo&) { HeapLimitDump::HideNodesHandler(); }
void PretendOutOfMemory(const Napi::CallbackInfo& info) {
  if (!info[0].ToBoolean()) return HeapLimitDump::PretendOutOfMemory();
  SamplerOf(info.Env())->direct().set_in_settle(HeapLimitDump::PretendOutOfMemory);
}

enum class Abi { kOurs, kAnother, kUnknown };

// Node.js does not check the ABI of modules that use Node-API, and V8's structures differ from ABI to ABI, so
// nothing of V8 may be touched before this. Node-API itself is the same everywhere. In a worker that is being
// terminated meanwhile, the answer is unknown.
Abi RunningAbi(Napi::Env env) {
  Napi::Value value = env.Global();
  for (const char* name : {"process", "versions", "modules"}) {
    value = value.As<Napi::Object>().Get(name);
    if (value.IsEmpty()) return Abi::kUnknown;
  }
  if (!value.IsString()) return Abi::kAnother;
  std::string running = value.As<Napi::String>().Utf8Value();
  return running == std::to_string(NODE_MODULE_VERSION) ? Abi::kOurs : Abi::kAnother;
}

void Throw(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  error.ThrowAsJavaScriptException();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Abi abi = RunningAbi(env);
  if (abi == Abi::kUnknown) return exports;
  if (abi == Abi::kAnother) {
    Throw(env, "ERR_MEMPROF_ABI",
          "this binary of memprof was built for another version of Node.js (ABI " +
              std::to_string(NODE_MODULE_VERSION) +
              "): rebuild it with 'npx memprof build', or install memprof again");
    return exports;
  }
  IsolateRegistry* registry = IsolateRegistry::Process();
  if (registry == nullptr) {
    Throw(env, "ERR_MEMPROF_NO_MEMORY", "the system refused address space for memprof's tables");
    return exports;
  }
  IsolateSampler* sampler = registry->FindOrMake();
  AddonInstance::Make(env, sampler);
  registry->Listen(sampler, env);
  exports.Set("refresh", Napi::Function::New(env, Refresh));
  exports.Set("readPeak", Napi::Function::New(env, ReadPeak));
  exports.Set("historyTimes", Napi::Function::New(env, HistoryTimes));
  exports.Set("readMoment", Napi::Function::New(env, ReadMoment));
  exports.Set("addMoment", Napi::Function::New(env, AddMoment));
  exports.Set("explain", Napi::Function::New(env, Explain));
  exports.Set("start", Napi::Function::New(env, Start));
  exports.Set("stop", Napi::Function::New(env, Stop));
  exports.Set("countRecords", Napi::Function::New(env, CountRecords));
  exports.Set("readRecords", Napi::Function::New(env, ReadRecords));
  exports.Set("takeSnapshot", Napi::Function::New(env, TakeSnapshot));
  exports.Set("stackFrames", Napi::Function::New(env, StackFrames));
  exports.Set("readFrame", Napi::Function::New(env, ReadFrame));
  exports.Set("readBufferFigures", Napi::Function::New(env, ReadBufferFigures));
  exports.Set("readMemory", Napi::Function::New(env, ReadMemory));
  exports.Set("readMemFigures", Napi::Function::New(env, ReadMemFigures));
  exports.Set("setThreadId", Napi::Function::New(env, SetThreadId));
  exports.Set("onDisplaced", Napi::Function::New(env, OnDisplaced));
  exports.Set("restart", Napi::Function::New(env, Restart));
  exports.Set("record", Napi::Function::New(env, Record));
  exports.Set("mistakeForAnothers", Napi::Function::New(env, MistakeForAnothers));
  exports.Set("hideNodesOutOfMemoryHandler", Napi::Function::New(env, HideNodesOutOfMemoryHandler));
  exports.Set("pretendOutOfMemory", Napi::Function::New(env, PretendOutOfMemory));
  exports.Set("registryLockings", Napi::Function::New(env, RegistryLockings));
  exports.Set("setSampleInterval", Napi::Function::New(env, SetSampleInterval));
  exports.Set("compareAllSamples", Napi::Function::New(env, CompareAllSamples));
  exports.Set("sampleTimes", Napi::Function::New(env, SampleTimes));
  exports.Set("doubtSamples", Napi::Function::New(env, DoubtSamples));
  exports.Set("sampledObjects", Napi::Function::New(env, SampledObjects));
  exports.Set("internLabels", Napi::Function::New(env, InternLabels));
  exports.Set("labelsOf", Napi::Function::New(env, LabelsOf));
  exports.Set("proveLabels", Napi::Function::New(env, ProveLabels));
  exports.Set("runningLabels", Napi::Function::New(env, RunningLabels));
  exports.Set("readStatus", Napi::Function::New(env, ReadStatus));
  exports.Set("writingClock", Napi::Function::New(env, WritingClock));
  exports.Set("countWriting", Napi::Function::New(env, CountWriting));
  exports.Set("readMeter", Napi::Function::New(env, ReadMeter));
  exports.Set("meterCalls", Napi::Function::New(env, MeterCalls));
  exports.Set("startCount", Napi::Function::New(env, StartCount));
  exports.Set("countCalls", Napi::Function::New(env, CountCalls));
  exports.Set("endCount", Napi::Function::New(env, EndCount));
  return exports;
}

}  // namespace

}  // namespace memprof

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return memprof::Init(env, exports); }
NODE_API_MODULE(memprof, InitModule)
