// The parts of heap/ that call V8: the first third.

#include "heap/allocation_counter.cc"
#include "heap/async_labels.cc"
#include "heap/call_joiner.cc"
#include "heap/call_sites.cc"
#include "heap/cpu_samples.cc"
#include "heap/direct_comparison.cc"
#include "heap/direct_sampler.cc"
#include "heap/function_check.cc"
#include "heap/function_table.cc"
