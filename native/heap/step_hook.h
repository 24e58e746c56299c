// Makes V8 call us at each sample. V8's sampler contains an allocation observer; we replace its vtable by a copy
// in which two functions are ours.
//
// Thread safety: `HookSampler` may be called from any thread that owns the isolate of the sampler; the rest
// belongs to that isolate's thread.
//
// Invariants:
// (1) The copy is static memory. It is never freed, and never changed once a sampler has it. All samplers of the
//     process share one, since they share V8's.
// (2) A sampler whose isolate's thread has no listener for it does what V8 would have done.
// (3) Somebody else's sampler never has the copy: V8 makes each with its own vtable.

#ifndef MEMPROF_NATIVE_HEAP_STEP_HOOK_H_
#define MEMPROF_NATIVE_HEAP_STEP_HOOK_H_

#include <cstddef>
#include <cstdint>

namespace memprof {

class StepListener {
 public:
  // An object of `size` bytes will be at `soon` in a moment: it is not initialised yet. In here nothing may
  // be allocated on V8's heap, and no JavaScript run. `soon` may be 0: then nothing is to be sampled.
  virtual void OnStep(int bytes, uintptr_t soon, size_t size) = 0;
  // Bytes until the next step.
  virtual intptr_t NextStepSize() = 0;

 protected:
  ~StepListener() = default;
};

// From here on the sampler calls the listener of this thread, one for all that sample on it. `nullptr` when
// done, else the reason why not. REQUIRES: the sampler was checked (CheckSampler).
const char* HookSampler(void* sampler, StepListener* listener);
// Gives V8 its vtable back. REQUIRES: `IsHooked`.
void UnhookSampler(void* sampler);
// Whether the sampler calls us. REQUIRES: `sampler` is a sampler's memory.
bool IsHooked(const void* sampler);
// No more calls to this thread's listener, whatever became of its sampler.
void ForgetListener(const StepListener* listener);

// What V8 does at a step, and what it draws. REQUIRES: hooked.
void StepAsV8(void* sampler, int bytes, uintptr_t soon, size_t size);
intptr_t NextStepSizeAsV8(void* sampler);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STEP_HOOK_H_
