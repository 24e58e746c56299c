// isolate/, and the parts of gc/, buffers/ and dump/ that call V8.

#include "buffers/buffer_sampler.cc"
#include "buffers/stack_cache.cc"
#include "dump/heap_limit_dump.cc"
#include "gc/gc_clock.cc"
#include "isolate/doorbell.cc"
#include "isolate/explanation.cc"
#include "isolate/isolate_registry.cc"
#include "isolate/isolate_sampler.cc"
#include "isolate/loop_call.cc"
#include "isolate/sampler_moments.cc"
