#include "buffers/buffer_sampler.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/clocks.h"
#include "base/hash.h"

// v8::ArrayBuffer::Allocator::Reallocate, where V8 has it. A member pointer gives its slot, not its address.
#ifdef __APPLE__
#define MEMPROF_SYMBOL_PREFIX "_"
#else
#define MEMPROF_SYMBOL_PREFIX ""
#endif
#ifndef _WIN32
extern "C" [[gnu::weak]] void* ReallocateOfV8(void*, void*, size_t, size_t) __asm__(
    MEMPROF_SYMBOL_PREFIX "_ZN2v811ArrayBuffer9Allocator10ReallocateEPvmm");
#endif

namespace memprof {

namespace {

constexpr double kMostBudgetNs = 100e6;
constexpr double kLeastBudgetNs = 7e6;
constexpr double kLargeTimes = 3;  // the budget of large buffers, in that of all
constexpr uint64_t kLongSampleNs = 1'000'000;
constexpr uint64_t kLongKnownNs = 20'000;  // the same where the stack was known
constexpr uint64_t kFreeNs = 700;          // what its end will take, and the misses that a sample causes
constexpr double kUsualInterval = 512 * 1024;
constexpr double kMostThinning = 12;  // powers of two
[[maybe_unused]] constexpr const char* kNotOfNode = "the allocator of buffers is not one of Node.js";

// Enough for some thousand samples, which is 2 GB of buffers; at smaller intervals, for as many buffers.
double MostBudget(uint64_t interval) {
  return std::clamp(kLeastBudgetNs * kUsualInterval / static_cast<double>(interval), kLeastBudgetNs,
                    kMostBudgetNs);
}

double MostLargeBudget(double most_budget_ns) {
  return std::min(kLargeTimes * most_budget_ns, kMostBudgetNs);
}

using Allocator = v8::ArrayBuffer::Allocator;

#ifndef _WIN32
AllocatorSlots Slots() {
  return {VtableSlot(&Allocator::Allocate), VtableSlot(&Allocator::AllocateUninitialized),
          VtableSlot(static_cast<void (Allocator::*)(void*, size_t)>(&Allocator::Free))};
}

// V8's own Reallocate calls the other three functions. Another one might resize in place, which we would not
// see.
template <typename T>
bool ResizesUnseen(const T* allocator) {
  if constexpr (requires { &T::Reallocate; }) {
    const void* const* vtable = *reinterpret_cast<const void* const* const*>(allocator);
    return vtable[VtableSlot(&T::Reallocate)] != reinterpret_cast<const void*>(&ReallocateOfV8);
  }
  return false;
}
#endif

// Wraps the isolate's allocator. `nullptr` when it is wrapped now, otherwise why not.
const char* Wrap(v8::Isolate* isolate, BufferProfile* profile, uint64_t existing) {
#if defined(V8_ENABLE_SANDBOX)
  return "buffers cannot be profiled with V8's sandbox, whose allocator must not be touched";
#elif defined(_WIN32)
  return "buffers cannot be profiled on Windows";
#else
  Allocator* allocator = isolate->GetArrayBufferAllocator();
  if (allocator == nullptr) return "this thread has no buffer allocator";
  if (ResizesUnseen(allocator)) return kNotOfNode;
  switch (WrapAllocator(allocator, Slots(), profile)) {
    case WrapResult::kWrapped:
      profile->CountExisting(existing);
      return nullptr;
    case WrapResult::kWrappedBefore:
      return nullptr;
    case WrapResult::kByAnother:
      return "another copy of memprof profiles the buffers";
    case WrapResult::kNotSupported:
      return "buffers cannot be profiled on this system";
    case WrapResult::kNotReadable:
    case WrapResult::kTooManyKinds:
      return kNotOfNode;
  }
  return nullptr;
#endif
}

std::string_view View(const v8::String::Utf8Value& text) {
  return *text == nullptr ? std::string_view() : std::string_view(*text, text.length());
}

}  // namespace

bool BufferSampler::Start(const BufferSamplerOptions& options) {
  if (running()) return true;
  BufferProfile* profile = BufferProfile::Process();
  problem_ = profile == nullptr ? "the system refused memory" : Wrap(isolate_, profile, options.existing);
  if (problem_ != nullptr) return false;
  profile_ = profile;
  options_ = options;
  stacks_.Start();
  known_.assign(kKnownFrames, {});
  most_budget_ns_ = budget_ns_ = MostBudget(options.interval);
  large_budget_ns_ = MostLargeBudget(most_budget_ns_);
  last_took_ns_ = 0;
  thinning_ = 1;
  counts_.Start(reinterpret_cast<uintptr_t>(this) ^ MonotonicNs());
  earned_at_ns_ = MonotonicNs();
  SampleBuffers(this, options.interval, profile);
  return true;
}

void BufferSampler::Stop() {
  if (!running()) return;
  StopSamplingBuffers();
  profile_ = nullptr;
  stacks_.Stop();
  known_ = {};
}

bool BufferSampler::IsCounted(v8::Isolate* isolate) {
#ifdef _WIN32
  return false;
#else
  const Allocator* allocator = isolate->GetArrayBufferAllocator();
  return allocator != nullptr && IsWrapped(allocator);
#endif
}

void BufferSampler::OnEpilogue(bool major, bool full) {
  collecting_ = false;
  heap_full_ = full;
  if (!running()) return;
  if (major) stacks_.Clear();
  // Thin anew: where little is allocated, a countdown that was drawn when time was short would last for long.
  Earn(MonotonicNs());
  Thin();
}

// Measured by the clock, although other threads may have had the processor meanwhile: asking twice for the
// thread's own time would take as long as half a sample. So a sample of a known stack is never taken for long,
// and a long one after a short one is taken for interrupted: only a second one is taken for long.
void BufferSampler::Charge(uint64_t took_ns, bool is_large) {
  uint64_t charged = described_ ? std::min(took_ns, std::max(last_took_ns_, kLongSampleNs))
                                : std::min(took_ns, kLongKnownNs);
  auto cost = static_cast<double>(charged + kFreeNs);
  if (is_large) {
    double paid = std::min(cost, large_budget_ns_);
    large_budget_ns_ -= paid;
    cost -= paid;
  }
  budget_ns_ -= cost;
  if (described_) last_took_ns_ = took_ns;
}

void BufferSampler::Earn(uint64_t now_ns) {
  budget_ns_ += options_.max_overhead * static_cast<double>(Elapsed(earned_at_ns_, now_ns));
  double left_over = std::max(0.0, budget_ns_ - most_budget_ns_);
  budget_ns_ -= left_over;
  large_budget_ns_ = std::min(large_budget_ns_ + left_over, MostLargeBudget(most_budget_ns_));
  earned_at_ns_ = now_ns;
}

// With half of the budget or more, samples are not thinned; with every sixteenth less, twice as much.
void BufferSampler::Thin() {
  constexpr double kSixteenths = 16;
  double left = budget_ns_ / most_budget_ns_ * kSixteenths;
  int power = static_cast<int>(std::clamp(kSixteenths / 2 - left, 0.0, kMostThinning));
  thinning_ = std::ldexp(1.0, power);
  ThinBufferSamples(thinning_);
  profile_->NoteThinning(thinning_);
}

void BufferSampler::OnSampled(const void* data, size_t bytes, double count) {
  uint64_t begin = MonotonicNs();
  described_ = false;
  bool may_capture = MayCapture();
  Ref stack = may_capture ? Capture() : profile_->tables()->unknown_stack();
  uint32_t labels = may_capture ? labels_->Current() : 0;
  uint64_t whole = counts_.Whole(stack, labels, count);
  if (whole != 0) profile_->AddSample(data, bytes, stack, options_.thread, labels, whole);
  uint64_t end = MonotonicNs();
  Charge(Elapsed(begin, end), bytes >= kLargeBytes);
  Earn(end);
  Thin();
}

bool BufferSampler::MayCapture() const {
  return !collecting_ && !capturing_ && !heap_full_ && v8::Isolate::TryGetCurrent() == isolate_ &&
         !isolate_->IsExecutionTerminating();
}

Ref BufferSampler::Capture() {
  if (!isolate_->InContext()) return profile_->native_stack();
  capturing_ = true;
  Ref stack = stacks_.Find(isolate_);
  if (stack == 0) {
    stack = Describe();
    described_ = true;
  }
  capturing_ = false;
  return stack;
}

Ref BufferSampler::Describe() {
  ProfileTables* tables = profile_->tables();
  v8::HandleScope scope(isolate_);
  constexpr auto kOptions =
      static_cast<v8::StackTrace::StackTraceOptions>(v8::StackTrace::kDetailed | v8::StackTrace::kScriptId |
                                                     v8::StackTrace::kExposeFramesAcrossSecurityOrigins);
  auto trace = v8::StackTrace::CurrentStackTrace(isolate_, options_.stack_depth, kOptions);
  path_.clear();
  for (int i = trace->GetFrameCount() - 1; i >= 0; --i)
    path_.push_back(FrameOf(trace->GetFrame(isolate_, i)));
  if (path_.empty()) return profile_->native_stack();
  Ref stack = 0;
  for (Ref frame : path_) {
    stack = tables->InternStack(stack, frame);
    if (stack == 0) return tables->InternCutStack(path_);  // not remembered, since each call is counted
  }
  stacks_.Remember(stack);
  return stack;
}

Ref BufferSampler::FrameOf(v8::Local<v8::StackFrame> frame) {
  v8::Location location = frame->GetLocation();
  int script = frame->GetScriptId();
  if (script <= 0) return InternFrame(frame, location);
  uint64_t place = (uint64_t{static_cast<uint32_t>(location.GetLineNumber())} << 32) |
                   static_cast<uint32_t>(location.GetColumnNumber());
  KnownFrame& known = known_[Combine(place, static_cast<uint64_t>(script)) % kKnownFrames];
  if (known.frame == 0 || known.script != script || known.line != location.GetLineNumber() ||
      known.column != location.GetColumnNumber()) {
    known = {script, location.GetLineNumber(), location.GetColumnNumber(), InternFrame(frame, location)};
  }
  return known.frame;
}

Ref BufferSampler::InternFrame(v8::Local<v8::StackFrame> frame, v8::Location location) {
  v8::String::Utf8Value name(isolate_, frame->GetFunctionName());
  v8::String::Utf8Value url(isolate_, frame->GetScriptNameOrSourceURL());
  v8::Local<v8::String> source = frame->GetScriptSource();
  return profile_->tables()->InternFrame(View(name), View(url), location.GetLineNumber() + 1,
                                         location.GetColumnNumber() + 1,
                                         {.length = source.IsEmpty() ? -1 : source->Length()});
}

}  // namespace memprof
