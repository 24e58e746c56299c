#include "tables/profile_tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "base/clocks.h"
#include "base/hash.h"

namespace memprof {

namespace {

constexpr uint32_t kClassBits = 3;
constexpr uint32_t kClassesPerPower = 1 << kClassBits;
constexpr uint32_t kFirstShared = 16;  // smaller sizes have classes of their own

// Made from the contents alone, so that a frame has the same address in every process. Multiples of 16 below
// 2^48 leave room for "return address = address + 1" and fit into a double.
uint64_t AddressOf(std::string_view function_name, std::string_view url, int32_t line, int32_t column) {
  uint64_t names = Combine(HashBytes(function_name), HashBytes(url));
  uint64_t hash =
      Combine(names, (uint64_t{static_cast<uint32_t>(line)} << 32) | static_cast<uint32_t>(column));
  return ((hash >> 20) | 1) << 4;
}

uint64_t Words(uint32_t high, uint32_t low) { return uint64_t{high} << 32 | low; }

// The system places mappings at random, so the seed cannot be guessed without reading our memory.
uint64_t SeedFor(const void* tables) {
  return Mix(reinterpret_cast<uintptr_t>(tables)) ^ Mix(reinterpret_cast<uintptr_t>(&tables)) ^ MonotonicNs();
}

// Cuts a name that is longer than any path, between two characters: the tables are small.
std::string_view Cut(std::string_view text) {
  constexpr size_t kLongest = 4096;
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while (end != 0 && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

uint32_t SizeClassOf(uint64_t size) {
  if (size < kFirstShared) return static_cast<uint32_t>(size);
  uint32_t power = std::bit_width(size) - 1;
  uint32_t step = static_cast<uint32_t>(size >> (power - kClassBits)) % kClassesPerPower;
  return power * kClassesPerPower + step;
}

uint64_t SizeClassLimit(uint32_t size_class) {
  if (size_class < kFirstShared) return size_class;
  uint32_t power = size_class / kClassesPerPower;
  uint64_t width = uint64_t{1} << (power - kClassBits);
  return (uint64_t{1} << power) + (size_class % kClassesPerPower + 1) * width - 1;
}

void StringNode::Init(std::string_view key) {
  length = static_cast<uint32_t>(key.size());
  if (!key.empty()) memcpy(static_cast<void*>(this + 1), key.data(), key.size());
}

Figures Bucket::Read() const {
  constexpr int kAttempts = 4;
  Figures figures;
  // A reading that falls between a writer's adds is correct thanks to the order of the loads, but it may show
  // an object without its bytes. Try for one that does not.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    figures.free_objects = free_objects.load(std::memory_order_acquire);
    figures.free_bytes = free_bytes.load(std::memory_order_acquire);
    figures.alloc_bytes = alloc_bytes.load(std::memory_order_acquire);
    figures.alloc_objects = alloc_objects.load(std::memory_order_acquire);
    if (free_objects.load(std::memory_order_relaxed) == figures.free_objects &&
        free_bytes.load(std::memory_order_relaxed) == figures.free_bytes &&
        alloc_bytes.load(std::memory_order_relaxed) == figures.alloc_bytes) {
      break;
    }
  }
  return figures;
}

ProfileTables::ProfileTables(size_t limit)
    : hash_(SeedFor(this)),
      arena_(limit),
      strings_(&arena_),
      frames_(&arena_),
      stacks_(&arena_),
      buckets_(&arena_) {
  ok_ = arena_.ok() && strings_.ok() && frames_.ok() && stacks_.ok() && buckets_.ok();
  if (!ok_) return;
  overflow_stack_ = InternStack(0, InternFrame("(overflow)", "", 0, 0));
  unknown_stack_ = InternStack(0, InternFrame("(unknown)", "", 0, 0));
  not_attributed_stack_ = InternStack(0, InternFrame("(not attributed)", "", 0, 0));
  truncated_stack_ = InternStack(0, InternFrame(kTruncatedName, "", 0, 0));
  if (overflow_stack_ != 0) overflow_bucket_ = InternBucket({overflow_stack_, 0, 0}, 0);
  ok_ = overflow_bucket_ != 0 && unknown_stack_ != 0 && not_attributed_stack_ != 0 && truncated_stack_ != 0;
}

ProfileTables* ProfileTables::Process() {
  // Leaked on purpose: threads may still count while the process exits.
  static ProfileTables* tables = new ProfileTables(kDefaultLimit);
  return tables->ok() ? tables : nullptr;
}

uint64_t ProfileTables::HashOfStack(const StackKey& key) const {
  return hash_.OfWords(Words(key.parent, key.frame), 0);
}

uint64_t ProfileTables::HashOfBucket(const BucketKey& key) const {
  return hash_.OfWords(Words(key.stack, key.size_class | uint32_t{key.labels} << 16),
                       Words(key.interval, key.thread));
}

Ref ProfileTables::InternString(std::string_view text) {
  return strings_.FindOrInsert(text, hash_.OfBytes(text), 0);
}

Ref ProfileTables::InternFrame(std::string_view function_name, std::string_view url, int32_t line,
                               int32_t column, ScriptPlace in_script) {
  function_name = Cut(function_name);
  url = Cut(url);
  FrameKey key{InternString(function_name), InternString(url), line, column, 0, in_script};
  if (key.function_name == 0 || key.url == 0) return 0;
  uint64_t hash = hash_.OfWords(Words(key.function_name, key.url), Words(line, column));
  if (Ref known = frames_.Find(key, hash)) return known;
  key.address = AddressOf(function_name, url, line, column);
  return frames_.FindOrInsert(key, hash, 0);
}

Ref ProfileTables::InternCall(Ref function, int32_t line, int32_t column, bool inlined) {
  if (line == 0 && !inlined) return function;
  FrameKey key = FrameAt(function)->key;
  key.call_line = line;
  key.call_column = std::min(column, (1 << 30) - 1);
  key.inlined = inlined;
  uint64_t call = Combine(Words(line, key.call_column), inlined);
  uint64_t hash =
      hash_.OfWords(Words(key.function_name, key.url), Combine(Words(key.line, key.column), call));
  key.address = ((Combine(key.address, call) >> 20) | 1) << 4;
  return frames_.FindOrInsert(key, hash, 0);
}

Ref ProfileTables::InternStack(Ref parent, Ref frame) {
  if (frame == 0) return 0;
  return stacks_.FindOrInsert({parent, frame}, HashOfStack({parent, frame}), KeptForCuts());
}

// Where a stack is new, so are those above it. Each of them will probably get the place after that of its
// parent, so we know where in the index they will go, and fetch those words before we come to them.
size_t ProfileTables::InternStacks(Ref parent, std::span<const Ref> frames, Ref* stacks) {
  constexpr size_t kAhead = 8;
  constexpr Ref kPlace = sizeof(StackNode) / Arena::kRefUnit;
  size_t fetched = 0;
  Ref expected = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    size_t count = stacks_.Count();
    Ref stack = InternStack(parent, frames[i]);
    if (stack == 0) return i;
    stacks[i] = parent = stack;
    if (stacks_.Count() == count) continue;
    if (stack != expected) fetched = i + 1;
    expected = stack + kPlace;
    for (size_t end = std::min(frames.size(), i + 1 + kAhead); fetched < end; ++fetched) {
      Ref below = stack + static_cast<Ref>(fetched - i - 1) * kPlace;
      stacks_.Fetch(HashOfStack({below, frames[fetched]}));
    }
  }
  return frames.size();
}

Ref ProfileTables::InternCutStack(std::span<const Ref> path) {
  cut_stacks_.fetch_add(1, std::memory_order_relaxed);
  return InternLeafFrames(path);
}

Ref ProfileTables::InternLeafFrames(std::span<const Ref> path) {
  bool whole = path.size() <= kCutFrames;
  if (!whole) path = path.last(kCutFrames);
  Ref stack = whole ? 0 : truncated_stack_;
  for (Ref frame : path) {
    if (frame == 0) return overflow_stack_;
    stack = stacks_.FindOrInsert({stack, frame}, HashOfStack({stack, frame}), 0);
    if (stack == 0) return overflow_stack_;
  }
  return stack == 0 ? overflow_stack_ : stack;
}

Figures ConvertFigures(const Figures& figures, double from, double to, double dither) {
  uint64_t in_use = figures.alloc_objects - figures.free_objects;
  uint64_t in_use_bytes = figures.alloc_bytes - figures.free_bytes;
  double mean = static_cast<double>(figures.alloc_bytes) / static_cast<double>(figures.alloc_objects);
  // The chance that an object of this size is sampled, at one interval and at the other.
  double factor = std::expm1(-mean / to) / std::expm1(-mean / from);
  auto scaled = [&](uint64_t objects) {
    return static_cast<uint64_t>(static_cast<double>(objects) * factor + dither);
  };
  auto share = [](uint64_t bytes, uint64_t part, uint64_t whole) {
    return whole == 0
               ? 0
               : static_cast<uint64_t>(std::llround(static_cast<double>(bytes) * static_cast<double>(part) /
                                                    static_cast<double>(whole)));
  };
  Figures converted;
  converted.alloc_objects = scaled(figures.alloc_objects);
  converted.free_objects = scaled(figures.free_objects);
  converted.free_bytes = share(figures.free_bytes, converted.free_objects, figures.free_objects);
  converted.alloc_bytes =
      converted.free_bytes + share(in_use_bytes, converted.alloc_objects - converted.free_objects, in_use);
  return converted;
}

Figures ProfileTables::Converted(const Bucket& bucket, const Figures& figures, uint32_t finest) const {
  // Not the hash of the index, which is another one in each process.
  const BucketKey& key = bucket.key;
  uint64_t what = uint64_t{key.interval} << 32 | uint32_t{key.labels} << 16 | key.size_class;
  uint64_t hash = Combine(Combine(key.stack, what), key.thread);
  return ConvertFigures(figures, IntervalOf(bucket.key.interval), finest,
                        static_cast<double>(hash >> 11) * 0x1p-53);
}

uint16_t ProfileTables::IntervalCode(uint32_t interval) {
  size_t nearest = 0;
  for (size_t i = 0; i < kMostIntervals; ++i) {
    uint32_t known = intervals_[i].load(std::memory_order_relaxed);
    if (known == 0 && intervals_[i].compare_exchange_strong(known, interval)) known = interval;
    if (known == interval) return static_cast<uint16_t>(i + 1);
    auto distance = [&](size_t at) {
      double other = intervals_[at].load(std::memory_order_relaxed);
      return std::max(other / interval, interval / other);
    };
    if (distance(i) < distance(nearest)) nearest = i;
  }
  return static_cast<uint16_t>(nearest + 1);
}

Ref ProfileTables::BucketFor(Ref stack, uint64_t object_size, uint32_t thread, uint32_t labels,
                             uint16_t interval) {
  if (interval != 0) {
    uint32_t mean = IntervalOf(interval);
    uint32_t finest = finest_.load(std::memory_order_relaxed);
    while ((finest == 0 || mean < finest) &&
           !finest_.compare_exchange_weak(finest, mean, std::memory_order_relaxed)) {
    }
  }
  if (stack == overflow_stack_) return overflow_bucket_;
  BucketKey key{stack, static_cast<uint16_t>(SizeClassOf(object_size)), static_cast<uint16_t>(labels), thread,
                interval};
  if (Ref bucket = InternBucket(key, KeptForCuts())) return bucket;
  // There was room for the stack, but there is none for this bucket: count in the one of the stack that is
  // cut.
  Ref path[kCutFrames + 1];
  size_t at = std::size(path);
  for (Ref each = stack; each != 0 && at != 0; each = StackAt(each)->key.parent) {
    path[--at] = StackAt(each)->key.frame;
  }
  key.stack = InternLeafFrames(std::span(path).subspan(at));
  if (key.stack == overflow_stack_) return overflow_bucket_;
  Ref bucket = InternBucket(key, 0);
  return bucket == 0 ? overflow_bucket_ : bucket;
}

Ref ProfileTables::InternBucket(const BucketKey& key, size_t keep_free) {
  return buckets_.FindOrInsert(key, HashOfBucket(key), keep_free);
}

void ProfileTables::AddPromotedDeath(Ref ref, uint64_t bytes, uint64_t age_ms) {
  Bucket* bucket = BucketAt(ref);
  PromotedDeaths* deaths = PromotedDeathsOf(*bucket);
  if (deaths == nullptr) {
    size_t keep_free = ref == overflow_bucket_ ? 0 : KeptForCuts();
    Ref made = arena_.Allocate(sizeof(PromotedDeaths), Arena::kRefUnit, keep_free);
    if (made == 0) {
      if (ref != overflow_bucket_) AddPromotedDeath(overflow_bucket_, bytes, age_ms);
      return;
    }
    Ref none = 0;
    if (!bucket->promoted.compare_exchange_strong(none, made, std::memory_order_acq_rel)) {
      arena_.GiveBack(made, sizeof(PromotedDeaths));
    }
    deaths = PromotedDeathsOf(*bucket);
  }
  deaths->objects.fetch_add(1, std::memory_order_relaxed);
  deaths->bytes.fetch_add(bytes, std::memory_order_relaxed);
  deaths->age_ms.fetch_add(age_ms, std::memory_order_relaxed);
}

bool ProfileTables::Empty() const {
  // Newest first: unless it lost a race, the first bucket that is visited has counts.
  return buckets_.NoneOf(
      [](Ref, const Bucket& bucket) { return bucket.alloc_objects.load(std::memory_order_relaxed) != 0; });
}

void ProfileTables::Reset() {
  generation_.fetch_add(1, std::memory_order_relaxed);
  buckets_.ForEach([this](Ref, Bucket& bucket) {
    if (PromotedDeaths* deaths = PromotedDeathsOf(bucket)) {
      deaths->objects.store(0, std::memory_order_relaxed);
      deaths->bytes.store(0, std::memory_order_relaxed);
      deaths->age_ms.store(0, std::memory_order_relaxed);
    }
    bucket.free_objects.store(0, std::memory_order_relaxed);
    bucket.free_bytes.store(0, std::memory_order_relaxed);
    bucket.alloc_bytes.store(0, std::memory_order_relaxed);
    bucket.alloc_objects.store(0, std::memory_order_release);
  });
  cut_stacks_.store(0, std::memory_order_relaxed);
  finest_.store(0, std::memory_order_relaxed);
}

}  // namespace memprof
