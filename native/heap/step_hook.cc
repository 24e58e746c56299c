#include "heap/step_hook.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/sample_code.h"
#include "heap/v8_layout.h"

namespace memprof {

namespace {

using StepFunction = void (*)(void*, int, uintptr_t, size_t);
using NextStepSizeFunction = intptr_t (*)(void*);

// A vtable as it lies in memory. Objects point to `functions`.
struct Vtable {
  const void* offset_to_top;
  const void* type;
  const void* functions[kObserverFunctions];
};

constinit Vtable copy{};
constinit std::atomic<const void*> original{nullptr};  // V8's vtable; null until `copy` is complete
constinit StepFunction v8_step = nullptr;
constinit NextStepSizeFunction v8_next_step_size = nullptr;

constinit thread_local StepListener* thread_listener = nullptr;
constinit thread_local const void* thread_observer = nullptr;

const void** VtableOf(void* sampler) { return static_cast<const void**>(sampler) + kObserverWord; }
void* ObserverOf(void* sampler) { return static_cast<void**>(sampler) + kObserverWord; }

MEMPROF_SAMPLE_CODE void Step(void* observer, int bytes, uintptr_t soon, size_t size) {
  if (observer != thread_observer) return v8_step(observer, bytes, soon, size);
  thread_listener->OnStep(bytes, soon, size);
}

MEMPROF_SAMPLE_CODE intptr_t NextStepSize(void* observer) {
  if (observer != thread_observer) return v8_next_step_size(observer);
  return thread_listener->NextStepSize();
}

// Leaked, like everything that belongs to the whole process.
std::mutex& CopyMutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}

const char* MakeCopy(void* sampler) {
  std::lock_guard<std::mutex> lock(CopyMutex());
  const void* vtable = *VtableOf(sampler);
  const void* before = original.load(std::memory_order_relaxed);
  if (before != nullptr) return before == vtable ? nullptr : "this sampler's observer has another vtable";
  const void* words[2 + kObserverFunctions];
  if (!ReadObserverVtable(sampler, words)) return "the observer's vtable cannot be read";
  copy.offset_to_top = words[0];
  copy.type = words[1];
  std::copy(words + 2, words + 2 + kObserverFunctions, copy.functions);
  v8_step = reinterpret_cast<StepFunction>(const_cast<void*>(copy.functions[kStepSlot]));
  v8_next_step_size =
      reinterpret_cast<NextStepSizeFunction>(const_cast<void*>(copy.functions[kNextStepSizeSlot]));
  copy.functions[kStepSlot] = reinterpret_cast<const void*>(&Step);
  copy.functions[kNextStepSizeSlot] = reinterpret_cast<const void*>(&NextStepSize);
  original.store(vtable, std::memory_order_release);
  return nullptr;
}

}  // namespace

const char* HookSampler(void* sampler, StepListener* listener) {
  if (const char* problem = MakeCopy(sampler)) return problem;
  thread_listener = listener;
  thread_observer = ObserverOf(sampler);
  *VtableOf(sampler) = copy.functions;
  return nullptr;
}

void UnhookSampler(void* sampler) { *VtableOf(sampler) = original.load(std::memory_order_relaxed); }

bool IsHooked(const void* sampler) { return *VtableOf(const_cast<void*>(sampler)) == copy.functions; }

void ForgetListener(const StepListener* listener) {
  if (thread_listener != listener) return;
  thread_observer = nullptr;
  thread_listener = nullptr;
}

void StepAsV8(void* sampler, int bytes, uintptr_t soon, size_t size) {
  v8_step(ObserverOf(sampler), bytes, soon, size);
}

intptr_t NextStepSizeAsV8(void* sampler) { return v8_next_step_size(ObserverOf(sampler)); }

}  // namespace memprof
