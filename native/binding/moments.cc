#include "binding/moments.h"

#include <vector>

#include "base/clocks.h"
#include "binding/figures.h"
#include "binding/instance.h"
#include "buffers/buffer_profile.h"
#include "heap/heap_moments.h"
#include "isolate/isolate_registry.h"

namespace memprof {

namespace {

double AgeMs(uint64_t at_ns) {
  return (static_cast<double>(MonotonicNs()) - static_cast<double>(at_ns)) / 1e6;
}

// `nullptr` for those of buffers, if none were ever profiled.
HeapMoments* MomentsOf(bool of_buffers) {
  if (!of_buffers) return HeapMoments::Process();
  BufferProfile* buffers = BufferProfile::IfMade();
  return buffers == nullptr ? nullptr : buffers->moments();
}

Napi::Value ToObject(Napi::Env env, const HeapMoment& moment, bool of_buffers) {
  if (moment.at_ns == 0) return env.Null();
  const ProfileTables* tables =
      of_buffers ? BufferProfile::IfMade()->tables() : IsolateRegistry::Process()->tables();
  std::vector<double> figures;
  std::vector<uint32_t> stacks;
  std::vector<double> size_limits;
  std::vector<uint32_t> threads;
  std::vector<uint32_t> labels;
  std::vector<uint16_t> intervals;
  for (const InUse& each : moment.buckets) {
    const Bucket& bucket = *tables->BucketAt(each.bucket);
    const BucketKey& key = bucket.key;
    Figures in_use = tables->AtFinest(bucket, {each.objects, each.bytes, 0, 0});
    if (in_use.alloc_objects == 0) continue;
    for (double value :
         {static_cast<double>(in_use.alloc_bytes), 0.0, static_cast<double>(in_use.alloc_objects), 0.0}) {
      figures.push_back(value);
    }
    stacks.push_back(key.stack);
    size_limits.push_back(static_cast<double>(SizeClassLimit(key.size_class)));
    threads.push_back(key.thread);
    labels.push_back(key.labels);
    intervals.push_back(key.interval);
  }
  Napi::Object result = Napi::Object::New(env);
  auto set = [&](const char* name, uint64_t value) {
    result.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  result.Set("ageMs", Napi::Number::New(env, AgeMs(moment.at_ns)));
  set("heapUsed", moment.heap_used);
  set("external", moment.external);
  set("rss", moment.rss);
  set("leftOutBytes", moment.left_out_bytes);
  result.Set("figures", ToTypedArray<Napi::Float64Array>(env, figures));
  result.Set("stacks", ToTypedArray<Napi::Uint32Array>(env, stacks));
  result.Set("threads", ToTypedArray<Napi::Uint32Array>(env, threads));
  result.Set("labels", ToTypedArray<Napi::Uint32Array>(env, labels));
  result.Set("intervals", ToTypedArray<Napi::Uint16Array>(env, intervals));
  result.Set("sizeLimits", ToTypedArray<Napi::Float64Array>(env, size_limits));
  return result;
}

}  // namespace

Napi::Value ReadPeak(const Napi::CallbackInfo& info) {
  return ToObject(info.Env(), HeapMoments::Process()->Peak(), false);
}

Napi::Value HistoryTimes(const Napi::CallbackInfo& info) {
  std::vector<double> ages;
  HeapMoments* moments = MomentsOf(info[0].As<Napi::Boolean>().Value());
  for (size_t i = 0, size = moments == nullptr ? 0 : moments->HistorySize(); i < size; ++i) {
    ages.push_back(AgeMs(moments->HistoryAt(i).at_ns));
  }
  return ToTypedArray<Napi::Float64Array>(info.Env(), ages);
}

Napi::Value ReadMoment(const Napi::CallbackInfo& info) {
  bool of_buffers = info[1].As<Napi::Boolean>().Value();
  HeapMoments* moments = MomentsOf(of_buffers);
  if (moments == nullptr) return info.Env().Null();
  return ToObject(info.Env(), moments->HistoryAt(info[0].As<Napi::Number>().Uint32Value()), of_buffers);
}

Napi::Value AddMoment(const Napi::CallbackInfo& info) {
  IsolateSampler* sampler = SamplerOf(info.Env());
  IsolateRegistry::Process()->PrepareRead(sampler);
  HeapMoment moment;
  moment.at_ns = MonotonicNs() - static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue() * 1e6);
  moment.heap_used = sampler->clock().Fresh().heap_used;
  moment.external = sampler->clock().external();
  bool added = true;
  for (bool of_buffers : {false, true}) {
    HeapMoments* moments = MomentsOf(of_buffers);
    if (moments == nullptr) continue;
    moments->ForgetSince(moment.at_ns);
    added = moments->TryAddToHistory(moment) && added;
  }
  return Napi::Boolean::New(info.Env(), added);
}

}  // namespace memprof
