// Makes V8 call us at each sample. V8's sampler contains an allocation observer, and we replace the
// observer's vtable by a copy in which two functions are ours.
//
// Thread safety: all functions must be called on the thread of the sampler's isolate. Several threads may do
// so at the same time.
//
// Invariants:
// (1) The copy is static memory, which is never freed, and never changed once a sampler has it. All samplers
//     of the process share it, as they share V8's vtable.
// (2) Where the thread has no listener for a hooked sampler, the sampler does what V8 would have done.
// (3) Somebody else's sampler never has the copy, because V8 creates each sampler with its own vtable.

#ifndef MEMPROF_NATIVE_HEAP_STEP_HOOK_H_
#define MEMPROF_NATIVE_HEAP_STEP_HOOK_H_

#include <cstddef>
#include <cstdint>

namespace memprof {

class StepListener {
 public:
  // An object of `size` bytes is about to be created at `soon` and is not initialised yet. If `soon` is 0,
  // there is nothing to sample. Must neither allocate on V8's heap nor run JavaScript.
  virtual void OnStep(int bytes, uintptr_t soon, size_t size) = 0;
  // Returns how many bytes may be allocated until the next step.
  virtual intptr_t NextStepSize() = 0;

 protected:
  ~StepListener() = default;
};

// Makes the sampler call `listener`, which replaces any earlier listener of this thread. Returns `nullptr`,
// or the reason why it cannot be done. REQUIRES: CheckSampler accepted the sampler.
const char* HookSampler(void* sampler, StepListener* listener);
// Gives V8 its vtable back. REQUIRES: `IsHooked`.
void UnhookSampler(void* sampler);
// Whether the sampler has our vtable. REQUIRES: `sampler` is the memory of a sampler.
bool IsHooked(const void* sampler);
// Ends the calls to `listener` if it is this thread's. Its sampler may already be gone.
void ForgetListener(const StepListener* listener);

// What V8 itself does at a step, and the number of bytes that it draws until the next one. REQUIRES: the
// sampler was hooked.
void StepAsV8(void* sampler, int bytes, uintptr_t soon, size_t size);
intptr_t NextStepSizeAsV8(void* sampler);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STEP_HOOK_H_
