#include "binding/memory.h"

#include <string>
#include <vector>

#include "base/shared.h"
#include "binding/figures.h"
#include "binding/pool_job.h"
#include "gc/malloc_state.h"
#include "gc/memory_map.h"

namespace memprof {

namespace {

struct Read {
  std::string problem;
  MemoryMap map;
  MallocState malloc;
};

Napi::Value ToObject(Napi::Env env, const Read& read) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Object map = Napi::Object::New(env);
  auto set = [&](const char* name, uint64_t value) {
    map.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("rss", read.map.rss);
  set("heap", read.map.heap);
  set("code", read.map.code);
  set("stacks", read.map.stacks);
  set("reserved", read.map.reserved);
  set("brk", read.map.brk);
  set("arenas", read.map.arenas);
  set("chunks", read.map.chunks);
  set("files", read.map.files);
  set("shared", read.map.shared);
  set("other", read.map.other);
  set("mappings", read.map.mappings);
  set("stackCount", read.map.stack_count);
  object.Set("problem", Napi::String::New(env, read.problem));
  object.Set("map", map);
  const char* problem = read.malloc.problem;
  object.Set("mallocProblem", Napi::String::New(env, problem == nullptr ? "" : problem));
  std::vector<double> arenas;
  for (const MallocArena& arena : read.malloc.arenas) {
    arenas.push_back(static_cast<double>(arena.system));
    arenas.push_back(static_cast<double>(arena.free));
  }
  object.Set("arenas", ToTypedArray<Napi::Float64Array>(env, arenas));
  object.Set("mapped", Napi::Number::New(env, static_cast<double>(read.malloc.mapped)));
  return object;
}

}  // namespace

Napi::Value ReadMemory(const Napi::CallbackInfo& info) {
  int pid = info[0].As<Napi::Number>().Int32Value();
  auto read = Shared<Read>::Make(Read{});
  return RunOnPool(
      info.Env(),
      [=] {
        read->problem = ReadMemoryMap(pid, &read->map);
        if (pid == 0)
          read->malloc = ReadMallocState();
        else
          read->malloc.problem = "figures of malloc are known from within a process only";
      },
      [=](Napi::Env env) { return ToObject(env, *read); });
}

}  // namespace memprof
