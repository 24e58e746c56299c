#include "heap/call_joiner.h"

#include <iterator>
#include <span>

namespace memprof {

namespace {

// V8 keeps at most 255 frames of a CPU sample, and leaves some of these out. A sample of so many may be cut.
constexpr size_t kNearlyMostFrames = 200;

std::string_view View(const char* text) { return text == nullptr ? std::string_view() : text; }

}  // namespace

JoinedStack CallJoiner::Join(uint32_t path, const CpuSample& sample, Leaf leaf) {
  // The path is gone where the tables were reset meanwhile.
  if (path > stacks_->paths().size()) return {};
  ReadCalls(sample);
  if (!Fit(path, leaf)) return {};
  return {Intern(frames_), knows_line_};
}

// Leaves out what is no function of a script: V8's root, its own work, and its built-in functions.
void CallJoiner::ReadCalls(const CpuSample& sample) {
  calls_.clear();
  v8_frames_ = 0;
  int line = sample.line;
  int column = sample.column;
  for (const v8::CpuProfileNode* node = sample.node; node != nullptr; node = node->GetParent()) {
    ++v8_frames_;
    if (int script_id = node->GetScriptId(); script_id > 0) {
      calls_.push_back({node, script_id, starts_.Of(node), line, column});
    }
    line = node->GetLineNumber();
    column = CallColumnOf(node);
  }
}

// A function that was inlined into its caller's caller, and is the same as the one that called it, could belong to
// either frame.
bool CallJoiner::Fit(uint32_t path, Leaf leaf) {
  frames_.clear();
  parts_.clear();
  knows_line_ = false;
  bool cut = false;
  bool innermost = true;
  size_t next = 0;
  size_t last_part = 0;  // of the function before, where V8 has it
  std::vector<uint32_t> functions = stacks_->paths().FunctionsOf(path);
  auto end_part = [&](bool sure) {
    uint32_t begin = parts_.empty() ? 0 : parts_.back().end;
    parts_.push_back({begin, static_cast<uint32_t>(frames_.size()), sure});
  };
  for (auto at = functions.rbegin(); at != functions.rend(); ++at) {
    uint32_t id = *at;
    if (id == SampledStacks::kDeoptimising) return false;
    if (id == SampledStacks::kTruncated) cut = true;
    Ref frame = stacks_->FrameOf(id);
    if (frame == 0) return false;
    const FunctionTable::Info* info = stacks_->InfoOf(id);
    if (info == nullptr || info->script_id <= 0) {
      frames_.push_back(frame);
      end_part(true);
      continue;
    }
    const FrameKey& key = tables_->FrameAt(frame)->key;
    script_id_ = info->script_id;
    script_url_ = key.url;
    size_t found = next;
    while (found < calls_.size() &&
           !(calls_[found].script_id == info->script_id && calls_[found].start.line == key.line &&
             calls_[found].start.column == key.column)) {
      ++found;
    }
    if (found == calls_.size()) {
      if (v8_frames_ < kNearlyMostFrames || next != found) return false;
      frames_.push_back(frame);
      end_part(false);
      continue;
    }
    bool sure = true;
    for (size_t i = next; i < found && next != 0; ++i) {
      if (!SameFunction(calls_[i], calls_[next - 1])) continue;
      sure = false;
      parts_[last_part].sure = false;
    }
    if (innermost && !leaf.known) {
      frames_.push_back(frame);
      last_part = parts_.size();
      end_part(sure);
      innermost = false;
      next = found + 1;
      continue;
    }
    if (innermost && leaf.of_maglev && found != next) ForgetStart(&calls_[next]);
    for (size_t i = next; i < found; ++i) {
      if (!AddInlined(calls_[i])) return false;
    }
    const Call& call = calls_[found];
    // What was read as a line may be something else.
    if (call.line != 0 && call.line < key.line) return false;
    frames_.push_back(tables_->InternCall(frame, call.line, call.column));
    last_part = parts_.size();
    end_part(sure);
    if (innermost) knows_line_ = calls_[next].line != 0;
    innermost = false;
    next = found + 1;
  }
  return cut || next == calls_.size();
}

// A function of one line has the same line without this.
void CallJoiner::ForgetStart(Call* call) {
  bool is_start = call->line == call->start.line && (call->column == 0 || call->column == call->start.column);
  if (is_start) call->line = call->column = 0;
}

bool CallJoiner::AddInlined(const Call& call) {
  if (call.start.line == 0 || (call.line != 0 && call.line < call.start.line)) return false;
  Ref function = tables_->InternFrame(View(call.node->GetFunctionNameStr()), UrlOf(call), call.start.line,
                                      call.start.column);
  Ref frame = function == 0 ? 0 : tables_->InternCall(function, call.line, call.column, true);
  frames_.push_back(frame);
  return frame != 0;
}

// V8's CPU profiler lets a comment in a script rename it, so the name that we know comes first.
std::string_view CallJoiner::UrlOf(const Call& call) const {
  if (call.script_id == script_id_) return tables_->StringAt(script_url_);
  return View(call.node->GetScriptResourceNameStr());
}

Ref CallJoiner::Intern(std::span<const Ref> frames) {
  Ref stack = 0;
  for (size_t i = frames.size(); i != 0; --i) {
    stack = tables_->InternStack(stack, frames[i - 1]);
    if (stack != 0) continue;
    // There is no room for whole stacks.
    Ref path[ProfileTables::kCutFrames + 1];
    size_t at = std::size(path);
    for (size_t leaf = 0; leaf < frames.size() && at != 0; ++leaf) path[--at] = frames[leaf];
    return tables_->InternCutStack(std::span<const Ref>(path).subspan(at));
  }
  return stack;
}

}  // namespace memprof
