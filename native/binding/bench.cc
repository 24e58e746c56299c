#include "binding/bench.h"

#include "binding/figures.h"
#include "binding/instance.h"
#include "heap/allocation_counter.h"

namespace memprof {

namespace {

// Releases the handle of each call's result before the next call. False when a call throws.
bool Call(Napi::Env env, Napi::Function function, uint32_t times) {
  napi_value undefined = env.Undefined();
  for (uint32_t i = 0; i < times; ++i) {
    Napi::HandleScope scope(env);
    napi_value result;
    if (napi_call_function(env, undefined, function, 0, nullptr, &result) != napi_ok) return false;
  }
  return true;
}

// Of this isolate: bytes ever allocated, minor collections, major collections, their pauses in ns.
constexpr size_t kMeterFigures = 4;

void Read(Napi::Env env, double sign, double* figures) {
  const MemFigures& now = SamplerOf(env)->clock().Now();
  figures[0] += sign * static_cast<double>(now.total_alloc);
  figures[1] += sign * static_cast<double>(now.minor.count);
  figures[2] += sign * static_cast<double>(now.major.count);
  figures[3] += sign * static_cast<double>(now.minor.pause_ns + now.major.pause_ns);
}

}  // namespace

// readMeter(figures, sign): adds sign * the figures to `figures`. Allocates nothing on V8's heap.
Napi::Value ReadMeter(const Napi::CallbackInfo& info) {
  Read(info.Env(), info[1].As<Napi::Number>().DoubleValue(), info[0].As<Napi::Float64Array>().Data());
  return info.Env().Undefined();
}

// meterCalls(function, times, figures): sets `figures` to what the calls changed. The loop is here so that
// nothing is inlined into it, and nothing but the calls allocates.
Napi::Value MeterCalls(const Napi::CallbackInfo& info) {
  Napi::Function function = info[0].As<Napi::Function>();
  uint32_t times = info[1].As<Napi::Number>().Uint32Value();
  double figures[kMeterFigures] = {};
  Read(info.Env(), -1, figures);
  if (!Call(info.Env(), function, times)) return Napi::Value();
  Read(info.Env(), 1, figures);
  std::copy(figures, figures + kMeterFigures, info[2].As<Napi::Float64Array>().Data());
  return info.Env().Undefined();
}

// startCount(interval, depth, kept): returns false when this thread is already being sampled.
Napi::Value StartCount(const Napi::CallbackInfo& info) {
  uint64_t interval = info[0].As<Napi::Number>().Int64Value();
  int depth = info[1].As<Napi::Number>().Int32Value();
  bool kept = info[2].As<Napi::Boolean>().Value();
  return Napi::Boolean::New(info.Env(),
                            SamplerOf(info.Env())->allocation_counter().Start(interval, depth, kept));
}

// countCalls(function, times, interval, depth, kept): startCount, followed by the calls. Stops the sampler
// when a call throws.
Napi::Value CountCalls(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Function function = info[0].As<Napi::Function>();
  uint32_t times = info[1].As<Napi::Number>().Uint32Value();
  uint64_t interval = info[2].As<Napi::Number>().Int64Value();
  int depth = info[3].As<Napi::Number>().Int32Value();
  bool kept = info[4].As<Napi::Boolean>().Value();
  AllocationCounter& counter = SamplerOf(env)->allocation_counter();
  if (!counter.Start(interval, depth, kept)) return Napi::Boolean::New(env, false);
  if (!Call(env, function, times)) {
    counter.Stop();
    return Napi::Value();
  }
  return Napi::Boolean::New(env, true);
}

// endCount(mark): returns what was allocated since the start, or null when somebody else stopped the sampler.
// `mark` is a function named AllocationCounter::kEndMark that allocates; without it the count is abandoned.
Napi::Value EndCount(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  AllocationCounter& counter = SamplerOf(env)->allocation_counter();
  AllocationCounts counts;
  bool read = false;
  if (counter.running() && info[0].IsFunction()) {
    // Keeps its result alive: otherwise a GC might remove the sample that `Read` looks for.
    napi_value marked;
    read = napi_call_function(env, env.Undefined(), info[0], 0, nullptr, &marked) == napi_ok &&
           counter.Read(&counts);
  }
  counter.Stop();
  if (!read) return env.Null();
  Napi::Object result = Napi::Object::New(env);
  result.Set("events", Napi::Number::New(env, static_cast<double>(counts.events)));
  Napi::Array sites = Napi::Array::New(env, counts.sites.size());
  for (size_t i = 0; i < counts.sites.size(); ++i) {
    const AllocationSite& site = counts.sites[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("events", Napi::Number::New(env, site.events));
    object.Set("bytes", Napi::Number::New(env, site.bytes));
    Napi::Array frames = Napi::Array::New(env, site.frames.size());
    for (size_t j = 0; j < site.frames.size(); ++j) {
      const AllocationFrame& frame = counts.frames[site.frames[j]];
      Napi::Array values = Napi::Array::New(env, 4);
      values.Set(uint32_t{0}, Napi::String::New(env, frame.function_name));
      values.Set(1, Napi::String::New(env, frame.url));
      values.Set(2, Napi::Number::New(env, frame.line));
      values.Set(3, Napi::Number::New(env, frame.column));
      frames.Set(static_cast<uint32_t>(j), values);
    }
    object.Set("frames", frames);
    sites.Set(static_cast<uint32_t>(i), object);
  }
  result.Set("sites", sites);
  return result;
}

}  // namespace memprof
