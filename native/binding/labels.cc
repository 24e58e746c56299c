#include "binding/labels.h"

#include <cstring>

#include "binding/instance.h"
#include "tables/label_sets.h"

namespace memprof {

Napi::Value InternLabels(const Napi::CallbackInfo& info) {
  auto texts = info[0].As<Napi::Array>();
  LabelSet set;
  for (uint32_t i = 0; i < texts.Length(); ++i) set.push_back(texts.Get(i).ToString().Utf8Value());
  uint32_t number = LabelSets::Process()->Intern(set, info[1].As<Napi::Boolean>().Value());
  return Napi::Number::New(info.Env(), number);
}

Napi::Value LabelsOf(const Napi::CallbackInfo& info) {
  LabelSet set = LabelSets::Process()->At(info[0].As<Napi::Number>().Uint32Value());
  Napi::Array texts = Napi::Array::New(info.Env(), set.size());
  for (uint32_t i = 0; i < set.size(); ++i) texts.Set(i, Napi::String::New(info.Env(), set[i]));
  return texts;
}

Napi::Value ProveLabels(const Napi::CallbackInfo& info) {
  // Node-API's values are V8's handles.
  napi_value value = info[0];
  v8::Local<v8::Object> storage;
  memcpy(static_cast<void*>(&storage), &value, sizeof(storage));
  const char* problem =
      SamplerOf(info.Env())->labels().Start(storage, info[1].As<Napi::Number>().Int32Value());
  return problem == nullptr ? info.Env().Null() : Napi::String::New(info.Env(), problem).As<Napi::Value>();
}

Napi::Value RunningLabels(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), SamplerOf(info.Env())->labels().Current());
}

}  // namespace memprof
