#include "heap/heap_walk.h"

#include <algorithm>

namespace memprof {

namespace {

// Ids of another tool's earlier snapshots may have run far ahead of the number of nodes.
constexpr size_t kMostIdsPerNode = 4;

std::string ToText(v8::Isolate* isolate, v8::Local<v8::String> string) {
  constexpr size_t kLongest = 120;
  v8::String::Utf8Value text(isolate, string);
  if (*text == nullptr) return {};
  std::string result(*text, std::min<size_t>(text.length(), kLongest));
  // Do not cut a character in two.
  while (result.size() == kLongest && (static_cast<unsigned char>(result.back()) & 0xC0) == 0x80)
    result.pop_back();
  if (!result.empty() && result.size() < static_cast<size_t>(text.length()) &&
      (static_cast<unsigned char>(result.back()) & 0xC0) == 0xC0)
    result.pop_back();
  return result;
}

}  // namespace

std::string NodeName(v8::Isolate* isolate, const v8::HeapGraphNode* node) {
  v8::HandleScope scope(isolate);
  return ToText(isolate, node->GetName());
}

std::string EdgeName(v8::Isolate* isolate, const v8::HeapGraphEdge* edge) {
  v8::HandleScope scope(isolate);
  if (edge->GetType() == v8::HeapGraphEdge::kElement) return {};
  v8::Local<v8::Value> name = edge->GetName();
  if (!name->IsString()) return {};
  std::string text = ToText(isolate, name.As<v8::String>());
  if (edge->GetType() != v8::HeapGraphEdge::kInternal) return text;
  // V8 numbers the fields of its own arrays, and puts a number before some names: "12 / name".
  size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string::npos) return {};
  return digits != 0 && text.compare(digits, 3, " / ") == 0 ? text.substr(digits + 3) : text;
}

HeapWalk::HeapWalk(v8::Isolate* isolate, const v8::HeapSnapshot* snapshot)
    : isolate_(isolate), snapshot_(snapshot) {
  size_t ids = snapshot->GetMaxSnapshotJSObjectId() / 2 + 1;
  by_id_.resize(std::min(ids, static_cast<size_t>(snapshot->GetNodesCount()) * kMostIdsPerNode));
}

void HeapWalk::Run() {
  std::fill(by_id_.begin(), by_id_.end(), nullptr);
  others_.clear();
  queue_.clear();
  strong_roots_.clear();
  momentary_roots_.clear();
  queue_.push_back(snapshot_->GetRoot());
  size_t next = 0;
  auto walk = [&] {
    while (next < queue_.size()) Expand(queue_[next++]);
  };
  walk();
  for (auto* roots : {&strong_roots_, &momentary_roots_}) {
    for (const v8::HeapGraphNode* node : *roots) queue_.push_back(node);
    walk();
  }
  queue_.clear();
  queue_.shrink_to_fit();
}

void HeapWalk::Expand(const v8::HeapGraphNode* node) {
  const v8::HeapGraphNode* root = snapshot_->GetRoot();
  bool weak_table = !weak_tables_.empty() && weak_tables_.count(node) != 0;
  int count = node->GetChildrenCount();
  for (int i = 0; i < count; ++i) {
    const v8::HeapGraphEdge* edge = node->GetChild(i);
    if (edge->GetType() == v8::HeapGraphEdge::kWeak) continue;
    if (weak_table && edge->GetType() == v8::HeapGraphEdge::kInternal) continue;
    const v8::HeapGraphNode* to = edge->GetToNode();
    if (to == root) continue;
    const v8::HeapGraphEdge** slot = SlotOf(to);
    if (*slot != nullptr) continue;
    *slot = edge;
    if (to->GetType() == v8::HeapGraphNode::kSynthetic) {
      QueueOf(to)->push_back(to);
    } else {
      queue_.push_back(to);
    }
  }
}

// What V8 holds for its own purposes, or a function that is running just now, is held by something else as well if it
// leaks.
std::vector<const v8::HeapGraphNode*>* HeapWalk::QueueOf(const v8::HeapGraphNode* roots) {
  std::string name = NodeName(isolate_, roots);
  if (name == "(Stack roots)" || name == "(Handle scope)") return &momentary_roots_;
  for (const char* own : {"(Strong root", "(Internalized strings)", "(Micro tasks)", "(Compilation cache)",
                          "(Identity map)", "(Relocatable)", "(Thread manager)"}) {
    if (name.rfind(own, 0) == 0) return &strong_roots_;
  }
  return &queue_;
}

const v8::HeapGraphEdge** HeapWalk::SlotOf(const v8::HeapGraphNode* node) {
  v8::SnapshotObjectId id = node->GetId();
  size_t at = id / 2;
  return id % 2 == 1 && at < by_id_.size() ? &by_id_[at] : &others_[node];
}

const v8::HeapGraphEdge* HeapWalk::EdgeTo(v8::SnapshotObjectId id) const {
  size_t at = id / 2;
  if (id % 2 == 1 && at < by_id_.size()) return by_id_[at];
  const v8::HeapGraphNode* node = snapshot_->GetNodeById(id);
  return node == nullptr ? nullptr : EdgeTo(node);
}

const v8::HeapGraphEdge* HeapWalk::EdgeTo(const v8::HeapGraphNode* node) const {
  v8::SnapshotObjectId id = node->GetId();
  size_t at = id / 2;
  if (id % 2 == 1 && at < by_id_.size()) return by_id_[at];
  auto found = others_.find(node);
  return found == others_.end() ? nullptr : found->second;
}

}  // namespace memprof
