// The parts of heap/ that call V8: the last third.

#include "heap/sampled_stacks.cc"
#include "heap/script_texts.cc"
#include "heap/stack_interner.cc"
#include "heap/thread_ranges.cc"
