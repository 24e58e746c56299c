// binding/: the first half.

#include "binding/addon.cc"
#include "binding/bench.cc"
#include "binding/explain.cc"
#include "binding/figures.cc"
#include "binding/instance.cc"
#include "binding/labels.cc"
