#include "encode/proto_snapshot.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <unordered_set>

#include "base/hash.h"
#include "base/wire_writer.h"
#include "encode/frame_text.h"
#include "tables/label_sets.h"

namespace memprof {

namespace {

constexpr uint32_t kOtherThreads = ~uint32_t{0};

// Field numbers of profile.proto.
namespace profile {
enum {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kString = 6,
  kTimeNanos = 9,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14
};
}
namespace value_type {
enum { kType = 1, kUnit = 2 };
}
namespace sample {
enum { kLocations = 1, kValues = 2, kLabel = 3 };
}
namespace label {
enum { kKey = 1, kText = 2, kNumber = 3 };
}
namespace mapping {
enum { kId = 1, kFile = 5, kHasFunctions = 7, kHasFilenames = 8, kHasLineNumbers = 9, kHasInlineFrames = 10 };
}
namespace location {
enum { kId = 1, kAddress = 3, kLine = 4 };
}
namespace line {
enum { kFunction = 1, kLine = 2, kColumn = 3 };
}
namespace function {
enum { kId = 1, kName = 2, kSystemName = 3, kFile = 4, kStartLine = 5 };
}

uint64_t NotNegative(int32_t number) { return static_cast<uint64_t>(std::max<int32_t>(number, 0)); }

uint64_t Truncated(double value) { return value < 0x1p63 ? static_cast<uint64_t>(value) : uint64_t{1} << 63; }

}  // namespace

bool ProtoSnapshot::IsAllocator(Ref frame) const {
  std::string_view url = tables_->StringAt(tables_->FrameAt(frame)->key.url);
  return url == "node:buffer" || url == "node:internal/buffer";
}

Ref ProtoSnapshot::LeafShown(Ref stack) const {
  if (!of_buffers_) return stack;
  Ref leaf = stack;
  while (leaf != 0 && IsAllocator(tables_->StackAt(leaf)->key.frame))
    leaf = tables_->StackAt(leaf)->key.parent;
  return leaf == 0 ? stack : leaf;
}

void ProtoSnapshot::Finish() {
  std::unordered_set<Ref> stacks;
  std::unordered_set<Ref> frames;
  std::unordered_map<Ref, size_t> files;
  for (Record& record : records_) {
    record.stack = LeafShown(record.stack);
    // When a stack was visited before, so were all its parents.
    for (Ref stack = record.stack; stack != 0 && stacks.insert(stack).second;) {
      const StackKey& key = tables_->StackAt(stack)->key;
      stack = key.parent;
      if (!frames.insert(key.frame).second) continue;
      auto [file, is_new] = files.emplace(tables_->FrameAt(key.frame)->key.url, files_.size());
      if (is_new) {
        files_.push_back(file->first);
        frames_of_.emplace_back();
      }
      frames_of_[file->second].push_back(key.frame);
    }
  }
}

class ProtoEncoder {
 public:
  ProtoEncoder(const ProtoSnapshot& from, const ProtoOptions& options) : from_(from), options_(options) {
    String("");
    for (size_t i = 0; i < from.files_.size(); ++i) file_names_[from.files_[i]] = options.file_names[i];
  }

  std::string Encode() {
    ValueType(profile::kPeriodType, "space", "bytes");
    out_.IntegerField(profile::kPeriod, options_.sample_interval);
    ValueType(profile::kSampleType, "alloc_objects", "count");
    ValueType(profile::kSampleType, "alloc_space", "bytes");
    ValueType(profile::kSampleType, "inuse_objects", "count");
    ValueType(profile::kSampleType, "inuse_space", "bytes");
    // If no type is named, as in Go's profiles, readers take the last one.
    if (options_.default_sample_type != "inuse_space") {
      out_.IntegerField(profile::kDefaultSampleType, String(options_.default_sample_type));
    }
    for (const auto& record : from_.records_) Sample(record);
    out_.IntegerField(profile::kTimeNanos, options_.time_nanos);
    for (const std::string& comment : options_.comments)
      out_.IntegerField(profile::kComment, String(comment));
    // Says that everything has a name: otherwise readers would look for symbols themselves.
    message_.Reset();
    message_.IntegerField(mapping::kId, 1);
    message_.IntegerField(mapping::kFile, String(options_.program));
    message_.IntegerField(mapping::kHasFunctions, 1);
    message_.IntegerField(mapping::kHasFilenames, 1);
    message_.IntegerField(mapping::kHasLineNumbers, 1);
    message_.IntegerField(mapping::kHasInlineFrames, any_inlined_);
    out_.BytesField(profile::kMapping, message_.written());
    for (std::string_view text : strings_in_order_) out_.BytesField(profile::kString, text);
    return out_.Take();
  }

 private:
  struct FunctionKey {
    uint64_t name;
    uint64_t file;
    uint64_t start_line;
    bool operator==(const FunctionKey&) const = default;
  };
  struct Line {
    uint64_t function = 0;
    uint64_t line = 0;
    uint64_t column = 0;
  };
  struct FramesHash {
    size_t operator()(const std::vector<Ref>& frames) const {
      uint64_t hash = 0;
      for (Ref frame : frames) hash = Combine(hash, frame);
      return hash;
    }
  };
  struct FunctionHash {
    size_t operator()(const FunctionKey& key) const {
      return Combine(Combine(key.name, key.file), key.start_line);
    }
  };

  // REQUIRES: the text outlives the encoder.
  uint64_t String(std::string_view text) {
    auto [found, is_new] = strings_.emplace(text, strings_.size());
    if (is_new) strings_in_order_.push_back(text);
    return found->second;
  }

  void ValueType(uint32_t field, std::string_view type, std::string_view unit) {
    message_.Reset();
    message_.IntegerField(value_type::kType, String(type));
    message_.IntegerField(value_type::kUnit, String(unit));
    out_.BytesField(field, message_.written());
  }

  // As `scaleFactor` of lib/profile/scaling.ts.
  void Values(uint64_t objects, uint64_t bytes) {
    if (objects == 0 || bytes == 0) {
      nested_.Integer(0);
      nested_.Integer(0);
      return;
    }
    double factor = 1;
    if (options_.sample_interval > 1) {
      double mean = static_cast<double>(bytes) / static_cast<double>(objects);
      // Calls the `exp` of long doubles: newer C libraries link a version of the other that older ones lack.
      long double exponent = -mean / static_cast<double>(options_.sample_interval);
      factor = 1 / (1 - static_cast<double>(std::exp(exponent)));
    }
    nested_.Integer(Truncated(static_cast<double>(objects) * factor));
    nested_.Integer(Truncated(static_cast<double>(bytes) * factor));
  }

  void Label(std::string_view key, uint32_t field, uint64_t value) {
    nested_.Reset();
    nested_.IntegerField(label::kKey, String(key));
    nested_.IntegerField(field, value);
    message_.BytesField(sample::kLabel, nested_.written());
  }

  void Sample(const ProtoSnapshot::Record& record) {
    // First, since defining a location uses the other writers.
    ids_.Reset();
    for (Ref stack = record.stack; stack != 0;) {
      // Calls that were inlined, and the one into which they were.
      frames_.clear();
      bool inlined = true;
      while (stack != 0 && inlined) {
        const StackKey& key = from_.tables_->StackAt(stack)->key;
        frames_.push_back(key.frame);
        inlined = from_.tables_->FrameAt(key.frame)->key.inlined;
        stack = key.parent;
      }
      ids_.Integer(Location());
    }
    const Figures& figures = record.figures;
    message_.Reset();
    message_.BytesField(sample::kLocations, ids_.written());
    nested_.Reset();
    Values(figures.alloc_objects, figures.alloc_bytes);
    Values(figures.alloc_objects - figures.free_objects, figures.alloc_bytes - figures.free_bytes);
    message_.BytesField(sample::kValues, nested_.written());
    if (record.thread != 0) Label("thread", label::kText, Thread(record.thread));
    if (record.labels != 0) Labels(record.labels);
    if (figures.alloc_objects != 0)
      Label("bytes", label::kNumber, figures.alloc_bytes / figures.alloc_objects);
    out_.BytesField(profile::kSample, message_.written());
  }

  void Labels(uint32_t number) {
    auto [set, is_new] = label_sets_.emplace(number, LabelSet());
    if (is_new) set->second = LabelSets::Process()->At(number);
    for (size_t i = 0; i + 1 < set->second.size(); i += 2) {
      Label(set->second[i], label::kText, String(set->second[i + 1]));
    }
  }

  uint64_t Thread(uint32_t thread) {
    auto [name, is_new] = threads_.emplace(thread, std::string());
    if (is_new) name->second = thread == kOtherThreads ? "-1" : std::to_string(thread - 1);
    return String(name->second);
  }

  // Of `frames_`.
  uint64_t Location() {
    auto [found, is_new] = locations_.try_emplace(frames_, locations_.size() + 1);
    uint64_t id = found->second;
    if (!is_new) return id;
    lines_.clear();
    for (Ref frame : frames_) lines_.push_back(Describe(frame));
    message_.Reset();
    message_.IntegerField(location::kId, id);
    message_.IntegerField(location::kAddress, Address());
    for (const Line& each : lines_) {
      nested_.Reset();
      nested_.IntegerField(line::kFunction, each.function);
      nested_.IntegerField(line::kLine, each.line);
      nested_.IntegerField(line::kColumn, each.column);
      message_.BytesField(location::kLine, nested_.written());
    }
    out_.BytesField(profile::kLocation, message_.written());
    if (frames_.size() > 1) any_inlined_ = 1;
    return id;
  }

  // As `addressOfCalls` of lib/profile/locations.ts.
  uint64_t Address() const {
    uint64_t address = 0;
    for (Ref frame : frames_) {
      uint64_t own = from_.tables_->FrameAt(frame)->key.address;
      address = address == 0 ? own : ((address / 16 * 31 + own / 16) & ((uint64_t{1} << 44) - 1)) * 16;
    }
    return address;
  }

  Line Describe(Ref frame) {
    const FrameKey& key = from_.tables_->FrameAt(frame)->key;
    std::string_view name;
    std::string_view file;
    Line place;
    uint64_t start_line;
    if (auto shown = options_.shown.find(frame); shown != options_.shown.end()) {
      name = shown->second.function_name;
      file = shown->second.file_name;
      place.line = NotNegative(shown->second.line);
      place.column = NotNegative(shown->second.column);
      start_line = NotNegative(shown->second.start_line);
    } else {
      file = file_names_[key.url];
      name = LabelFor(key, file);
      place.line = NotNegative(key.LineShown());
      place.column = NotNegative(key.call_line != 0 ? key.call_column : key.column);
      start_line = NotNegative(key.line);
    }
    // In a profile of buffers, lines are those of calls, and where the function starts is not known.
    place.function = Function({String(name), String(file), from_.of_buffers_ ? 0 : start_line});
    return place;
  }

  // Frames that a source map describes have their label already.
  std::string_view LabelFor(const FrameKey& key, std::string_view file) {
    FunctionLabel label = LabelOf(from_.tables_->StringAt(key.function_name), file, key.line,
                                  from_.of_buffers_ ? 0 : key.column);
    if (label.before.empty()) return label.text;
    std::string& text = labels_.emplace_back(label.before);
    text += label.text;
    if (label.line > 0) {
      text += ':';
      text += std::to_string(label.line);
    }
    text += label.after;
    return text;
  }

  uint64_t Function(const FunctionKey& key) {
    auto [found, is_new] = functions_.emplace(key, functions_.size() + 1);
    if (is_new) {
      message_.Reset();
      message_.IntegerField(function::kId, found->second);
      message_.IntegerField(function::kName, key.name);
      message_.IntegerField(function::kSystemName, key.name);
      message_.IntegerField(function::kFile, key.file);
      message_.IntegerField(function::kStartLine, key.start_line);
      out_.BytesField(profile::kFunction, message_.written());
    }
    return found->second;
  }

  const ProtoSnapshot& from_;
  const ProtoOptions& options_;
  WireWriter out_;
  WireWriter message_;
  WireWriter nested_;
  WireWriter ids_;
  std::unordered_map<std::string_view, uint64_t> strings_;
  std::vector<std::string_view> strings_in_order_;
  std::unordered_map<Ref, std::string_view> file_names_;
  std::unordered_map<std::vector<Ref>, uint64_t, FramesHash> locations_;
  std::vector<Ref> frames_;  // of the location at hand
  std::vector<Line> lines_;
  uint64_t any_inlined_ = 0;
  std::unordered_map<FunctionKey, uint64_t, FunctionHash> functions_;
  std::unordered_map<uint32_t, std::string> threads_;
  std::unordered_map<uint32_t, LabelSet> label_sets_;
  std::deque<std::string> labels_;  // whose texts stay where they are
};

std::string ProtoSnapshot::Encode(const ProtoOptions& options) const {
  return ProtoEncoder(*this, options).Encode();
}

}  // namespace memprof
