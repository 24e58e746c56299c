// An addon that takes native memory: `take(bytes, chunk, every)` in chunks of that size, of which only each `every`-th
// is kept; `report(bytes)` tells V8 of memory that it need not have. It declares what it uses of Node-API, and so needs
// no headers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" {
using Env = struct Env_*;
using Value = struct Value_*;
using Info = struct Info_*;
using Callback = Value (*)(Env, Info);
int napi_get_cb_info(Env, Info, size_t*, Value*, Value*, void**);
int napi_get_value_int64(Env, Value, int64_t*);
int napi_adjust_external_memory(Env, int64_t, int64_t*);
int napi_create_function(Env, const char*, size_t, Callback, void*, Value*);
int napi_set_named_property(Env, Value, const char*, Value);

static Value Take(Env env, Info info) {
  size_t count = 3;
  Value arguments[3];
  int64_t numbers[3]{};
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  for (int i = 0; i < 3; ++i) napi_get_value_int64(env, arguments[i], &numbers[i]);
  auto [bytes, chunk, every] = numbers;
  std::vector<void*> chunks(static_cast<size_t>(bytes / chunk));
  for (void*& each : chunks) {
    each = malloc(static_cast<size_t>(chunk));
    memset(each, 1, static_cast<size_t>(chunk));
  }
  for (size_t i = 0; i < chunks.size(); ++i) {
    if (i % static_cast<size_t>(every) != 0) free(chunks[i]);
  }
  return nullptr;
}

static Value Report(Env env, Info info) {
  size_t count = 1;
  Value argument;
  int64_t bytes = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int64(env, argument, &bytes);
  napi_adjust_external_memory(env, bytes, &bytes);
  return nullptr;
}

[[gnu::visibility("default")]] Value napi_register_module_v1(Env env, Value exports) {
  Value function = nullptr;
  napi_create_function(env, "take", 4, Take, nullptr, &function);
  napi_set_named_property(env, exports, "take", function);
  napi_create_function(env, "report", 6, Report, nullptr, &function);
  napi_set_named_property(env, exports, "report", function);
  return exports;
}
}
