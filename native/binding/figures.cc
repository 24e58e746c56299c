#include "binding/figures.h"

#include <algorithm>
#include <span>
#include <vector>

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

}  // namespace

Napi::Value ReadMemFigures(const Napi::CallbackInfo& info) {
  IsolateRegistry* registry = IsolateRegistry::Process();
  IsolateSampler* current = SamplerOf(info.Env());
  bool process = info[0].As<Napi::Boolean>().Value();
  MemFigures figures = process ? registry->TotalFigures(current) : current->clock().Fresh();
  NumberObject result(info.Env());
  result.Set("totalAlloc", figures.total_alloc);
  result.Set("heapUsed", figures.heap_used);
  result.Set("largestHeap", figures.largest_heap);
  result.Set("heapCommitted", figures.heap_committed);
  result.Set("heapResident", figures.heap_resident);
  result.Set("heapIdle", figures.heap_idle);
  result.Set("heapLimit", figures.heap_limit);
  result.Set("malloced", figures.malloced);
  result.Set("globalHandles", figures.global_handles);
  result.Set("external", figures.external);
  result.Set("staticExternal", figures.static_external);
  int64_t reported = Napi::MemoryManagement::AdjustExternalMemory(info.Env(), 0);
  result.Set("reportedExternal", static_cast<uint64_t>(std::max<int64_t>(0, reported)));
  std::vector<double> spaces;
  for (const SpaceFigures& space : figures.spaces) {
    spaces.push_back(static_cast<double>(space.used));
    spaces.push_back(static_cast<double>(space.committed));
  }
  result.object().Set("spaces", ToTypedArray<Napi::Float64Array>(info.Env(), spaces));
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

}  // namespace memprof
