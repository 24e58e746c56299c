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
const char* NameOfState(v8::StateTag state) {
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
  return NameOfState(static_cast<v8::StateTag>(id - kFirstState));
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
  functions_.Begin(Shared<FunctionFrames>::Make(tables_, functions_.first_id(), NameOf));
  in_background_ = StartBackground();
  StartLookup();
  frames_.reserve(most_depth_ + 2);
  before_.clear();
  now_.clear();
}

// The background thread may still be at work on the one before, so that one is left to it.
void SampledStacks::StartLookup() {
  lookup_.emplace(Shared<StackLookup>::Make(tables_, functions_.frames(), in_background_));
}

// Deep stacks that have nothing in common could fill the tables, so when half of the room is used, stacks are
// cut where V8 cuts them.
void SampledStacks::ChooseDepth() {
  depth_ = tables_->UsedBytes() > tables_->LimitBytes() / 2 ? v8_depth_ : most_depth_;
  most_frames_ = depth_ + 1 + kMoreFrames;
}

void SampledStacks::Stop() {
  functions_.Clear();
  lookup_.reset();
  before_ = std::vector<Walked>();
  now_ = std::vector<Walked>();
  names_ = std::vector<std::pair<uint32_t, std::string>>();
  named_ = std::vector<bool>();
}

MEMPROF_SAMPLE_CODE SampledStacks::Taken SampledStacks::Take() {
  if (!TakeFrames()) return {0, 0, false};
  uint32_t path = lookup().paths.Intern(frames_);
  if (path == 0) return {0, 0, false};
  return {lookup().paths.StackOf(path), path, true};
}

// V8's functions are known by where they start.
SampledStacks::Taken SampledStacks::TakeV8s(uintptr_t leaf) {
  std::vector<V8Node> nodes;
  std::vector<FunctionTable::Start> starts;
  V8Node node;
  for (uintptr_t at = leaf;; at = node.parent) {
    if (nodes.size() > v8_depth_ || !ReadV8Node(at, &node)) return {};
    if (node.parent == 0) break;
    nodes.push_back(node);
    starts.push_back({node.script_id, node.position});
  }
  if (nodes.empty()) return {};
  functions_.FindStarts(starts);
  frames_.clear();
  std::string name;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (starts[i].id == 0 || !ReadV8Name(nodes[i].name, kLongText, &name)) return {};
    Ref frame = functions_.InfoOf(starts[i].id).frame;
    if (frame == 0 || !SameText(tables_->StringAt(tables_->FrameAt(frame)->key.function_name), name))
      return {};
    frames_.push_back(starts[i].id);
  }
  uint32_t path = lookup().paths.Intern(frames_);
  return {path == 0 ? 0 : lookup().paths.StackOf(path), path, path != 0};
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

bool SampledStacks::LookUpInBackground(std::vector<uint32_t>* paths) {
  return in_background_ && StackLookup::Begin(*lookup_, paths);
}

void SampledStacks::Trim() {
  if (!IsFull() || functions_.AnyToDescribe()) return;
  before_.clear();
  if (functions_.Full()) {
    functions_.Clear();
    functions_.Begin(Shared<FunctionFrames>::Make(tables_, functions_.first_id(), NameOf));
    names_.clear();
    named_.clear();
  }
  StartLookup();
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
