// Labels of asynchronous contexts, as lib/sampler/labels.ts uses them.

#ifndef MEMPROF_NATIVE_BINDING_LABELS_H_
#define MEMPROF_NATIVE_BINDING_LABELS_H_

#include <napi.h>

namespace memprof {

// internLabels(keysAndValues, others): the number of the set, or 0 when there are too many.
Napi::Value InternLabels(const Napi::CallbackInfo& info);
// labelsOf(number): keys and values.
Napi::Value LabelsOf(const Napi::CallbackInfo& info);
// proveLabels(storage, store): why the labels of this thread cannot be read at samples, or null. `store` is
// what the AsyncLocalStorage holds now.
Napi::Value ProveLabels(const Napi::CallbackInfo& info);
// For tests: the number of the set that a sample would get now.
Napi::Value RunningLabels(const Napi::CallbackInfo& info);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_LABELS_H_
