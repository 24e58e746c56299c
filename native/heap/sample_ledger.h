// Keeps a record of each sample that we took ourselves, and counts its birth and its death in the tables.
// Each sample is born once and dies at most once.
//
// Thread safety: none; belongs to one isolate's thread. Only the tables that it writes to are shared.
//
// Rules of publication (those of harvest.h): a profile shows the heap as of the last completed GC.
// (1) A sample is pending until the first GC after its birth is over. Then `Publish` counts its allocation.
// (2) V8 reports a death in the middle of a GC. `Publish` counts it when the GC is over, after the births.
// (3) As long as nothing was published, a reader may ask for all pending samples.
// (4) A sample whose stack is not known yet stays pending.
//
// Invariants:
// (1) A record is free, pending, or live. A live record's allocation is counted in `bucket`; a pending one's
//     `bucket` is 0. A pending or live record may also be dead: V8 has reported the death, and it is not
//     counted yet.
// (2) taken == published + pending.
// (3) `Died` allocates no memory, so it may be called inside a GC.
// (4) While `at_work`, the books may be half written: a function that V8 calls in the middle of our work, as
//     when its heap is full, must then leave them alone.

#ifndef MEMPROF_NATIVE_HEAP_SAMPLE_LEDGER_H_
#define MEMPROF_NATIVE_HEAP_SAMPLE_LEDGER_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "tables/profile_tables.h"

namespace memprof {

// `Handle` is what reports the death. The ledger resets it when it frees the record.
template <typename Handle>
class SampleLedger {
 public:
  struct Record {
    SampleLedger* ledger = nullptr;
    Handle handle;
    uint64_t v8_id = 0;  // the id of V8's own sample of the same object; 0 if V8 took none
    uint32_t size = 0;   // V8 has no larger objects
    uint32_t born_tick = 0;
    Ref stack = 0;          // 0: not known yet
    uint32_t path = 0;      // for the caller: names a stack that is not known yet
    Ref bucket = 0;         // 0 while pending
    uint32_t calls = 0;     // for the caller: a ticket for a stack with the lines of its calls; 0 for none
    uint16_t labels = 0;    // see LabelSets
    uint16_t interval = 0;  // the tables' code of the interval at which it was taken
    // Of the major collections when it was born; once it is dead, how many it had outlived. Wraps around.
    uint16_t majors = 0;
    bool used : 1 = false;
    bool dead : 1 = false;
    Record* next_dead = nullptr;
  };

  // Makes the ledger `at_work` as long as it exists. The ledger's own functions that change it have one; the
  // caller needs one where its own records of samples are half written.
  class Work {
   public:
    explicit Work(SampleLedger* ledger) : ledger_(ledger) { ++ledger_->works_; }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    ~Work() { --ledger_->works_; }

   private:
    SampleLedger* const ledger_;
  };

  explicit SampleLedger(ProfileTables* tables) : tables_(tables), generation_(tables->Generation()) {}
  SampleLedger(const SampleLedger&) = delete;
  SampleLedger& operator=(const SampleLedger&) = delete;

  // Sets the thread of the buckets for later allocations; 0 for the buckets that all threads share.
  void set_thread(uint32_t thread) { thread_ = thread; }

  // The time of the births and deaths that follow, monotonic.
  void set_now(uint64_t now_ns) { now_tick_ = static_cast<uint32_t>(now_ns >> kTickBits); }
  // A major collection is over. REQUIRES: `Publish` was called after it.
  void EndMajorCollection() { ++majors_; }

  // Returns a pending record, whose address does not change. The caller sets its handle, its labels, and its
  // stack or what it waits for.
  Record* Born(uint64_t size) {
    Work work(this);
    Record* record;
    if (free_.empty()) {
      record = &records_.emplace_back();
      record->ledger = this;
    } else {
      record = free_.back();
      free_.pop_back();
    }
    record->size = static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX));
    record->born_tick = now_tick_;
    record->majors = majors_;
    record->used = true;
    pending_.push_back(record);
    ++taken_;
    return record;
  }

  // REQUIRES: `Died` was not called for this record before.
  void Died(Record* record) {
    ++deaths_;
    record->dead = true;
    record->majors = static_cast<uint16_t>(majors_ - record->majors);
    record->next_dead = dead_;
    dead_ = record;
  }

  // Counts the births of pending samples whose stack is known and whose `v8_id` is at most `v8_ids_up_to`.
  // Then counts the deaths of all samples whose births are counted.
  void Publish(uint64_t v8_ids_up_to = ~uint64_t{0}) {
    PublishFirst(pending_.size(), v8_ids_up_to);
    late_ = pending_.size();
  }

  // The same for the samples that the last `Publish` has left.
  void PublishLate(uint64_t v8_ids_up_to = ~uint64_t{0}) {
    if (late_ == 0) return;
    size_t before = pending_.size();
    PublishFirst(late_, v8_ids_up_to);
    late_ -= std::min(late_, before - pending_.size());
  }

  // Counts all samples as freed, after counting the births of the pending ones.
  void Forget() {
    Work work(this);
    DropWhatWasReset();
    for (Record* record : pending_) {
      if (record->stack == 0) record->stack = tables_->unknown_stack();
      Count(record);
    }
    pending_.clear();
    late_ = 0;
    dead_ = nullptr;
    for (Record& record : records_) {
      if (!record.used) continue;
      if (!record.dead) Died(&record);
      CountDeath(record);
      Release(&record);
    }
    dead_ = nullptr;
    live_ = 0;
  }

  // Drops the pending samples with a `v8_id` above `above` without counting them. V8's own samples of the
  // same objects are to count instead.
  void LeaveToV8(uint64_t above) {
    Work work(this);
    size_t kept = 0;
    for (Record* record : pending_) {
      if (record->v8_id > above) {
        record->used = false;
        --taken_;
      } else {
        pending_[kept++] = record;
      }
    }
    pending_.resize(kept);
    late_ = std::min(late_, kept);
    Record* still = nullptr;
    for (Record* record = dead_; record != nullptr;) {
      Record* next = record->next_dead;
      if (record->used) {
        record->next_dead = still;
        still = record;
      }
      record = next;
    }
    dead_ = still;
    for (Record& record : records_) {
      if (!record.used && record.v8_id > above) Release(&record);
    }
  }

  template <typename F>
  void ForEachPending(F&& f) {
    Work work(this);
    for (Record* record : pending_) f(record);
  }

  template <typename F>
  void ForEach(F&& f) {
    Work work(this);
    for (Record& record : records_) {
      if (record.used) f(&record);
    }
  }

  bool at_work() const { return works_ != 0; }
  uint64_t deaths() const { return deaths_; }
  uint64_t taken() const { return taken_; }
  uint64_t published() const { return taken_ - pending_.size(); }
  size_t pending() const { return pending_.size(); }
  // Samples whose birth is counted and whose death is not.
  size_t live() const { return live_; }
  size_t bytes() const {
    return records_.size() * sizeof(Record) + (pending_.capacity() + free_.capacity()) * sizeof(Record*);
  }

 private:
  void PublishFirst(size_t count, uint64_t v8_ids_up_to) {
    Work work(this);
    DropWhatWasReset();
    count = std::min(count, pending_.size());
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      Record* record = pending_[i];
      if (record->stack == 0 || record->v8_id > v8_ids_up_to) {
        pending_[kept++] = record;
      } else {
        Count(record);
      }
    }
    pending_.erase(pending_.begin() + static_cast<ptrdiff_t>(kept),
                   pending_.begin() + static_cast<ptrdiff_t>(count));
    Record* still = nullptr;
    for (Record* record = dead_; record != nullptr;) {
      Record* next = record->next_dead;
      if (record->bucket == 0) {
        record->next_dead = still;
        still = record;
      } else {
        CountDeath(*record);
        --live_;
        Release(record);
      }
      record = next;
    }
    dead_ = still;
  }

  void Count(Record* record) {
    record->bucket =
        tables_->BucketFor(record->stack, record->size, thread_, record->labels, record->interval);
    tables_->BucketAt(record->bucket)->AddAlloc(1, record->size);
    ++live_;
  }

  // An age beyond two years is wrong: the ticks wrap around.
  void CountDeath(const Record& record) {
    tables_->BucketAt(record.bucket)->AddFree(1, record.size);
    if (record.majors == 0) return;
    uint64_t ticks = now_tick_ - record.born_tick;
    tables_->AddPromotedDeath(record.bucket, record.size, (ticks << kTickBits) / 1'000'000);
  }

  void Release(Record* record) {
    record->handle.Reset();
    *record = Record{};
    record->ledger = this;
    free_.push_back(record);
  }

  // A reset of the tables has set the buckets' counts to zero, so no death of an earlier sample may be
  // counted.
  void DropWhatWasReset() {
    if (generation_ == tables_->Generation()) return;
    generation_ = tables_->Generation();
    for (Record& record : records_) {
      if (record.used) Release(&record);
    }
    pending_.clear();
    late_ = 0;
    dead_ = nullptr;
    live_ = 0;
  }

  static constexpr int kTickBits = 24;  // a tick is 17 ms

  ProfileTables* const tables_;
  uint64_t generation_;  // the generation of the tables in which our records were counted
  uint32_t thread_ = 0;
  uint32_t now_tick_ = 0;
  uint16_t majors_ = 0;
  std::deque<Record> records_;
  std::vector<Record*> free_;
  std::vector<Record*> pending_;  // in the order of their births
  size_t late_ = 0;               // so many of the first pending ones were pending at the last `Publish`
  Record* dead_ = nullptr;
  size_t live_ = 0;
  uint64_t taken_ = 0;
  uint64_t deaths_ = 0;
  int works_ = 0;  // how many `Work`s there are
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAMPLE_LEDGER_H_
