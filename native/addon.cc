// The N-API surface: arguments in, figures out. Options are checked in lib/, where errors get their words.

#include <napi.h>
#include <node_version.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "isolate_registry.h"

namespace memprof {

namespace {

template <typename Array, typename Values>
Array ToTypedArray(Napi::Env env, const Values& values) {
  Array array = Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Value Start(const Napi::CallbackInfo& info) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  StartRequest request;
  request.sample_interval = info[0].As<Napi::Number>().Int64Value();
  request.stack_depth = info[1].As<Napi::Number>().Int32Value();
  request.max_table_bytes = info[2].As<Napi::Number>().Int64Value();
  request.reset = info[3].As<Napi::Boolean>().Value();
  StartResult result = registry->Start(registry->Current(), request);
  return Napi::Number::New(info.Env(), static_cast<int>(result));
}

void Stop(const Napi::CallbackInfo&) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  registry->Stop(registry->Current());
}

// A record is one bucket: four figures and the ref of its stack. `in_use_zero` as in Go's MemProfile.
template <typename F>
void ForEachRecord(bool in_use_zero, F&& f) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  registry->PrepareRead(registry->Current());
  registry->ForEachBucket([&](const Bucket& bucket, const Figures& figures) {
    if (in_use_zero || figures.alloc_bytes != figures.free_bytes) f(bucket, figures);
  });
}

Napi::Value CountRecords(const Napi::CallbackInfo& info) {
  size_t count = 0;
  ForEachRecord(info[0].As<Napi::Boolean>().Value(), [&](const Bucket&, const Figures&) { ++count; });
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value ReadRecords(const Napi::CallbackInfo& info) {
  std::vector<double> figures;
  std::vector<uint32_t> stacks;
  std::vector<double> size_limits;
  ForEachRecord(info[0].As<Napi::Boolean>().Value(), [&](const Bucket& bucket, const Figures& read) {
    for (uint64_t value : {read.alloc_bytes, read.free_bytes, read.alloc_objects, read.free_objects}) {
      figures.push_back(static_cast<double>(value));
    }
    stacks.push_back(bucket.key.stack);
    size_limits.push_back(static_cast<double>(SizeClassLimit(bucket.key.size_class)));
  });
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("figures", ToTypedArray<Napi::Float64Array>(info.Env(), figures));
  result.Set("stacks", ToTypedArray<Napi::Uint32Array>(info.Env(), stacks));
  result.Set("sizeLimits", ToTypedArray<Napi::Float64Array>(info.Env(), size_limits));
  return result;
}

// The refs of a stack's frames, leaf first.
Napi::Value StackFrames(const Napi::CallbackInfo& info) {
  const ProfileTables* tables = IsolateRegistry::Process()->tables();
  std::vector<Ref> frames;
  Ref ref = info[0].As<Napi::Number>().Uint32Value();
  while (ref != 0) {
    const StackNode* stack = tables->StackAt(ref);
    frames.push_back(stack->key.frame);
    ref = stack->key.parent;
  }
  return ToTypedArray<Napi::Uint32Array>(info.Env(), frames);
}

Napi::Value ReadFrame(const Napi::CallbackInfo& info) {
  const ProfileTables* tables = IsolateRegistry::Process()->tables();
  const FrameKey& frame = tables->FrameAt(info[0].As<Napi::Number>().Uint32Value())->key;
  std::string_view name = tables->StringAt(frame.function_name);
  std::string_view url = tables->StringAt(frame.url);
  Napi::Array result = Napi::Array::New(info.Env(), 5);
  result.Set(uint32_t{0}, Napi::String::New(info.Env(), name.data(), name.size()));
  result.Set(1, Napi::String::New(info.Env(), url.data(), url.size()));
  result.Set(2, Napi::Number::New(info.Env(), frame.line));
  result.Set(3, Napi::Number::New(info.Env(), frame.column));
  result.Set(4, Napi::Number::New(info.Env(), static_cast<double>(frame.address)));
  return result;
}

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

// `process` is false for the calling isolate alone.
Napi::Value ReadMemFigures(const Napi::CallbackInfo& info) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  IsolateSampler* current = registry->Current();
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

Napi::Value ReadStatus(const Napi::CallbackInfo& info) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  ProcessStatus status = registry->Status(registry->Current());
  const ProfileTables* tables = registry->tables();
  NumberObject result(info.Env());
  result.Set("state", static_cast<double>(status.sum.state));
  result.Set("sampleInterval", status.sample_interval);
  result.Set("stackDepth", status.sum.stack_depth);
  result.Set("harvests", status.sum.harvests);
  result.Set("harvestNs", status.sum.harvest_ns);
  result.Set("maxHarvestNs", status.sum.max_harvest_ns);
  result.Set("samplesSeen", status.sum.samples_seen);
  result.Set("samplesLost", status.sum.samples_lost);
  result.Set("samplesPublished", status.sum.samples_published);
  result.Set("samplesLive", status.sum.samples_live);
  result.Set("treeNodes", status.sum.nodes);
  result.Set("isolateBytes", status.sum.bytes);
  result.Set("isolates", status.isolates);
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
  return result.object();
}

// node-addon-api modules are loaded without Node's own check, and V8's structures differ from ABI to ABI: nothing of V8
// may be touched before this. Napi itself is the same everywhere.
bool AbiMatches(Napi::Env env) {
  Napi::Value process = env.Global().Get("process");
  Napi::Value versions = process.As<Napi::Object>().Get("versions");
  std::string running = versions.As<Napi::Object>().Get("modules").ToString().Utf8Value();
  return running == std::to_string(NODE_MODULE_VERSION);
}

void Throw(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  error.ThrowAsJavaScriptException();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (!AbiMatches(env)) {
    Throw(env, "ERR_MEMPROF_ABI",
          "this binary of memprof was built for another version of Node.js (ABI " +
              std::to_string(NODE_MODULE_VERSION) + "): rebuild it, or install memprof again");
    return exports;
  }
  IsolateRegistry* registry = IsolateRegistry::Process();
  if (registry == nullptr) {
    Throw(env, "ERR_MEMPROF_NO_MEMORY", "the system refused addresses for memprof's tables");
    return exports;
  }
  registry->Current();
  exports.Set("start", Napi::Function::New(env, Start));
  exports.Set("stop", Napi::Function::New(env, Stop));
  exports.Set("countRecords", Napi::Function::New(env, CountRecords));
  exports.Set("readRecords", Napi::Function::New(env, ReadRecords));
  exports.Set("stackFrames", Napi::Function::New(env, StackFrames));
  exports.Set("readFrame", Napi::Function::New(env, ReadFrame));
  exports.Set("readMemFigures", Napi::Function::New(env, ReadMemFigures));
  exports.Set("readStatus", Napi::Function::New(env, ReadStatus));
  return exports;
}

}  // namespace

}  // namespace memprof

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return memprof::Init(env, exports); }
NODE_API_MODULE(memprof, InitModule)
