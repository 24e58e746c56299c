#include "heap/stack_interner.h"

#include <algorithm>
#include <string_view>

#include "base/hash.h"
#include "base/shrink.h"

namespace memprof {

namespace {

std::string_view View(const v8::String::Utf8Value& text) {
  return *text == nullptr ? std::string_view() : std::string_view(*text, text.length());
}

}  // namespace

void StackInterner::Read(v8::Isolate* isolate, v8::AllocationProfile::Node* root, int depth) {
  steps_.clear();
  depth_ = static_cast<uint32_t>(depth);
  // The root stands for the empty stack. A sample may still name it.
  if (nodes_.Touch(root->node_id) == nullptr) {
    nodes_.Insert(root->node_id, Known{tables_->unknown_stack(), 0, 0, false});
  }
  for (auto* child : root->children) steps_.push_back({child, 0, 0, false});
  size_t most = 0;
  while (!steps_.empty()) {
    most = std::max(most, steps_.size());
    Step step = steps_.back();
    steps_.pop_back();
    path_.resize(step.depth);
    Known known;
    uint32_t fingerprint = FingerprintOf(step);
    Known* found = nodes_.Touch(step.node->node_id);
    if (found != nullptr && found->fingerprint == fingerprint) {
      known = *found;
    } else {
      known = Intern(isolate, step);
      known.fingerprint = fingerprint;
      if (found != nullptr) {
        *found = known;
      } else {
        nodes_.Insert(step.node->node_id, known);
      }
    }
    path_.push_back(known.frame);
    for (auto* child : step.node->children) {
      steps_.push_back({child, known.stack, step.depth + 1, known.cut});
    }
  }
  ShrinkToUse(&steps_, most);
  nodes_.Sweep([](uint64_t, Known&) {}, [](uint64_t, Known&) {});
}

uint32_t StackInterner::FingerprintOf(const Step& step) {
  const v8::AllocationProfile::Node& node = *step.node;
  uint64_t place =
      (uint64_t{static_cast<uint32_t>(node.script_id)} << 32) | static_cast<uint32_t>(node.start_position);
  // The identity hash of a name is made from its characters.
  uint64_t above = (uint64_t{step.parent_stack} << 32) | static_cast<uint32_t>(node.name->GetIdentityHash());
  return static_cast<uint32_t>(Combine(place, above));
}

StackInterner::Known StackInterner::Intern(v8::Isolate* isolate, const Step& step) {
  Known known;
  known.frame = InternFrame(isolate, step.node);
  if (IsTruncated(step, known.frame)) {
    known.stack = InternTruncated(known.frame);
  } else if (!step.parent_cut) {
    known.stack = tables_->InternStack(step.parent_stack, known.frame);
  }
  if (known.stack == 0) {
    known.cut = true;
    path_.push_back(known.frame);
    known.stack = tables_->InternCutStack(path_);
    path_.pop_back();
  }
  return known;
}

// V8 was asked for one frame more than the depth. It does not count the frame by which it marks a stack that
// is being deoptimised.
bool StackInterner::IsTruncated(const Step& step, Ref frame) const {
  if (step.depth != depth_ || frame == 0) return false;
  const FrameKey& key = tables_->FrameAt(frame)->key;
  return !(tables_->StringAt(key.url).empty() && tables_->StringAt(key.function_name) == "(deopt)");
}

// The current path without its outermost frame, from the root of the stacks that are cut. Returns 0 where
// there is no room.
Ref StackInterner::InternTruncated(Ref frame) {
  Ref stack = tables_->truncated_stack();
  for (size_t i = 1; i < path_.size() && stack != 0; ++i) stack = tables_->InternStack(stack, path_[i]);
  return stack == 0 ? 0 : tables_->InternStack(stack, frame);
}

Ref StackInterner::InternFrame(v8::Isolate* isolate, v8::AllocationProfile::Node* node) {
  v8::String::Utf8Value name(isolate, node->name);
  v8::String::Utf8Value url(isolate, node->script_name);
  return tables_->InternFrame(View(name), View(url), node->line_number, node->column_number,
                              {.start = node->start_position});
}

}  // namespace memprof
