#include "encode/proto_snapshot.h"

#include <string>

#include "base/wire_writer.h"
#include "check.h"

namespace memprof {
namespace {

using namespace std::string_literals;

std::string Varint(uint64_t value) {
  WireWriter writer;
  writer.Integer(value);
  return writer.Take();
}

TEST(WireIntegersAreVarints) {
  CHECK_EQ(Varint(0), "\0"s);
  CHECK_EQ(Varint(127), "\x7f"s);
  CHECK_EQ(Varint(128), "\x80\x01"s);
  CHECK_EQ(Varint(300), "\xac\x02"s);
  CHECK_EQ(Varint(~uint64_t{0}), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(WireFieldsOfDefaultValueAreLeftOut) {
  WireWriter writer;
  writer.IntegerField(3, 0);
  writer.IntegerField(3, 5);
  writer.BytesField(6, "");
  writer.BytesField(6, "ab");
  CHECK_EQ(writer.Take(), "\x18\x05\x32\x00\x32\x02"s + "ab");
  CHECK(writer.written().empty());
}

struct Fixture {
  ProfileTables tables{ProfileTables::kMinLimit};

  Ref Stack(std::initializer_list<const char*> functions, const char* url = "/app.js") {
    Ref stack = 0;
    int32_t line = 0;
    for (const char* name : functions) {
      stack = tables.InternStack(stack, tables.InternFrame(name, url, ++line, 7));
    }
    return stack;
  }
  void Count(Ref stack, uint64_t objects, uint64_t freed, uint32_t thread = 0) {
    Bucket* bucket = tables.BucketAt(tables.BucketFor(stack, 100, thread));
    bucket->AddAlloc(objects, objects * 100);
    bucket->AddFree(freed, freed * 100);
  }
  ProtoSnapshot Take(bool of_buffers = false) {
    ProtoSnapshot snapshot(&tables, of_buffers);
    tables.ForEachBucket(
        [&](const Bucket& bucket, const Figures& figures) { snapshot.Add(bucket, figures); });
    snapshot.Finish();
    return snapshot;
  }
};

ProtoOptions Options(uint64_t sample_interval, const char* file_name) {
  ProtoOptions options;
  options.sample_interval = sample_interval;
  options.default_sample_type = "inuse_space";
  options.file_names = {file_name};
  return options;
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(SnapshotNamesEachFileAndFrameOnce) {
  Fixture f;
  f.Count(f.Stack({"main", "a"}), 1, 0);
  f.Count(f.Stack({"main", "b"}), 1, 0);
  f.Count(f.Stack({"main", "b", "c"}), 1, 0);
  f.Count(f.Stack({"other"}, "/other.js"), 1, 0);
  ProtoSnapshot snapshot = f.Take();
  CHECK_EQ(snapshot.files().size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    bool app = snapshot.StringAt(snapshot.files()[i]) == "/app.js";
    CHECK_EQ(snapshot.FramesOf(i).size(), app ? 4 : 1);
  }
}

// Fields of a Location: its id, its address, and Lines of a function and a line.
TEST(SnapshotHasInlinedCallsAsLinesOfOneLocation) {
  Fixture f;
  Ref main = f.tables.InternFrame("main", "/app.js", 1, 7);
  Ref inner = f.tables.InternFrame("inner", "/app.js", 20, 7);
  Ref outer = f.tables.InternStack(0, f.tables.InternCall(main, 9, 0));
  f.Count(f.tables.InternStack(outer, f.tables.InternCall(inner, 22, 3, true)), 1, 0);
  f.Count(f.tables.InternStack(outer, f.tables.InternCall(inner, 22, 3)), 1, 0);
  std::string proto = f.Take().Encode(Options(1, "/app.js"));
  std::string line_of_inner = "\x22\x06\x08\x01\x10\x16\x18\x03"s;
  std::string line_of_main = "\x22\x04\x08\x02\x10\x09"s;
  CHECK(Has(proto, line_of_inner + line_of_main));
  size_t locations = 0;
  for (size_t at = 0; (at = proto.find(line_of_main, at)) != std::string::npos; ++at) ++locations;
  CHECK_EQ(locations, 2);
  CHECK(Has(proto, "\x50\x01"s));  // the mapping's has_inline_frames
}

// Figures as Go's formula has them: 3 of 100 bytes at 100 are 3 / (1 - 1/e) = 4.7 objects.
TEST(SnapshotIsWrittenWithItsValuesScaledUp) {
  Fixture f;
  f.Count(f.Stack({"f"}), 3, 2, 5);
  ProtoSnapshot snapshot = f.Take();
  ProtoOptions options = Options(100, "/app.ts");
  options.default_sample_type = "alloc_space";
  std::string proto = snapshot.Encode(options);
  // Sample: location 1; 4, 474, 1, 158; labels thread and bytes.
  std::string values = "\x12\x06\x04"s + Varint(474) + "\x01"s + Varint(158);
  CHECK(Has(proto, "\x0a\x01\x01"s + values));
  CHECK(Has(proto, "\x32\x07/app.ts"s));
  CHECK(!Has(proto, "/app.js"s));
  CHECK(Has(proto, "\x32\x01"s + "4" + "\x32\x06thread"));
  options.sample_interval = 1;
  CHECK(Has(snapshot.Encode(options), "\x12\x05\x03\xac\x02\x01\x64"s));
}

TEST(SnapshotShowsFramesAsASourceMapSays) {
  Fixture f;
  Ref stack = f.Stack({"", "b"});
  f.Count(stack, 1, 0);
  ProtoSnapshot snapshot = f.Take();
  ProtoOptions options = Options(1, "/app.js");
  CHECK(Has(snapshot.Encode(options), "(anonymous app.js:1)"));
  options.shown[f.tables.StackAt(stack)->key.frame] = {"shown", "/app.ts", 40, 2};
  std::string proto = snapshot.Encode(options);
  CHECK(Has(proto, "shown"));
  CHECK(Has(proto, "\x22\x06\x08\x01\x10\x28\x18\x02"s));  // its line: function 1, 40, column 2
  CHECK(Has(proto, "/app.js"));                            // the other one's
}

TEST(SnapshotOfBuffersLeavesOutTheAllocator) {
  Fixture f;
  Ref inner = f.Stack({"caller"});
  for (const char* name : {"allocate", "alloc"}) {
    inner = f.tables.InternStack(inner, f.tables.InternFrame(name, "node:buffer", 1, 1));
  }
  f.Count(inner, 1, 0);
  CHECK_EQ(f.Take(true).files().size(), 1);
  CHECK_EQ(f.Take(false).files().size(), 2);
  Fixture only;
  only.Count(only.Stack({"alloc"}, "node:buffer"), 1, 0);
  CHECK_EQ(only.Take(true).files().size(), 1);  // something must be left
}

}  // namespace
}  // namespace memprof
