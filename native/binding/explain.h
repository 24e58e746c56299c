// Asks a thread what holds the sampled objects of some stacks, as JavaScript calls it through Node-API.

#ifndef MEMPROF_NATIVE_BINDING_EXPLAIN_H_
#define MEMPROF_NATIVE_BINDING_EXPLAIN_H_

#include <napi.h>

namespace memprof {

// explain(stacks, threadId): returns a function that tells how far it is, and a string with the answer when it is
// there. Instead of the function, the number of a problem: see lib/addon/native.ts.
Napi::Value Explain(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_EXPLAIN_H_
