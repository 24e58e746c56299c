// Changes the isolate's allocator of buffers from the one that memprof wrapped to the plain one and back, so that both
// can be measured by turns, in the same heap. memprof itself never does this: who uses the plain one must leave no
// buffer alive that was sampled. `save()` the plain one, have memprof wrap it, `save()` again, then `use(0)` the
// first or `use(1)` the second.

#include <node.h>

namespace {

const void* saved[2];
uint32_t count = 0;

const void** VtableOf(v8::Isolate* isolate) {
  return reinterpret_cast<const void**>(isolate->GetArrayBufferAllocator());
}

void Save(const v8::FunctionCallbackInfo<v8::Value>& info) {
  if (count < 2) saved[count++] = *VtableOf(info.GetIsolate());
  info.GetReturnValue().Set(count == 2 && saved[0] != saved[1]);
}

void Use(const v8::FunctionCallbackInfo<v8::Value>& info) {
  *VtableOf(info.GetIsolate()) = saved[info[0].As<v8::Uint32>()->Value()];
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "save", Save);
  NODE_SET_METHOD(exports, "use", Use);
}
