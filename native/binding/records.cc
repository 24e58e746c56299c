#include "binding/records.h"

#include <string_view>
#include <vector>

#include "binding/figures.h"
#include "binding/instance.h"
#include "isolate/isolate_registry.h"

namespace memprof {

namespace {

bool OfBuffers(const Napi::CallbackInfo& info) { return info[1].As<Napi::Boolean>().Value(); }

// REQUIRES: there are records of that profile.
const ProfileTables* TablesOf(const Napi::CallbackInfo& info) {
  return OfBuffers(info) ? BufferProfile::IfMade()->tables() : IsolateRegistry::Process()->tables();
}

template <typename F>
void ForEachRecord(const Napi::CallbackInfo& info, F&& f) {
  bool in_use_zero = info[0].As<Napi::Boolean>().Value();
  auto visit = [&](const Bucket& bucket, const Figures& figures) {
    if (in_use_zero || figures.alloc_bytes != figures.free_bytes) f(bucket, figures);
  };
  IsolateRegistry* registry = IsolateRegistry::Process();
  if (OfBuffers(info)) {
    registry->ForEachBufferBucket(visit);
  } else {
    registry->PrepareRead(SamplerOf(info.Env()));
    registry->ForEachBucket(visit);
  }
}

}  // namespace

Napi::Value CountRecords(const Napi::CallbackInfo& info) {
  size_t count = 0;
  ForEachRecord(info, [&](const Bucket&, const Figures&) { ++count; });
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value ReadRecords(const Napi::CallbackInfo& info) {
  std::vector<double> figures;
  std::vector<uint32_t> stacks;
  std::vector<double> size_limits;
  std::vector<uint32_t> threads;
  std::vector<uint32_t> labels;
  std::vector<uint16_t> intervals;
  // Of each bucket: objects and bytes that died after they had outlived a major collection, and their mean age in ms.
  std::vector<double> promoted;
  bool with_promoted = info[2].ToBoolean();
  ForEachRecord(info, [&](const Bucket& bucket, const Figures& read) {
    for (uint64_t value : {read.alloc_bytes, read.free_bytes, read.alloc_objects, read.free_objects}) {
      figures.push_back(static_cast<double>(value));
    }
    stacks.push_back(bucket.key.stack);
    size_limits.push_back(static_cast<double>(SizeClassLimit(bucket.key.size_class)));
    threads.push_back(bucket.key.thread);
    labels.push_back(bucket.key.labels);
    intervals.push_back(bucket.key.interval);
    if (!with_promoted) return;
    const ProfileTables* tables = TablesOf(info);
    PromotedDeaths* deaths = tables->PromotedDeathsOf(bucket);
    Figures at_finest;
    double age = 0;
    if (deaths != nullptr && deaths->objects != 0) {
      age = static_cast<double>(deaths->age_ms) / static_cast<double>(deaths->objects);
      at_finest = tables->AtFinest(bucket, {deaths->objects, deaths->bytes, 0, 0});
    }
    promoted.push_back(static_cast<double>(at_finest.alloc_objects));
    promoted.push_back(static_cast<double>(at_finest.alloc_bytes));
    promoted.push_back(age);
  });
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("promoted", ToTypedArray<Napi::Float64Array>(info.Env(), promoted));
  result.Set("figures", ToTypedArray<Napi::Float64Array>(info.Env(), figures));
  result.Set("stacks", ToTypedArray<Napi::Uint32Array>(info.Env(), stacks));
  result.Set("threads", ToTypedArray<Napi::Uint32Array>(info.Env(), threads));
  result.Set("labels", ToTypedArray<Napi::Uint32Array>(info.Env(), labels));
  result.Set("intervals", ToTypedArray<Napi::Uint16Array>(info.Env(), intervals));
  result.Set("sizeLimits", ToTypedArray<Napi::Float64Array>(info.Env(), size_limits));
  return result;
}

Napi::Value StackFrames(const Napi::CallbackInfo& info) {
  const ProfileTables* tables = TablesOf(info);
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
  const ProfileTables* tables = TablesOf(info);
  const FrameKey& frame = tables->FrameAt(info[0].As<Napi::Number>().Uint32Value())->key;
  std::string_view name = tables->StringAt(frame.function_name);
  std::string_view url = tables->StringAt(frame.url);
  Napi::Array result = Napi::Array::New(info.Env(), 10);
  result.Set(uint32_t{0}, Napi::String::New(info.Env(), name.data(), name.size()));
  result.Set(1, Napi::String::New(info.Env(), url.data(), url.size()));
  result.Set(2, Napi::Number::New(info.Env(), frame.line));
  result.Set(3, Napi::Number::New(info.Env(), frame.column));
  result.Set(4, Napi::Number::New(info.Env(), static_cast<double>(frame.address)));
  result.Set(5, Napi::Number::New(info.Env(), frame.in_script.start));
  result.Set(6, Napi::Number::New(info.Env(), frame.in_script.length));
  result.Set(7, Napi::Number::New(info.Env(), frame.call_line));
  result.Set(8, Napi::Number::New(info.Env(), frame.call_column));
  result.Set(9, Napi::Boolean::New(info.Env(), frame.inlined));
  return result;
}

}  // namespace memprof
