#include "heap/sampled_stacks.h"

#include "base/hash.h"
#include "heap/raw_handles.h"

namespace memprof {

namespace {

// Ids of frames that are no functions. They are below FunctionTable::kFirstId.
constexpr uint32_t kDeoptimising = 1;
constexpr uint32_t kFirstState = 2;

// The names that V8's sampler gives to its own activity where no JavaScript runs.
const char* NameOf(v8::StateTag state) {
  switch (state) {
    case v8::GC:
      return "(GC)";
    case v8::PARSER:
      return "(PARSER)";
    case v8::BYTECODE_COMPILER:
      return "(BYTECODE_COMPILER)";
    case v8::COMPILER:
      return "(COMPILER)";
    case v8::OTHER:
      return "(V8 API)";
    case v8::EXTERNAL:
      return "(EXTERNAL)";
    case v8::IDLE:
      return "(IDLE)";
    case v8::ATOMICS_WAIT:
      return "(JS)";
    default:
      return "(LOGGING)";
  }
}

}  // namespace

void SampledStacks::Start(const V8Layout* layout, const uintptr_t* left_by, const StackRange& stack,
                          const CodeRanges& code, int depth) {
  functions_.set_layout(layout);
  left_by_ = left_by;
  stack_ = stack;
  code_ = code;
  depth_ = static_cast<size_t>(depth);
  walked_.resize(depth_ + kMoreFrames);
  frames_.reserve(depth_ + kMoreFrames + 1);
  path_.reserve(depth_ + kMoreFrames + 1);
  before_.clear();
  now_.clear();
  cache_.assign(kCached, {});
}

void SampledStacks::Stop() {
  functions_.Clear();
  walked_ = {};
  cache_ = {};
  waiting_ = {};
  waiting_frames_ = {};
  waiting_by_key_.clear();
}

SampledStacks::Taken SampledStacks::Take() {
  if (!TakeFrames()) return {0, 0, false};
  if (!all_described_) return {0, Wait(), true};
  Key key = KeyOf();
  Cached& cached = cache_[key.first % kCached];
  if (cached.stack == 0 || cached.key != key) cached = {key, Intern()};
  return {cached.stack, 0, true};
}

bool SampledStacks::TakeFrames() {
  frames_.clear();
  WalkedStack walked = WalkStack(*left_by_, stack_, code_, walked_);
  if (!walked.sure) return false;
  all_described_ = true;
  bool deoptimising = false;
  size_t counted = 0;
  passed_ = 0;
  now_.clear();
  for (size_t i = 0; i < walked.frames && counted < depth_; ++i) {
    Frame frame = FrameAt(walked_[i]);
    if (frame.id == kDeoptimising) {
      deoptimising = true;
      continue;
    }
    // V8 treats the entry to a WebAssembly function as a JavaScript frame only while the entry is a built-in
    // function, not once it was compiled. And while it is one, no public function tells the name that V8
    // uses.
    if (frame.wasm) return false;
    frames_.push_back(frame);
    all_described_ = all_described_ && frame.described;
    ++counted;
  }
  before_.swap(now_);
  if (frames_.empty()) {
    v8::StateTag state = State();
    // JavaScript runs, but it called C++ without leaving an exit frame, so the walk found nothing.
    if (state == v8::JS) return false;
    frames_.push_back({kFirstState + static_cast<uint32_t>(state),
                       tables_->InternFrame(NameOf(state), "", 0, 0), false, true});
  }
  if (deoptimising) {
    frames_.insert(frames_.begin(), {kDeoptimising, tables_->InternFrame("(deopt)", "", 0, 0), false, true});
  }
  return true;
}

SampledStacks::Frame SampledStacks::FrameAt(const uintptr_t* at) {
  while (passed_ < before_.size() && before_[passed_].at < at) ++passed_;
  uintptr_t function = *at;
  Frame frame;
  if (passed_ < before_.size() && before_[passed_].at == at && before_[passed_].function == function &&
      before_[passed_].frame.described) {
    frame = before_[passed_].frame;
  } else if (LocalAt<v8::Value>(at)->IsFunction()) {
    frame = functions_.IdOf(at);
  } else {
    frame = {kDeoptimising, 0, false, false};
  }
  now_.push_back({at, function, frame});
  return frame;
}

v8::StateTag SampledStacks::State() {
  v8::RegisterState registers;
  // Any stack and code address will do, because V8 looks at neither where no JavaScript runs.
  registers.fp = registers.sp = &registers;
  registers.pc = reinterpret_cast<void*>(&v8::V8::GetVersion);
  void* none[1];
  v8::SampleInfo info{};
  isolate_->GetStackSample(registers, none, 0, &info);
  return info.vm_state;
}

SampledStacks::Key SampledStacks::KeyOf() const {
  Key key{frames_.size(), frames_.size()};
  for (const Frame& frame : frames_) {
    key.first = (key.first ^ frame.id) * 0x9fb21c651e98df25u;
    key.first ^= key.first >> 32;
    key.second = (key.second + frame.id) * 0xd6e8feb86659fd93u;
    key.second ^= key.second >> 29;
  }
  return key;
}

Ref SampledStacks::Intern() {
  path_.clear();
  for (size_t i = frames_.size(); i-- > 0;) path_.push_back(frames_[i].frame);
  size_t same = 0;
  while (same < path_.size() && same < path_before_.size() && path_[same] == path_before_[same]) ++same;
  stack_before_.resize(same);
  Ref stack = same == 0 ? 0 : stack_before_.back();
  for (size_t i = same; i < path_.size(); ++i) {
    stack = tables_->InternStack(stack, path_[i]);
    if (stack == 0) break;
    stack_before_.push_back(stack);
  }
  path_before_.assign(path_.begin(), path_.begin() + static_cast<ptrdiff_t>(stack_before_.size()));
  return stack == 0 ? tables_->InternCutStack(path_) : stack;
}

uint32_t SampledStacks::Wait() {
  Key key = KeyOf();
  auto [known, is_new] = waiting_by_key_.emplace(key.first ^ key.second, waiting_.size() + 1);
  if (!is_new) return known->second;
  if (waiting_frames_.size() + frames_.size() > kMostWaitingFrames) {
    waiting_.push_back({0, 0, tables_->overflow_stack()});
  } else {
    waiting_.push_back({waiting_frames_.size(), frames_.size(), 0});
    waiting_frames_.insert(waiting_frames_.end(), frames_.begin(), frames_.end());
  }
  return known->second;
}

void SampledStacks::Resolve() {
  if (waiting_.empty()) return;
  functions_.Describe();
  before_.clear();
  // From here on nothing is allocated on V8's heap, so no sample is taken in this loop.
  for (Waiting& waiting : waiting_) {
    if (waiting.stack != 0) continue;
    frames_.clear();
    for (size_t i = 0; i < waiting.frames; ++i) {
      const Frame& frame = waiting_frames_[waiting.begin + i];
      frames_.push_back(frame.described ? frame : functions_.OfRecent(frame.id));
    }
    waiting.stack = Intern();
  }
}

void SampledStacks::ForgetResolved() {
  waiting_.clear();
  waiting_frames_.clear();
  waiting_by_key_.clear();
  functions_.ForgetRecent();
  functions_.Trim();
}

}  // namespace memprof
