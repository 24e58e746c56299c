#include "encode/profile_text.h"

#include <sys/resource.h>

#include <string>
#include <vector>

#include "check.h"
#include "encode/frame_text.h"

namespace memprof {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

class StringSink final : public TextSink {
 public:
  void Write(std::string_view text) override { text_ += text; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string Escaped(std::string_view text) {
  StringSink sink;
  WriteEscaped(text, &sink);
  return sink.text();
}

size_t WidthOf(std::string_view text) {
  CountingSink nowhere;
  return WriteEscaped(text, &nowhere);
}

std::string FileName(std::string_view url) {
  StringSink sink;
  WriteFileName(url, &sink);
  return sink.text();
}

TEST(NamesCannotBreakTheirLine) {
  CHECK_EQ(Escaped("plain %s ünïcödé 🙂"), "plain %s ünïcödé 🙂"s);
  CHECK_EQ(Escaped("\t\n\v\f\r"), "\\t\\n\\v\\f\\r"s);
  CHECK_EQ(Escaped("a\0b\x1b[31m\x7f"sv), "a\\x00b\\x1b[31m\\x7f"s);
  CHECK_EQ(Escaped("\u0085\u009f\u00a0"), "\\x85\\x9f\u00a0"s);
  CHECK_EQ(Escaped("\u2027\u2028\u2029\u202a\u202e\u202f"), "\u2027\\u2028\\u2029\\u202a\\u202e\u202f"s);
  CHECK_EQ(Escaped("\u2065\u2066\u2069\u206a"), "\u2065\\u2066\\u2069\u206a"s);
}

TEST(BytesThatAreNotUtf8AreReplaced) {
  constexpr std::string_view kBad = "\xef\xbf\xbd";
  auto bad = [&](int times) {
    std::string text;
    while (times-- > 0) text += kBad;
    return text;
  };
  CHECK_EQ(Escaped("a\xff"
                   "b"),
           "a" + bad(1) + "b");
  CHECK_EQ(Escaped("\x80\xbf"), bad(2));
  CHECK_EQ(Escaped("\xc0\xaf\xc1\xbf"), bad(4));  // overlong
  CHECK_EQ(Escaped("\xe0\x80\x80"), bad(3));      // overlong
  CHECK_EQ(Escaped("\xed\xa0\x80"), bad(3));      // a surrogate
  CHECK_EQ(Escaped("\xf4\x90\x80\x80"), bad(4));  // beyond U+10FFFF
  CHECK_EQ(Escaped("\xf0\x9f\x99"), bad(1));      // cut
  CHECK_EQ(Escaped("\xe2\x82|\xf0\x9f|\xc3|"), bad(1) + "|" + bad(1) + "|" + bad(1) + "|");
  CHECK_EQ(Escaped("\xf0\x9f\x99\x82"), "🙂"s);
}

TEST(WidthsAreInCodePoints) {
  CHECK_EQ(WidthOf(""), 0);
  CHECK_EQ(WidthOf("ünï🙂"), 4);
  CHECK_EQ(WidthOf("a\nb\x1b"), 8);
  CHECK_EQ(WidthOf("\u2028"), 6);
  CHECK_EQ(WidthOf("\xff"), 1);
}

TEST(FileUrlsAreWrittenAsPaths) {
  CHECK_EQ(FileName(""), "?"s);
  CHECK_EQ(FileName("node:fs"), "node:fs"s);
  CHECK_EQ(FileName("/app/a.js"), "/app/a.js"s);
  CHECK_EQ(FileName("file:///app/a%20b%C3%BC.mjs?v=1#x"), "/app/a bü.mjs"s);
  CHECK_EQ(FileName("file:///app/line%0Abreak.js"), "/app/line\\nbreak.js"s);
  // What Node.js refuses stays.
  for (std::string url : {"file://host/a.js", "file:///a%2Fb.js", "file:///a%2fb.js", "file:///a%.js",
                          "file:///a%4", "file:///a%zz.js", "file:///a%ff.js"}) {
    CHECK_EQ(FileName(url), url);
  }
}

ProfileTextFacts Facts() {
  ProfileTextFacts facts;
  facts.sample_interval = 512;
  return facts;
}

class Tables {
 public:
  Tables() : tables_(size_t{4} << 20) {}

  Ref Stack(std::vector<Ref> outermost_first) {
    Ref stack = 0;
    for (Ref frame : outermost_first) stack = tables_.InternStack(stack, frame);
    return stack;
  }
  Ref Frame(std::string_view name, std::string_view url, int line = 1) {
    return tables_.InternFrame(name, url, line, 1);
  }
  // `sizes` are of objects, all of a size class; those of `freed` are freed again.
  void Count(Ref stack, uint64_t size, uint64_t objects, uint64_t freed = 0) {
    Bucket* bucket = tables_.BucketAt(tables_.BucketFor(stack, size));
    bucket->AddAlloc(objects, objects * size);
    if (freed != 0) bucket->AddFree(freed, freed * size);
  }
  std::string Write(size_t max_bytes = size_t{1} << 20, const ProfileTextFacts& facts = Facts()) {
    StringSink sink;
    WriteProfileText(tables_, facts, max_bytes, &sink);
    return sink.text();
  }
  std::string Records(size_t max_bytes = size_t{1} << 20) {
    std::string text = Write(max_bytes);
    return text.substr(0, text.find("\n# runtime.MemStats\n"));
  }
  const ProfileTables& tables() const { return tables_; }

 private:
  ProfileTables tables_;
};

TEST(TextIsWhatTheTypeScriptWriterWrites) {
  Tables tables;
  Ref main = tables.Frame("main", "file:///app/main.mjs", 3);
  Ref keeper = tables.Frame("keeper\n0: 0 [0: 0] @ 0x1", "/app/keep.cjs", 12);
  Ref anonymous = tables.Frame("", "", -1);
  tables.Count(tables.Stack({main, keeper}), 64, 3, 1);
  tables.Count(tables.Stack({main}), 4096, 2);
  tables.Count(tables.Stack({anonymous}), 16, 5, 5);
  // As lib/formats/text.ts writes the same records: frame addresses are made of names and never change.
  CHECK_EQ(tables.Records(), R"(heap profile: 4: 8320 [10: 8464] @ heap/1024
2: 8192 [2: 8192] @ 0x34f099473bb1
#	0x34f099473bb0	main+0x0	/app/main.mjs:3

2: 128 [3: 192] @ 0x44e5256f6611 0x34f099473bb1
#	0x44e5256f6610	keeper\n0: 0 [0: 0] @ 0x1+0x0	/app/keep.cjs:12
#	0x34f099473bb0	main+0x0			/app/main.mjs:3

0: 0 [5: 80] @ 0xe7d6deab30d1
#	0xe7d6deab30d0	(anonymous)+0x0	?:0

)"s);
}

TEST(AFunctionWithoutANameHasItsPlaceInstead) {
  auto label = [](std::string_view name, std::string_view url, int32_t line, int32_t column) {
    StringSink text;
    size_t width = WriteFunctionName(name, url, line, column, &text);
    CHECK_EQ(width, text.text().size());
    return text.text();
  };
  CHECK_EQ(label("", "file:///app/a%20b/server.js", 35, 12), "(anonymous server.js:35)"s);
  CHECK_EQ(label("", "/app/server.js", 1, 1), "(module server.js)"s);
  CHECK_EQ(label("", "/app/server.js", 1, 2), "(anonymous server.js:1)"s);
  CHECK_EQ(label("", "/app/server.js", -1, -1), "(anonymous server.js)"s);
  CHECK_EQ(label("", "node:internal/fs/utils", 7, 3), "(anonymous node:internal/fs/utils:7)"s);
  CHECK_EQ(label("", "data:text/javascript,throw/1", 2, 3), "(anonymous data::2)"s);
  CHECK_EQ(label("", "[eval]", 2, 9), "(anonymous eval:2)"s);
  CHECK_EQ(label("", "[]", 2, 9), "(anonymous []:2)"s);
  CHECK_EQ(label("", "evalmachine.<anonymous>", 3, 1), "(anonymous evalmachine:3)"s);
  CHECK_EQ(label("", "", 1, 1), "(eval)"s);
  CHECK_EQ(label("", "", 3, 9), "(anonymous eval:3)"s);
  CHECK_EQ(label("", "", 0, 0), "(anonymous)"s);
  CHECK_EQ(label("map", "", 0, 0), "(builtin map)"s);
  CHECK_EQ(label("(GC)", "", 0, 0), "(GC)"s);
  CHECK_EQ(label("evaluated", "", 4, 5), "evaluated"s);
  CHECK_EQ(label("handle", "/app/server.js", 1, 1), "handle"s);
}

TEST(AnEmptyProfileHasAHeaderThatReadersTakeForGos) {
  Tables tables;
  CHECK_EQ(tables.Records(), "heap profile: 0: 0 [0: 1] @ heap/1024\n"s);
}

TEST(FiguresOfThePairsAreBothZeroOrNeither) {
  Tables tables;
  // An object whose bytes are not there yet.
  Ref stack = tables.Stack({tables.Frame("f", "x.js")});
  tables.Count(stack, 0, 1);
  CHECK(tables.Records().find("\n0: 0 [0: 0] @ 0x") != std::string::npos);
}

TEST(WhatIsBeyondTheLimitIsAddedUp) {
  Tables tables;
  constexpr int kRecords = 500;
  uint64_t bytes = 0;
  for (int i = 1; i <= kRecords; ++i) {
    tables.Count(tables.Stack({tables.Frame("f" + std::to_string(i), "x.js")}), i * 8, 2, 1);
    bytes += i * 8;
  }
  std::string whole = tables.Records();
  CHECK(whole.find("(not written)") == std::string::npos);
  constexpr size_t kMost = 10'000;
  std::string cut = tables.Records(kMost);
  CHECK(cut.size() < kMost + 200);
  CHECK(cut.size() > kMost - 200);
  CHECK(cut.substr(0, cut.find('\n')) == whole.substr(0, whole.find('\n')));
  // All sums are right, and what has the most bytes comes first.
  CHECK(cut.find("\tf500+0x0\t") < cut.find("\tf499+0x0\t"));
  uint64_t sum = 0;
  uint64_t objects = 0;
  int records = 0;
  for (size_t at = cut.find('\n') + 1; at < cut.size(); at = cut.find("\n\n", at) + 2) {
    unsigned long in_objects, in_bytes, alloc_objects, alloc_bytes;
    REQUIRE(sscanf(cut.c_str() + at, "%lu: %lu [%lu: %lu] @", &in_objects, &in_bytes, &alloc_objects,
                   &alloc_bytes) == 4);
    CHECK_EQ(alloc_bytes, 2 * in_bytes);
    sum += in_bytes;
    objects += in_objects;
    ++records;
  }
  CHECK_EQ(sum, bytes);
  CHECK_EQ(objects, kRecords);
  CHECK(records > 100 && records < kRecords);
  CHECK(cut.ends_with("#\t0xfffffffffffd\t(not written)+0x0\t?:0\n\n"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(WithoutMemoryTheLargestRecordsAreWritten) {
  Tables tables;
  for (int i = 1; i <= 500; ++i) {
    tables.Count(tables.Stack({tables.Frame("f" + std::to_string(i * 7919 % 503), "x.js")}),
                 i * 7919 % 503 * 8, 1);
  }
  std::string header = tables.Records();
  std::string text;
  text.reserve(1 << 20);
  class Reserved final : public TextSink {
   public:
    explicit Reserved(std::string* text) : text_(text) {}
    void Write(std::string_view more) override { *text_ += more; }

   private:
    std::string* text_;
  } reserved(&text);
  rlimit none;
  REQUIRE(getrlimit(RLIMIT_AS, &none) == 0);
  none.rlim_cur = 1;
  REQUIRE(setrlimit(RLIMIT_AS, &none) == 0);
  WriteProfileText(tables.tables(), Facts(), size_t{1} << 20, &reserved);
  none.rlim_cur = RLIM_INFINITY;
  REQUIRE(setrlimit(RLIMIT_AS, &none) == 0);
  CHECK(text.substr(0, text.find('\n')) == header.substr(0, header.find('\n')));
  CHECK(text.find("\tf502+0x0") != std::string::npos);
  CHECK(text.find("\tf450+0x0") != std::string::npos);
  CHECK(text.find("\tf100+0x0") == std::string::npos);
  CHECK(text.find("(not written)") != std::string::npos);
}
#endif

TEST(TheTrailerKeepsGosRelations) {
  Tables tables;
  tables.Count(tables.Stack({tables.Frame("f", "x.js")}), 512, 100, 40);
  ProfileTextFacts facts = Facts();
  facts.own_bytes = 7;
  facts.max_rss = 4096;
  facts.figures.heap_used = 1000;
  facts.figures.heap_committed = 900;  // of another moment
  facts.figures.heap_idle = 50;
  facts.figures.major = {2, 250};
  facts.figures.lifetime_ns = 1000;
  facts.figures.pause_ns[255] = 99;
  std::string text = tables.Write(1 << 20, facts);
  for (std::string_view line :
       {"\n\n# runtime.MemStats\n# Alloc = 1000\n"sv, "\n# HeapSys = 1000\n"sv, "\n# HeapIdle = 0\n"sv,
        "\n# HeapInuse = 1000\n"sv, "\n# HeapReleased = 0\n"sv,
        // 100 / (1 - 1/e), 40 / (1 - 1/e)
        "\n# Mallocs = 158\n# Frees = 63\n"sv, "\n# HeapObjects = 95\n"sv, "\n# Stack = 0 / 0\n"sv,
        "\n# BuckHashSys = 7\n"sv, " 0 99]\n"sv, "\n# NumGC = 2\n"sv, "\n# GCCPUFraction = 0.250000\n"sv,
        "\n# DebugGC = false\n# MaxRSS = 4096\n"sv}) {
    if (!CHECK(text.find(line) != std::string::npos))
      fprintf(stderr, "missing: %.*s\n", int(line.size()), line.data());
  }
}

}  // namespace
}  // namespace memprof
