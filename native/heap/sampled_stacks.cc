#include "heap/sampled_stacks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/sample_code.h"
#include "heap/raw_handles.h"

namespace memprof {

namespace {

// Ids of frames that are no functions. They are below FunctionTable::kFirstId.
constexpr uint32_t kDeoptimising = SampledStacks::kDeoptimising;
constexpr uint32_t kTruncated = SampledStacks::kTruncated;
constexpr uint32_t kFirstState = 16;

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

// REQUIRES: the id is below FunctionTable::kFirstId.
const char* NameOf(uint32_t id) {
  if (id == kDeoptimising) return "(deopt)";
  if (id == kTruncated) return kTruncatedName;
  if (id == FunctionTable::kNoRoomId) return "(overflow)";
  return NameOf(static_cast<v8::StateTag>(id - kFirstState));
}

constexpr size_t kLongText = 1000;
constexpr size_t kEnoughText = 500;

// When a script is collected, V8 forgets its name and the lines of its functions. We may have read them
// before.
bool SameFrame(const FrameKey& ours, const FrameKey& v8s, const ProfileTables& tables) {
  if (!SameText(tables.StringAt(ours.function_name), tables.StringAt(v8s.function_name))) return false;
  std::string_view url = tables.StringAt(v8s.url);
  if (v8s.line == 0 && url.empty()) return true;
  return ours.line == v8s.line && ours.column == v8s.column && SameText(tables.StringAt(ours.url), url);
}

}  // namespace

bool SameText(std::string_view ours, std::string_view v8s) {
  return ours == v8s || (ours.size() >= kLongText && v8s.size() >= kLongText &&
                         ours.substr(0, kEnoughText) == v8s.substr(0, kEnoughText));
}

bool SameStack(const ProfileTables& tables, Ref ours, Ref v8s, bool v8_cuts_more) {
  while (ours != 0 && v8s != 0) {
    if (v8_cuts_more && v8s == tables.truncated_stack()) return true;
    const StackNode* our = tables.StackAt(ours);
    const StackNode* v8 = tables.StackAt(v8s);
    if (!SameFrame(tables.FrameAt(our->key.frame)->key, tables.FrameAt(v8->key.frame)->key, tables))
      return false;
    ours = our->key.parent;
    v8s = v8->key.parent;
  }
  return ours == v8s;
}

void SampledStacks::Start(const V8Layout* layout, const uintptr_t* left_by, const StackRange& stack,
                          const CodeRanges& code, int depth, int v8_depth) {
  functions_.set_layout(layout);
  left_by_ = left_by;
  stack_ = stack;
  code_ = code;
  most_depth_ = static_cast<size_t>(depth);
  v8_depth_ = static_cast<size_t>(v8_depth);
  ChooseDepth();
  prefixes_.Start();
  frames_.reserve(most_depth_ + 2);
  before_.clear();
  now_.clear();
}

// Deep stacks that have nothing in common could fill the tables, so when half of the room is used, stacks are
// cut where V8 cuts them.
void SampledStacks::ChooseDepth() {
  depth_ = tables_->UsedBytes() > tables_->LimitBytes() / 2 ? v8_depth_ : most_depth_;
  most_frames_ = depth_ + 1 + kMoreFrames;
}

void SampledStacks::Stop() {
  functions_.Clear();
  paths_.Clear();
  prefixes_.Clear();
  before_ = std::vector<Walked>();
  now_ = std::vector<Walked>();
  names_ = std::vector<std::pair<uint32_t, std::string>>();
  named_ = std::vector<bool>();
}

MEMPROF_SAMPLE_CODE SampledStacks::Taken SampledStacks::Take() {
  if (!TakeFrames()) return {0, 0, false};
  uint32_t path = paths_.Intern(frames_);
  return {paths_.At(path).stack, path, true};
}

MEMPROF_SAMPLE_CODE bool SampledStacks::TakeFrames() {
  frames_.clear();
  if (!WalkNow()) return false;
  bool deoptimising = false;
  bool truncated = false;
  for (Walked& each : now_) {
    if (each.id == 0) each.id = functions_.IdOf(each.at);
    uint32_t id = each.id;
    if (id == kDeoptimising) {
      deoptimising = true;
      continue;
    }
    if (frames_.size() == depth_) {
      truncated = true;
      break;
    }
    // V8 treats the entry to a WebAssembly function as a JavaScript frame only while the entry is a built-in
    // function, not once it was compiled. And while it is one, no public function tells the name that V8
    // uses.
    if (id == FunctionTable::kWasmId) return false;
    frames_.push_back(id);
  }
  before_.swap(now_);
  if (frames_.empty()) {
    v8::StateTag state = State();
    // JavaScript runs, but it called C++ without leaving an exit frame, so the walk found nothing.
    if (state == v8::JS) return false;
    frames_.push_back(kFirstState + static_cast<uint32_t>(state));
  }
  if (deoptimising) frames_.insert(frames_.begin(), kDeoptimising);
  if (truncated) frames_.push_back(kTruncated);
  return true;
}

MEMPROF_SAMPLE_CODE void SampledStacks::Fetch() const {
  for (const Walked& each : before_) Prefetch(each.at);
}

// Lists the frames of the stack, with the ids of those that the stack before had, too. The memory that tells
// the other ids is fetched for all of them at once.
MEMPROF_SAMPLE_CODE bool SampledStacks::WalkNow() {
  now_.clear();
  const Walked* before = before_.data();  // the first frame of the stack before that is not passed yet
  const Walked* const end = before + before_.size();
  bool sure = WalkFrames(*left_by_, stack_, code_, [&](const uintptr_t* at) {
    while (before != end && before->at < at) ++before;
    bool known = before != end && before->at == at && before->function == *at;
    if (!known) FunctionTable::FetchObject(at);
    now_.push_back({at, *at, known ? before->id : 0});
    return now_.size() != most_frames_;
  });
  if (!sure) return false;
  for (const Walked& each : now_) {
    if (each.id == 0) functions_.FetchSlot(each.at);
  }
  return true;
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

Ref SampledStacks::FrameOf(uint32_t id) {
  if (id >= FunctionTable::kFirstId) return functions_.InfoOf(id).frame;
  return tables_->InternFrame(NameOf(id), "", 0, 0);
}

bool SampledStacks::IsDescribed(uint32_t id) const {
  return id < FunctionTable::kFirstId || functions_.InfoOf(id).described;
}

// Finds the path in the tables, given that its base is known there. Returns 0 when a function is not
// described yet.
Ref SampledStacks::Intern(uint32_t number) {
  CallPaths::Path& path = paths_.At(number);
  std::span<const uint32_t> added = paths_.AddedBy(path);
  sums_.resize(added.size() + 1);
  uint64_t sum = path.sum;
  for (size_t i = added.size(); i != 0; --i) {
    sums_[i] = sum;
    prefixes_.Fetch(sum);
    sum -= CallPaths::TermOf(path.shared + i - 1, added[i - 1]);
  }
  sums_[0] = sum;
  size_t known = added.size();
  Ref stack = 0;
  while (known != 0 && (stack = prefixes_.Find(sums_[known])) == 0) --known;
  std::span<const uint32_t> rest = added.subspan(known);
  if (!std::all_of(rest.begin(), rest.end(), [&](uint32_t id) { return IsDescribed(id); })) return 0;
  if (known == 0 && path.base != 0) {
    if (paths_.At(path.base).cut) return InternWhole(number);
    stack = BeginningOf(path.base, path.shared);
  }
  new_frames_.clear();
  for (uint32_t id : rest) new_frames_.push_back(FrameOf(id));
  new_stacks_.resize(rest.size());
  size_t found = tables_->InternStacks(stack, new_frames_, new_stacks_.data());
  // Every other beginning, so that twice as many paths are remembered.
  for (size_t i = 0; i < found; ++i) {
    size_t length = known + 1 + i;
    if ((path.shared + length) % 2 == 0) prefixes_.Put(sums_[length], new_stacks_[i]);
  }
  if (found != rest.size()) return InternWhole(number);
  return rest.empty() ? stack : new_stacks_.back();
}

// The first `count` functions of a path that is in the tables and not cut.
Ref SampledStacks::BeginningOf(uint32_t number, uint32_t count) const {
  const CallPaths::Path& path = paths_.At(number);
  Ref stack = path.stack;
  for (uint32_t i = count; i < path.count; ++i) stack = tables_->StackAt(stack)->key.parent;
  return stack;
}

// The same for a path whose base is cut, or for which there is no room.
Ref SampledStacks::InternWhole(uint32_t number) {
  std::vector<uint32_t> functions = paths_.FunctionsOf(number);
  Ref stack = 0;
  for (uint32_t id : functions) {
    stack = tables_->InternStack(stack, FrameOf(id));
    if (stack == 0) break;
  }
  if (stack != 0) return stack;
  paths_.At(number).cut = true;
  std::vector<Ref> frames;
  size_t kept = std::min(functions.size(), ProfileTables::kCutFrames + size_t{1});
  for (size_t i = functions.size() - kept; i < functions.size(); ++i) frames.push_back(FrameOf(functions[i]));
  return tables_->InternCutStack(frames);
}

Ref SampledStacks::StackOf(uint32_t path) {
  if (path == 0) return 0;
  std::array<uint32_t, CallPaths::kMostBases + 1> unknown;
  size_t count = 0;
  for (uint32_t each = path; each != 0 && paths_.At(each).stack == 0; each = paths_.At(each).base) {
    unknown[count++] = each;
  }
  while (count != 0) {
    uint32_t each = unknown[--count];
    Ref stack = Intern(each);
    if (stack == 0) return 0;
    paths_.At(each).stack = stack;
  }
  return paths_.At(path).stack;
}

void SampledStacks::Trim() {
  if (paths_.bytes() < kMostPathBytes && !functions_.Full()) return;
  if (functions_.AnyToDescribe()) return;
  paths_.Clear();
  before_.clear();
  if (functions_.Full()) {
    functions_.Clear();
    names_.clear();
    named_.clear();
  }
}

const char* SampledStacks::Compare(uintptr_t node) {
  constexpr const char* kUnreadable = "a stack of V8's cannot be read";
  constexpr const char* kDifferent = "a stack is not V8's";
  V8Node at;
  // V8 was asked for one frame more than its depth. It does not count its mark of a stack that is being
  // deoptimised.
  size_t v8_frames = v8_depth_ + 1;
  for (uint32_t id : frames_) {
    if (!ReadV8Node(node, &at)) return kUnreadable;
    if (at.parent == 0) return v8_frames == 0 ? nullptr : kDifferent;
    node = at.parent;
    if (id != kDeoptimising) --v8_frames;
    if (id == kTruncated) continue;
    if (const char* problem = CompareFrame(id, at)) return problem;
  }
  if (!ReadV8Node(node, &at)) return kUnreadable;
  return at.parent == 0 ? nullptr : kDifferent;
}

const char* SampledStacks::CompareFrame(uint32_t id, const V8Node& node) {
  std::string name;
  if (id < FunctionTable::kFirstId) {
    if (!ReadV8Name(node.name, kLongText, &name)) return "a name of V8's cannot be read";
    return id == FunctionTable::kNoRoomId || (node.script_id == 0 && name == NameOf(id))
               ? nullptr
               : "a stack is not V8's";
  }
  const FunctionTable::Info& info = functions_.InfoOf(id);
  if (node.script_id != info.script_id) return "a function of a stack is not in V8's script";
  if (info.script_id > 0 && info.position >= 0 && node.position != info.position) {
    return "a function of a stack is not V8's";
  }
  if (id < named_.size() && named_[id]) return nullptr;
  if (names_.size() >= kMostNames) return nullptr;
  if (!ReadV8Name(node.name, kLongText, &name)) return "a name of V8's cannot be read";
  if (id >= named_.size()) named_.resize(id + 1);
  named_[id] = true;
  names_.emplace_back(id, std::move(name));
  return nullptr;
}

const char* SampledStacks::CompareNames() {
  size_t kept = 0;
  const char* problem = nullptr;
  for (auto& [id, name] : names_) {
    const FunctionTable::Info& info = functions_.InfoOf(id);
    if (!info.described) {
      names_[kept++] = {id, std::move(name)};
    } else if (info.frame != 0 &&
               !SameText(tables_->StringAt(tables_->FrameAt(info.frame)->key.function_name), name)) {
      problem = "the name of a function is not V8's";
    }
  }
  names_.resize(kept);
  return problem;
}

}  // namespace memprof
