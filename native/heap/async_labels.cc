#include "heap/async_labels.h"

#include <node_version.h>

#include "base/sample_code.h"
#include "heap/raw_handles.h"
#include "heap/v8_map.h"

namespace memprof {

namespace {

// The Map of the running context, 0 if there is none. REQUIRES: a HandleScope.
uintptr_t RunningContext(v8::Isolate* isolate) {
#if NODE_MODULE_VERSION < 127  // Node.js 20 keeps none there
  return 0;
#elif NODE_MODULE_VERSION < 147
  v8::Local<v8::Value> value = isolate->GetContinuationPreservedEmbedderData();
  return !value.IsEmpty() && value->IsMap() ? WordAt(value) : 0;
#else
  v8::Local<v8::Data> data = isolate->GetContinuationPreservedEmbedderDataV2();
  if (data.IsEmpty() || !data->IsValue()) return 0;
  auto value = data.As<v8::Value>();
  return value->IsMap() ? WordAt(value) : 0;
#endif
}

}  // namespace

const char* AsyncLabels::Start(v8::Local<v8::Object> storage, int32_t store) {
  if (problem_ != nullptr) return problem_;
  if (sizeof(void*) != 8) return problem_ = "labels need a 64-bit system";
  v8::HandleScope scope(isolate_);
  storage_.Reset(isolate_, storage);
  uintptr_t map = RunningContext(isolate_);
  uintptr_t value = 0;
  proved_ = false;
  if (map == 0) {
    problem_ = "this Node.js does not keep asynchronous contexts where they can be read at a sample";
  } else if (!ValueIn<Doubting>(map, WordIn(storage_), &value)) {
    problem_ = "V8's Maps are not made as they should be";
  } else if (!IsSmallInteger(value) || SmallInteger(value) != store) {
    problem_ = "V8's Maps have not the values that they should have";
  } else {
    proved_ = true;
  }
  return problem_;
}

MEMPROF_SAMPLE_CODE uint32_t AsyncLabels::Read() const {
  v8::HandleScope scope(isolate_);
  uintptr_t value;
  uintptr_t map = RunningContext(isolate_);
  if (map == 0 || !ValueIn<Trusting>(map, WordIn(storage_), &value)) return 0;
  return IsSmallInteger(value) && SmallInteger(value) > 0 ? static_cast<uint32_t>(SmallInteger(value)) : 0;
}

}  // namespace memprof
