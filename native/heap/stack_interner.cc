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

void StackInterner::Read(v8::Isolate* isolate, v8::AllocationProfile::Node* root) {
  steps_.clear();
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
  if (!step.parent_cut) known.stack = tables_->InternStack(step.parent_stack, known.frame);
  if (known.stack == 0) {
    known.cut = true;
    path_.push_back(known.frame);
    known.stack = tables_->InternCutStack(path_);
    path_.pop_back();
  }
  return known;
}

Ref StackInterner::InternFrame(v8::Isolate* isolate, v8::AllocationProfile::Node* node) {
  v8::String::Utf8Value name(isolate, node->name);
  v8::String::Utf8Value url(isolate, node->script_name);
  return tables_->InternFrame(View(name), View(url), node->line_number, node->column_number,
                              {.start = node->start_position});
}

}  // namespace memprof
