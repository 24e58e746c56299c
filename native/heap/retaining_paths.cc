#include "heap/retaining_paths.h"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/clocks.h"
#include "heap/heap_walk.h"

namespace memprof {

namespace {

using Node = v8::HeapGraphNode;
using Edge = v8::HeapGraphEdge;

// Names are read of this many nodes from the root on, and of this many up to an object. What is between, such as a
// long linked list, is left out.
constexpr size_t kStepsFromRoot = 300;
constexpr size_t kStepsToObject = 24;
// A path that would need more nodes than that in all is given up.
constexpr size_t kMostNodes = 2'000'000;
constexpr int kMostRuns = 4;

class StopControl final : public v8::ActivityControl {
 public:
  explicit StopControl(const std::function<bool()>& stop) : stop_(stop) {}
  ControlOption ReportProgressValue(uint32_t, uint32_t) override { return stop_() ? kAbort : kContinue; }

 private:
  const std::function<bool()>& stop_;
};

void AppendJsonText(std::string* json, const std::string& text) {
  json->push_back('"');
  for (char c : text) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json->push_back('\\');
      json->push_back(c);
    } else if (byte < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      *json += "\\u00";
      json->push_back(kHex[byte >> 4]);
      json->push_back(kHex[byte & 15]);
    } else {
      json->push_back(c);
    }
  }
  json->push_back('"');
}

void AppendNumbers(std::string* json, const char* name, const std::vector<int64_t>& numbers) {
  *json += ",\"" + std::string(name) + "\":[";
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i != 0) json->push_back(',');
    *json += std::to_string(numbers[i]);
  }
  json->push_back(']');
}

struct Place {
  int64_t file = -1;
  int64_t line = 0;
  int64_t column = 0;
};

class Paths {
 public:
  Paths(v8::Isolate* isolate, const v8::HeapSnapshot* snapshot)
      : isolate_(isolate), snapshot_(snapshot), walk_(isolate, snapshot) {}

  void Find(const std::vector<SampledObject>& alive, const std::vector<SampledObject>& functions) {
    v8::HeapProfiler* profiler = isolate_->GetHeapProfiler();
    ids_.reserve(alive.size());
    for (const SampledObject& each : alive) ids_.push_back(profiler->GetObjectId(each.object));
    // The tables of WeakMaps show only when they are on a path, and the walk is made again without them.
    for (int run = 0; run < kMostRuns; ++run) {
      walk_.Run();
      if (!MarkWeakTables()) break;
    }
    NoteFunctions(functions);
    CollectNodes();
    NameNodes();
    for (size_t i = 0; i < alive.size(); ++i) {
      const Edge* edge = EdgeToObject(i);
      auto step = edge == nullptr ? step_of_.end() : step_of_.find(edge->GetToNode());
      bool held = step != step_of_.end() && step->second >= 0;
      AddObject(alive[i].stack, alive[i].size, edge == nullptr ? HeldState::kNotHeld : HeldState::kHeld,
                held ? step->second : -1);
    }
  }

  void AddObject(Ref stack, uint64_t size, HeldState state, int64_t step) {
    objects_.insert(objects_.end(), {static_cast<int64_t>(stack), static_cast<int64_t>(size),
                                     static_cast<int64_t>(state), step});
  }

  std::string ToJson(size_t alive, uint64_t snapshot_ns, uint64_t walk_ns) const {
    std::string json = "{\"nodes\":" + std::to_string(snapshot_->GetNodesCount()) +
                       ",\"snapshotNs\":" + std::to_string(snapshot_ns) +
                       ",\"walkNs\":" + std::to_string(walk_ns) + ",\"alive\":" + std::to_string(alive);
    AppendNumbers(&json, "objects", objects_);
    AppendNumbers(&json, "steps", steps_);
    json += ",\"texts\":[";
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (i != 0) json.push_back(',');
      AppendJsonText(&json, *texts_[i]);
    }
    return json + "]}";
  }

 private:
  const Edge* EdgeToObject(size_t object) const {
    return ids_[object] == v8::HeapProfiler::kUnknownObjectId ? nullptr : walk_.EdgeTo(ids_[object]);
  }

  // Looks for values of WeakMaps on the first steps up from each object. Returns whether it found a new table.
  bool MarkWeakTables() {
    bool found = false;
    std::unordered_map<const Node*, bool> seen;
    for (size_t i = 0; i < ids_.size(); ++i) {
      const Edge* edge = EdgeToObject(i);
      for (size_t up = 0; edge != nullptr && up < kStepsFromRoot; ++up) {
        const Node* from = edge->GetFromNode();
        if (!seen.emplace(edge->GetToNode(), true).second) break;
        if (edge->GetType() == Edge::kInternal && IsValueOfTable(edge, from)) {
          walk_.AddWeakTable(from);
          found = true;
        }
        edge = walk_.EdgeTo(from);
      }
    }
    return found;
  }

  // V8 names such an edge "N / part of key (K @1) -> value (V @2) pair in WeakMap (table @3)", both from the key,
  // which holds, and from the table, which does not.
  bool IsValueOfTable(const Edge* edge, const Node* from) {
    if (from->GetType() == Node::kSynthetic) return false;
    v8::HandleScope scope(isolate_);
    v8::Local<v8::Value> name = edge->GetName();
    if (!name->IsString() || name.As<v8::String>()->Length() < 40) return false;
    v8::String::Utf8Value text(isolate_, name);
    std::string_view view(*text, text.length());
    return view.find("part of key (") != std::string_view::npos &&
           view.find("(table @" + std::to_string(from->GetId()) + ")") != std::string_view::npos;
  }

  // Where the code of sampled functions is defined.
  void NoteFunctions(const std::vector<SampledObject>& objects) {
    v8::HeapProfiler* profiler = isolate_->GetHeapProfiler();
    for (const SampledObject& each : objects) {
      if (!each.object->IsFunction()) continue;
      const Node* node = snapshot_->GetNodeById(profiler->GetObjectId(each.object));
      const Node* code = node == nullptr ? nullptr : Child(node, "shared");
      if (code == nullptr || places_.count(code) != 0) continue;
      auto function = each.object.As<v8::Function>();
      places_[code] = {FileOf(code), function->GetScriptLineNumber() + 1,
                       function->GetScriptColumnNumber() + 1};
    }
  }

  int64_t FileOf(const Node* code) {
    const Node* script = Child(code, "script");
    if (script == nullptr) script = Child(code, "script_or_debug_info");
    return script == nullptr ? -1 : TextOf(NodeName(isolate_, script));
  }

  const Node* Child(const Node* node, const char* name) {
    constexpr int kMostChildren = 64;  // of a function, an object's map and the like
    int count = std::min(node->GetChildrenCount(), kMostChildren);
    for (int i = 0; i < count; ++i) {
      const Edge* edge = node->GetChild(i);
      if (edge->GetType() == Edge::kInternal && EdgeName(isolate_, edge) == name) return edge->GetToNode();
    }
    return nullptr;
  }

  // The nodes on paths, each with what is known about them; parents need not precede them here.
  void CollectNodes() {
    for (size_t i = 0; i < ids_.size(); ++i) {
      const Edge* edge = EdgeToObject(i);
      for (size_t up = 0; edge != nullptr && step_of_.size() < kMostNodes; ++up) {
        const Node* node = edge->GetToNode();
        auto [at, is_new] = step_of_.emplace(node, up < kStepsToObject ? kWanted : kUnwanted);
        if (!is_new) {
          bool was_wanted = at->second == kWanted;
          if (up < kStepsToObject) at->second = kWanted;
          if (was_wanted || up >= kStepsToObject) break;
        }
        edge = walk_.EdgeTo(edge->GetFromNode());
      }
    }
  }

  // Adds a step for each node that is near the root, or near an object.
  void NameNodes() {
    std::vector<const Node*> path;
    std::vector<const Node*> all;
    all.reserve(step_of_.size());
    for (const auto& [node, wanted] : step_of_) all.push_back(node);
    std::unordered_map<const Node*, std::pair<size_t, int64_t>> done;  // depth, and the nearest step
    done.reserve(all.size());
    for (const Node* start : all) {
      path.clear();
      const Node* node = start;
      while (node != nullptr && done.count(node) == 0) {
        path.push_back(node);
        const Edge* edge = walk_.EdgeTo(node);
        node = edge == nullptr ? nullptr : edge->GetFromNode();
      }
      size_t depth = 0;
      int64_t parent = -1;
      if (node != nullptr) std::tie(depth, parent) = done[node];
      for (auto at = path.rbegin(); at != path.rend(); ++at) {
        const Edge* edge = walk_.EdgeTo(*at);
        ++depth;
        auto known = step_of_.find(*at);
        bool wanted = depth <= kStepsFromRoot || (known != step_of_.end() && known->second == kWanted);
        if (edge != nullptr && wanted) {
          bool gap = parent >= 0 && edge->GetFromNode() != node_of_[parent];
          parent = AddStep(parent, edge, gap);
          step_of_[*at] = parent;
        } else if (known != step_of_.end()) {
          known->second = -1;
        }
        done[*at] = {depth, parent};
      }
    }
  }

  int64_t AddStep(int64_t parent, const Edge* edge, bool gap) {
    const Node* node = edge->GetToNode();
    Place place;
    int64_t kind = node->GetType();
    std::string name = NodeName(isolate_, node);
    if (kind == Node::kClosure) place = PlaceOfClosure(node);
    if (kind == Node::kObject) place = PlaceOfClass(node);
    if (name == "system / Context" && IsModuleScope(node)) {
      kind = kModuleScope;
      place.file = FileOfScope(node);
    }
    std::string edge_name = EdgeName(isolate_, edge);
    steps_.insert(steps_.end(),
                  {parent, edge->GetType() + (gap ? kStepsLeftOut : 0), TextOf(std::move(edge_name)), kind,
                   TextOf(std::move(name)), place.file, place.line, place.column});
    node_of_.push_back(node);
    return static_cast<int64_t>(node_of_.size()) - 1;
  }

  Place PlaceOfClosure(const Node* closure) {
    const Node* code = Child(closure, "shared");
    if (code == nullptr) return {};
    auto [at, is_new] = places_.emplace(code, Place());
    if (is_new) at->second.file = FileOf(code);
    return at->second;
  }

  // Where the constructor of its class is.
  Place PlaceOfClass(const Node* object) {
    const Node* map = Child(object, "map");
    if (map == nullptr) return {};
    auto [at, is_new] = places_.emplace(map, Place());
    if (is_new) {
      const Node* constructor = Child(map, "constructor");
      Place place;
      if (constructor != nullptr && constructor->GetType() == Node::kClosure)
        place = PlaceOfClosure(constructor);
      places_[map] = place;
      return place;
    }
    return at->second;
  }

  bool IsModuleScope(const Node* context) {
    const Node* outer = Child(context, "previous");
    if (outer == nullptr) return false;
    return NodeName(isolate_, outer).rfind("system / NativeContext", 0) == 0;
  }

  // The file of one of the functions that are variables of the scope, and were made in it.
  int64_t FileOfScope(const Node* context) {
    constexpr int kMostVariables = 200;
    int count = std::min(context->GetChildrenCount(), kMostVariables);
    for (int i = 0; i < count; ++i) {
      const Edge* edge = context->GetChild(i);
      const Node* value = edge->GetToNode();
      if (edge->GetType() != Edge::kContextVariable || value->GetType() != Node::kClosure) continue;
      if (Child(value, "context") == context) return PlaceOfClosure(value).file;
    }
    return -1;
  }

  int64_t TextOf(std::string text) {
    auto [at, is_new] = text_ids_.emplace(std::move(text), texts_.size());
    if (is_new) texts_.push_back(&at->first);
    return static_cast<int64_t>(at->second);
  }

  static constexpr int64_t kWanted = -2;
  static constexpr int64_t kUnwanted = -3;

  v8::Isolate* const isolate_;
  const v8::HeapSnapshot* const snapshot_;
  HeapWalk walk_;
  std::vector<v8::SnapshotObjectId> ids_;
  std::unordered_map<const Node*, int64_t> step_of_;
  std::unordered_map<const Node*, Place> places_;  // of code, and of maps
  std::vector<const Node*> node_of_;               // by step
  std::vector<int64_t> steps_;
  std::vector<int64_t> objects_;
  std::unordered_map<std::string, size_t> text_ids_;
  std::vector<const std::string*> texts_;
};

using Tally = std::map<std::pair<Ref, uint64_t>, int64_t>;

Tally Count(const std::vector<SampledObject>& objects) {
  Tally tally;
  for (const SampledObject& each : objects) ++tally[{each.stack, each.size}];
  return tally;
}

std::vector<SampledObject> Choose(std::vector<SampledObject> objects) {
  if (objects.size() <= kMostObjects) return objects;
  std::vector<SampledObject> chosen;
  chosen.reserve(kMostObjects);
  for (size_t i = 0; i < kMostObjects; ++i) chosen.push_back(objects[i * objects.size() / kMostObjects]);
  return chosen;
}

struct DeleteSnapshot {
  void operator()(const v8::HeapSnapshot* snapshot) const {
    const_cast<v8::HeapSnapshot*>(snapshot)->Delete();
  }
};

}  // namespace

PathsResult FindRetainingPaths(v8::Isolate* isolate,
                               const std::function<std::vector<SampledObject>()>& objects,
                               const std::function<std::vector<SampledObject>()>& functions,
                               const std::function<bool()>& stop) {
  v8::HeapProfiler* profiler = isolate->GetHeapProfiler();
  Tally before;
  // Whether another tool has given ids to objects, which it may want to find again.
  bool ids_are_used = profiler->GetSnapshotCount() != 0;
  {
    v8::HandleScope scope(isolate);  // closed before the snapshot: a handle would hold its object
    std::vector<SampledObject> all = objects();
    before = Count(all);
    for (const SampledObject& each : all) {
      ids_are_used = ids_are_used || profiler->GetObjectId(each.object) != v8::HeapProfiler::kUnknownObjectId;
    }
  }
  PathsResult result;
  StopControl control(stop);
  uint64_t begin = MonotonicNs();
  std::unique_ptr<const v8::HeapSnapshot, DeleteSnapshot> snapshot(profiler->TakeHeapSnapshot(&control));
  uint64_t taken = MonotonicNs();
  if (snapshot == nullptr) {
    result.aborted = true;
  } else {
    v8::HandleScope scope(isolate);
    Paths paths(isolate, snapshot.get());
    std::vector<SampledObject> all = objects();
    for (const auto& [key, count] : Count(all)) before[key] -= count;
    for (const auto& [key, freed] : before) {
      for (int64_t i = 0; i < freed; ++i) paths.AddObject(key.first, key.second, HeldState::kFreed, -1);
    }
    size_t alive = all.size();
    paths.Find(Choose(std::move(all)), functions());
    result.json = paths.ToJson(alive, taken - begin, MonotonicNs() - taken);
  }
  snapshot.reset();
  // Without ids, V8 need not follow the objects that its collections move.
  if (!ids_are_used) profiler->ClearObjectIds();
  return result;
}

}  // namespace memprof
