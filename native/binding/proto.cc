#include "binding/proto.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/shared.h"
#include "binding/figures.h"
#include "binding/instance.h"
#include "binding/object_reader.h"
#include "binding/pool_job.h"
#include "encode/proto_snapshot.h"
#include "isolate/isolate_registry.h"

namespace memprof {

namespace {

Napi::String ToString(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

std::optional<ProtoOptions> ReadOptions(Napi::Value value) {
  ObjectReader reader(value);
  ProtoOptions options;
  options.sample_interval = static_cast<uint64_t>(reader.Number("sampleInterval"));
  options.time_nanos = static_cast<uint64_t>(reader.Number("timeNanos"));
  options.default_sample_type = reader.Text("defaultSampleType");
  options.program = reader.Text("program");
  options.comments = reader.Texts("comments");
  options.file_names = reader.Texts("fileNames");
  std::vector<double> frames = reader.Numbers("shownFrames");
  std::vector<std::string> names = reader.Texts("shownFunctions");
  std::vector<std::string> files = reader.Texts("shownFiles");
  std::vector<double> lines = reader.Numbers("shownLines");
  std::vector<double> columns = reader.Numbers("shownColumns");
  std::vector<double> starts = reader.Numbers("shownStarts");
  if (!reader.ok()) return std::nullopt;
  for (size_t i = 0; i < frames.size(); ++i) {
    options.shown[static_cast<Ref>(frames[i])] = {
        std::move(names[i]), std::move(files[i]), static_cast<int32_t>(lines[i]),
        static_cast<int32_t>(columns[i]), static_cast<int32_t>(starts[i])};
  }
  return options;
}

// `encode` takes the snapshot out, once: the JavaScript functions that refer to it may live until a major GC.
using Snapshot = Shared<std::optional<ProtoSnapshot>>;

Napi::Value Encode(const Napi::CallbackInfo& info, const Snapshot& snapshot) {
  std::optional<ProtoOptions> options = ReadOptions(info[0]);
  if (!options || !snapshot->has_value()) return Napi::Value();
  struct Writing {
    ProtoSnapshot from;
    ProtoOptions options;
    std::string proto;
  };
  auto writing = Shared<Writing>::Make(Writing{std::move(**snapshot), std::move(*options), {}});
  snapshot->reset();
  return RunOnPool(
      info.Env(), [=] { writing->proto = writing->from.Encode(writing->options); },
      [=](Napi::Env env) -> Napi::Value {
        return Napi::Buffer<char>::Copy(env, writing->proto.data(), writing->proto.size());
      });
}

Napi::Value FramesOf(const Napi::CallbackInfo& info, const Snapshot& snapshot) {
  if (!snapshot->has_value()) return Napi::Value();
  size_t file = info[0].As<Napi::Number>().Uint32Value();
  return ToTypedArray<Napi::Uint32Array>(info.Env(), (*snapshot)->FramesOf(file));
}

Napi::Value ToObject(Napi::Env env, const Snapshot& snapshot) {
  const std::vector<Ref>& urls = (*snapshot)->files();
  Napi::Array files = Napi::Array::New(env, urls.size());
  for (uint32_t i = 0; i < urls.size(); ++i) {
    files.Set(i, ToString(env, (*snapshot)->StringAt(urls[i])));
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("files", files);
  object.Set("framesOf", Napi::Function::New(
                             env, [=](const Napi::CallbackInfo& info) { return FramesOf(info, snapshot); }));
  object.Set("encode", Napi::Function::New(
                           env, [=](const Napi::CallbackInfo& info) { return Encode(info, snapshot); }));
  return object;
}

}  // namespace

Napi::Value TakeSnapshot(const Napi::CallbackInfo& info) {
  bool of_buffers = info[0].As<Napi::Boolean>().Value();
  IsolateRegistry* registry = IsolateRegistry::Process();
  if (!of_buffers) registry->PrepareRead(SamplerOf(info.Env()));
  BufferProfile* buffers = BufferProfile::IfMade();
  const ProfileTables* tables = of_buffers && buffers != nullptr ? buffers->tables() : registry->tables();
  auto snapshot = Snapshot::Make(ProtoSnapshot(tables, of_buffers));
  return RunOnPool(
      info.Env(),
      [=] {
        auto add = [&](const Bucket& bucket, const Figures& figures) { (*snapshot)->Add(bucket, figures); };
        if (!of_buffers) registry->ForEachBucket(add);
        // Not if buffers were first profiled after that: the tables chosen above are not theirs.
        else if (buffers != nullptr)
          registry->ForEachBufferBucket(add);
        (*snapshot)->Finish();
      },
      [=](Napi::Env env) { return ToObject(env, snapshot); });
}

}  // namespace memprof
