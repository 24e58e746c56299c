// binding/: the second half.

#include "binding/memory.cc"
#include "binding/moments.cc"
#include "binding/pool_job.cc"
#include "binding/proto.cc"
#include "binding/records.cc"
#include "binding/status.cc"
