#include "encode/profile_text.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "base/page_memory.h"
#include "encode/frame_text.h"

namespace memprof {

namespace {

// Figures of a bucket as they are written. Of objects and bytes, both are 0 or neither is.
struct Listed {
  uint64_t in_use_objects = 0;
  uint64_t in_use_bytes = 0;
  uint64_t alloc_objects = 0;
  uint64_t alloc_bytes = 0;
  uint64_t order = 0;  // newest first, as the tables list them
  Ref stack = 0;

  void Add(const Listed& other) {
    in_use_objects += other.in_use_objects;
    in_use_bytes += other.in_use_bytes;
    alloc_objects += other.alloc_objects;
    alloc_bytes += other.alloc_bytes;
  }
};

bool ComesFirst(const Listed& a, const Listed& b) {
  return a.in_use_bytes != b.in_use_bytes ? a.in_use_bytes > b.in_use_bytes : a.order < b.order;
}

Listed ToListed(const Bucket& bucket, const Figures& figures, uint64_t order) {
  Listed listed;
  listed.in_use_objects = figures.alloc_objects - figures.free_objects;
  listed.in_use_bytes = figures.alloc_bytes - figures.free_bytes;
  listed.alloc_objects = figures.alloc_objects;
  listed.alloc_bytes = figures.alloc_bytes;
  // Readers refuse `0: 8` and divide by zero at `1: 0`.
  if (listed.in_use_objects == 0 || listed.in_use_bytes == 0) listed.in_use_objects = listed.in_use_bytes = 0;
  if (listed.alloc_objects == 0 || listed.alloc_bytes == 0) listed.alloc_objects = listed.alloc_bytes = 0;
  listed.order = order;
  listed.stack = bucket.key.stack;
  return listed;
}

// The records of the tables: all of them if there is memory for them, otherwise those with the most bytes in
// use.
class Listing {
 public:
  Listing(const ProfileTables& tables, uint64_t sample_interval)
      : memory_((tables.BucketCount() + kMoreMeanwhile) * sizeof(Listed)), sample_interval_(sample_interval) {
    items_ = memory_.ok() ? static_cast<Listed*>(memory_.at()) : few_;
    capacity_ = memory_.ok() ? memory_.bytes() / sizeof(Listed) : std::size(few_);
    tables.ForEachBucket([this](const Bucket& bucket, const Figures& figures) { Put(bucket, figures); });
    std::sort(items_, items_ + size_, ComesFirst);
  }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  const Listed* begin() const { return items_; }
  const Listed* end() const { return items_ + size_; }
  const Listed& total() const { return total_; }
  const Listed& left_out() const { return left_out_; }
  // Estimates for all objects, made from the samples.
  double mallocs() const { return mallocs_; }
  double frees() const { return frees_; }

 private:
  void Put(const Bucket& bucket, const Figures& figures) {
    Listed listed = ToListed(bucket, figures, order_++);
    total_.Add(listed);
    double factor = ScaleFactor(figures);
    mallocs_ += std::floor(static_cast<double>(figures.alloc_objects) * factor + 0.5);
    frees_ += std::floor(static_cast<double>(figures.free_objects) * factor + 0.5);
    if (size_ < capacity_) {
      new (items_ + size_++) Listed(listed);
      if (size_ == capacity_) std::make_heap(items_, items_ + size_, ComesFirst);
    } else if (ComesFirst(listed, items_[0])) {
      // The heap's first item is the one that would be listed last.
      std::pop_heap(items_, items_ + size_, ComesFirst);
      left_out_.Add(items_[size_ - 1]);
      items_[size_ - 1] = listed;
      std::push_heap(items_, items_ + size_, ComesFirst);
    } else {
      left_out_.Add(listed);
    }
  }

  // As in lib/profile/scaling.ts. Calls `expm1`, since the `exp` of newer C libraries does not load with
  // older ones.
  double ScaleFactor(const Figures& figures) const {
    if (figures.alloc_objects == 0 || figures.alloc_bytes == 0 || sample_interval_ <= 1) return 1;
    double size = static_cast<double>(figures.alloc_bytes) / static_cast<double>(figures.alloc_objects);
    return -1 / std::expm1(-size / static_cast<double>(sample_interval_));
  }

  static constexpr size_t kMoreMeanwhile = 1024;  // buckets, which other threads may add
  static constexpr size_t kFew = 64;

  PageMemory memory_;
  Listed few_[kFew];
  Listed* items_;
  size_t capacity_;
  size_t size_ = 0;
  const uint64_t sample_interval_;
  uint64_t order_ = 0;
  Listed total_;
  Listed left_out_;
  double mallocs_ = 0;
  double frees_ = 0;
};

class TextWriter {
 public:
  TextWriter(const ProfileTables& tables, TextSink* sink) : tables_(tables), sink_(sink) {}

  void WriteHeader(Listed total, uint64_t sample_interval) {
    // As Go does: readers take a profile whose pairs are equal for one without alloc figures.
    if (total.in_use_bytes == total.alloc_bytes) ++total.alloc_bytes;
    sink_->Write("heap profile: ");
    WriteFigures(total);
    sink_->Write(" @ heap/");
    sink_->WriteNumber(sample_interval * 2);
    sink_->Write("\n");
  }

  void WriteRecord(const Listed& listed) {
    WriteFigures(listed);
    sink_->Write(" @");
    size_t addresses = 0;
    size_t names = 0;
    CountingSink nowhere;
    ForEachFrame(listed.stack, [&](const FrameKey& frame) {
      sink_->Write(" 0x");
      sink_->WriteNumber(frame.address + 1, 16);
      addresses = std::max(addresses, AddressWidth(frame));
      names = std::max(names, WriteName(frame, &nowhere) + kPlusZero.size());
    });
    sink_->Write("\n");
    ForEachFrame(listed.stack, [&](const FrameKey& frame) {
      sink_->Write("#\t0x");
      sink_->WriteNumber(frame.address, 16);
      WriteTabs(AddressWidth(frame), addresses);
      size_t width = WriteName(frame, sink_) + kPlusZero.size();
      sink_->Write(kPlusZero);
      WriteTabs(width, names);
      WriteFileName(tables_.StringAt(frame.url), sink_);
      sink_->Write(":");
      sink_->WriteNumber(std::max(0, frame.LineShown()));
      sink_->Write("\n");
    });
    sink_->Write("\n");
  }

  void WriteNotWritten(const Listed& listed) {
    // No frame of the tables has this address. It lies next to that of `(unknown)` in lib/formats/gotext.
    WriteFigures(listed);
    sink_->Write(" @ 0xfffffffffffe\n#\t0xfffffffffffd\t(not written)+0x0\t?:0\n\n");
  }

  void WriteMemStats(const ProfileTextFacts& facts, uint64_t mallocs, uint64_t frees) {
    const MemFigures& figures = facts.figures;
    // The figures of the threads are of different moments. Here, as in lib/sampler/mem-stats.ts, they are
    // made to keep the relations that Go's figures have.
    uint64_t heap_sys = std::max(figures.heap_committed, figures.heap_used);
    uint64_t heap_idle = std::min(figures.heap_idle, heap_sys - figures.heap_used);
    uint64_t released = std::min(heap_sys - std::min(heap_sys, figures.heap_resident), heap_idle);
    uint64_t gc_sys = figures.malloced + figures.global_handles;
    sink_->Write("\n# runtime.MemStats\n");
    Line("Alloc", figures.heap_used);
    Line("TotalAlloc", figures.total_alloc);
    Line("Sys", heap_sys + figures.stack_sys + facts.own_bytes + gc_sys + figures.external);
    Line("Lookups", 0);
    Line("Mallocs", mallocs);
    Line("Frees", frees);
    Line("HeapAlloc", figures.heap_used);
    Line("HeapSys", heap_sys);
    Line("HeapIdle", heap_idle);
    Line("HeapInuse", heap_sys - heap_idle);
    Line("HeapReleased", released);
    Line("HeapObjects", mallocs - frees);
    Line("Stack", figures.stack_inuse, figures.stack_sys);
    Line("MSpan", 0, 0);
    Line("MCache", 0, 0);
    Line("BuckHashSys", facts.own_bytes);
    Line("GCSys", gc_sys);
    Line("OtherSys", figures.external);
    Line("NextGC", figures.heap_limit);
    Line("LastGC", figures.last_gc_ns);
    Ring("PauseNs", figures.pause_ns);
    Ring("PauseEnd", figures.pause_end);
    Line("NumGC", figures.gc_count());
    Line("NumForcedGC", figures.forced);
    Fraction("GCCPUFraction", figures.minor.pause_ns + figures.major.pause_ns, figures.lifetime_ns);
    sink_->Write("# DebugGC = false\n");
    Line("MaxRSS", facts.max_rss);
  }

 private:
  static constexpr std::string_view kPlusZero = "+0x0";

  template <typename F>
  void ForEachFrame(Ref stack, F&& f) {
    for (; stack != 0; stack = tables_.StackAt(stack)->key.parent) {
      f(tables_.FrameAt(tables_.StackAt(stack)->key.frame)->key);
    }
  }

  size_t WriteName(const FrameKey& frame, TextSink* sink) const {
    return WriteFunctionName(tables_.StringAt(frame.function_name), tables_.StringAt(frame.url), frame.line,
                             frame.column, sink);
  }

  static size_t AddressWidth(const FrameKey& frame) {
    CountingSink digits;
    digits.WriteNumber(frame.address, 16);
    return digits.bytes() + 2;
  }

  // Fills up a cell as Go's tabwriter does, with a padding of 1; `widest` is the widest cell of the column.
  void WriteTabs(size_t width, size_t widest) {
    constexpr size_t kTab = 8;
    for (size_t tabs = (widest + kTab) / kTab - width / kTab; tabs != 0; --tabs) sink_->Write("\t");
  }

  void WriteFigures(const Listed& listed) {
    sink_->WriteNumber(listed.in_use_objects);
    sink_->Write(": ");
    sink_->WriteNumber(listed.in_use_bytes);
    sink_->Write(" [");
    sink_->WriteNumber(listed.alloc_objects);
    sink_->Write(": ");
    sink_->WriteNumber(listed.alloc_bytes);
    sink_->Write("]");
  }

  void Name(std::string_view name) {
    sink_->Write("# ");
    sink_->Write(name);
    sink_->Write(" = ");
  }
  void Line(std::string_view name, uint64_t value) {
    Name(name);
    sink_->WriteNumber(value);
    sink_->Write("\n");
  }
  void Line(std::string_view name, uint64_t in_use, uint64_t sys) {
    Name(name);
    sink_->WriteNumber(in_use);
    sink_->Write(" / ");
    sink_->WriteNumber(sys);
    sink_->Write("\n");
  }
  void Ring(std::string_view name, const uint64_t (&ring)[kPauseRing]) {
    Name(name);
    for (size_t i = 0; i < kPauseRing; ++i) {
      sink_->Write(i == 0 ? "[" : " ");
      sink_->WriteNumber(ring[i]);
    }
    sink_->Write("]\n");
  }
  // Writes six decimals: the shortest form of a double would take more than there is here.
  void Fraction(std::string_view name, uint64_t part, uint64_t whole) {
    Name(name);
    double share = whole == 0 ? 0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
    uint64_t millionths = static_cast<uint64_t>(share * 1e6 + 0.5);
    char text[] = "0.000000\n";
    text[0] = static_cast<char>('0' + millionths / 1'000'000);
    for (int at = 7; at > 1; --at, millionths /= 10) text[at] = static_cast<char>('0' + millionths % 10);
    sink_->Write(text);
  }

  const ProfileTables& tables_;
  TextSink* const sink_;
};

}  // namespace

void WriteProfileText(const ProfileTables& tables, const ProfileTextFacts& facts, size_t max_bytes,
                      TextSink* sink) {
  Listing listing(tables, facts.sample_interval);
  TextWriter writer(tables, sink);
  writer.WriteHeader(listing.total(), facts.sample_interval);
  Listed left_out = listing.left_out();
  size_t room = max_bytes;
  for (const Listed& listed : listing) {
    CountingSink record;
    if (room != 0) TextWriter(tables, &record).WriteRecord(listed);
    room = record.bytes() > room ? 0 : room - record.bytes();
    if (room == 0) {
      left_out.Add(listed);
    } else {
      writer.WriteRecord(listed);
    }
  }
  if (left_out.alloc_objects != 0) writer.WriteNotWritten(left_out);
  double mallocs = std::max(0.0, listing.mallocs());
  writer.WriteMemStats(facts, static_cast<uint64_t>(mallocs),
                       static_cast<uint64_t>(std::min(mallocs, listing.frees())));
}

}  // namespace memprof
