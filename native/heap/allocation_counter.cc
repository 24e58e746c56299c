#include "heap/allocation_counter.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace memprof {

namespace {

using Node = v8::AllocationProfile::Node;

constexpr size_t kNone = ~size_t{0};

std::string Text(v8::Isolate* isolate, v8::Local<v8::String> string) {
  v8::String::Utf8Value text(isolate, string);
  return *text == nullptr ? std::string() : std::string(*text, text.length());
}

// V8's tree, with links to the parents.
class Tree {
 public:
  Tree(v8::Isolate* isolate, Node* root, std::vector<AllocationFrame>* frames) : frames_(frames) {
    std::vector<std::pair<Node*, size_t>> open{{root, kNone}};
    while (!open.empty()) {
      auto [node, parent] = open.back();
      open.pop_back();
      size_t index = nodes_.size();
      std::string name = Text(isolate, node->name);
      bool marked = name == AllocationCounter::kEndMark || (parent != kNone && nodes_[parent].marked);
      nodes_.push_back({parent, static_cast<uint32_t>(frames_->size()), marked});
      by_id_.push_back({node->node_id, index});
      frames_->push_back(
          {std::move(name), Text(isolate, node->script_name), node->line_number, node->column_number});
      for (Node* child : node->children) open.push_back({child, index});
    }
    std::sort(by_id_.begin(), by_id_.end());
  }

  size_t size() const { return nodes_.size(); }
  // For a sample that was taken while the tree was read it is the root, which stands for the empty stack.
  size_t IndexOf(uint32_t node_id) const {
    auto found = std::lower_bound(by_id_.begin(), by_id_.end(), std::pair<uint32_t, size_t>{node_id, 0});
    return found == by_id_.end() || found->first != node_id ? 0 : found->second;
  }
  // Whether the node is the end mark, or was called by it.
  bool IsEndMark(size_t index) const { return nodes_[index].marked; }
  std::vector<uint32_t> StackOf(size_t index) const {
    std::vector<uint32_t> stack;
    for (; nodes_[index].parent != kNone; index = nodes_[index].parent) stack.push_back(nodes_[index].frame);
    return stack;
  }

 private:
  struct Known {
    size_t parent;
    uint32_t frame;
    bool marked;
  };
  std::vector<AllocationFrame>* const frames_;
  std::vector<Known> nodes_;
  std::vector<std::pair<uint32_t, size_t>> by_id_;
};

}  // namespace

bool AllocationCounter::Start(uint64_t interval, int stack_depth, bool kept) {
  interval_ = interval;
  int flags = v8::HeapProfiler::kSamplingNoFlags;
  if (kept) {
    flags = v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMajorGC |
            v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMinorGC;
  }
  running_ = isolate_->GetHeapProfiler()->StartSamplingHeapProfiler(
      interval, stack_depth, static_cast<v8::HeapProfiler::SamplingFlags>(flags));
  return running_;
}

bool AllocationCounter::Read(AllocationCounts* counts) {
  v8::HandleScope scope(isolate_);
  std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
  if (profile == nullptr) {
    running_ = false;  // nothing is left to stop
    return false;
  }
  Tree tree(isolate_, profile->GetRootNode(), &counts->frames);
  uint64_t end = ~uint64_t{0};
  for (const auto& sample : profile->GetSamples()) {
    if (tree.IsEndMark(tree.IndexOf(sample.node_id))) end = std::min(end, sample.sample_id);
  }
  if (end == ~uint64_t{0}) return false;
  std::vector<AllocationSite> sites(tree.size());
  for (const auto& sample : profile->GetSamples()) {
    if (sample.sample_id >= end) continue;
    AllocationSite& site = sites[tree.IndexOf(sample.node_id)];
    double stands_for = interval_ == 1 ? 1 : 1 / -std::expm1(-static_cast<double>(sample.size) / interval_);
    site.events += stands_for;
    site.bytes += stands_for * sample.size;
  }
  counts->events = end - 1;  // ids begin at 1
  for (size_t index = 0; index < sites.size(); ++index) {
    if (sites[index].events == 0) continue;
    sites[index].frames = tree.StackOf(index);
    counts->sites.push_back(std::move(sites[index]));
  }
  return true;
}

void AllocationCounter::Stop() {
  if (running_) isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
  running_ = false;
}

}  // namespace memprof
