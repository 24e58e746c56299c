// The books of the samples that we took ourselves. Each is born once and dies at most once; both are counted in
// the tables.
//
// Thread safety: none; belongs to one isolate's thread. Only the tables it writes to are shared.
//
// The rules of publication are those of the harvest (see harvest.h): a profile shows the heap as of the last
// completed GC.
// (1) A sample is pending until the first GC after its birth is over. Then `Publish` counts its allocation.
// (2) V8 tells a death in the middle of a GC. `Publish` counts it when the GC is over, after the births.
// (3) Before anything was published, a reader may have all that is pending published.
// (4) A sample whose stack is not known yet stays pending.
//
// Invariants:
// (1) A record is in one state: pending, live (its allocation is counted in `bucket`), dead (V8 told us, and it
//     is not counted yet; `bucket` is 0 if it was still pending), or free.
// (2) taken == published + pending.
// (3) `Died` takes no memory: it may be called inside a GC.

#ifndef MEMPROF_NATIVE_HEAP_SAMPLE_LEDGER_H_
#define MEMPROF_NATIVE_HEAP_SAMPLE_LEDGER_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "tables/profile_tables.h"

namespace memprof {

// `Handle` is what tells the death: reset by the ledger when a record is given up.
template <typename Handle>
class SampleLedger {
 public:
  struct Record {
    SampleLedger* ledger = nullptr;
    Handle handle;
    uint64_t size = 0;
    uint64_t v8_id = 0;    // of V8's own sample of the same object, when there is one
    Ref stack = 0;         // 0: not known yet
    uint32_t waiting = 0;  // which stack that will be
    Ref bucket = 0;        // 0 while pending
    bool used = false;
    bool dead = false;
    Record* next_dead = nullptr;
  };

  explicit SampleLedger(ProfileTables* tables) : tables_(tables), generation_(tables->Generation()) {}
  SampleLedger(const SampleLedger&) = delete;
  SampleLedger& operator=(const SampleLedger&) = delete;

  // Later allocations count in buckets of this thread's own; 0 for those all threads share.
  void set_thread(uint32_t thread) { thread_ = thread; }

  // The record stays where it is. Its stack, or what it waits for, and its handle are the caller's to fill
  // in.
  Record* Born(uint64_t size) {
    Record* record;
    if (free_.empty()) {
      record = &records_.emplace_back();
      record->ledger = this;
    } else {
      record = free_.back();
      free_.pop_back();
    }
    record->size = size;
    record->used = true;
    pending_.push_back(record);
    ++taken_;
    return record;
  }

  // REQUIRES: not told before.
  void Died(Record* record) {
    record->dead = true;
    record->next_dead = dead_;
    dead_ = record;
  }

  // Counts births whose stack is known and whose V8 id is at most `v8_ids_up_to`; then the deaths of counted
  // samples.
  void Publish(uint64_t v8_ids_up_to = ~uint64_t{0}) {
    DropWhatWasReset();
    size_t kept = 0;
    for (Record* record : pending_) {
      if (record->stack == 0 || record->v8_id > v8_ids_up_to) {
        pending_[kept++] = record;
      } else {
        Count(record);
      }
    }
    pending_.resize(kept);
    Record* still = nullptr;
    for (Record* record = dead_; record != nullptr;) {
      Record* next = record->next_dead;
      if (record->bucket == 0) {
        record->next_dead = still;
        still = record;
      } else {
        tables_->BucketAt(record->bucket)->AddFree(1, record->size);
        --live_;
        Release(record);
      }
      record = next;
    }
    dead_ = still;
  }

  // Everything is freed: what is pending is counted first.
  void Forget() {
    DropWhatWasReset();
    for (Record* record : pending_) {
      if (record->stack == 0) record->stack = tables_->unknown_stack();
      Count(record);
    }
    pending_.clear();
    dead_ = nullptr;
    for (Record& record : records_) {
      if (!record.used) continue;
      tables_->BucketAt(record.bucket)->AddFree(1, record.size);
      Release(&record);
    }
    live_ = 0;
  }

  // Forgets, uncounted, those pending ones that V8 has samples of with ids above that.
  void LeaveToV8(uint64_t above) {
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
    for (Record* record : pending_) f(record);
  }

  template <typename F>
  void ForEach(F&& f) {
    for (Record& record : records_) {
      if (record.used) f(&record);
    }
  }

  uint64_t taken() const { return taken_; }
  uint64_t published() const { return taken_ - pending_.size(); }
  size_t pending() const { return pending_.size(); }
  // Published, and not freed.
  size_t live() const { return live_; }
  size_t bytes() const {
    return records_.size() * sizeof(Record) + (pending_.capacity() + free_.capacity()) * sizeof(Record*);
  }

 private:
  void Count(Record* record) {
    record->bucket = tables_->BucketFor(record->stack, record->size, thread_);
    tables_->BucketAt(record->bucket)->AddAlloc(1, record->size);
    ++live_;
  }

  void Release(Record* record) {
    record->handle.Reset();
    *record = Record{};
    record->ledger = this;
    free_.push_back(record);
  }

  // A reset of the tables has zeroed what the buckets counted: nothing of it may be freed any more.
  void DropWhatWasReset() {
    if (generation_ == tables_->Generation()) return;
    generation_ = tables_->Generation();
    for (Record& record : records_) {
      if (record.used) Release(&record);
    }
    pending_.clear();
    dead_ = nullptr;
    live_ = 0;
  }

  ProfileTables* const tables_;
  uint64_t generation_;  // of the tables, that our buckets' counts belong to
  uint32_t thread_ = 0;
  std::deque<Record> records_;
  std::vector<Record*> free_;
  std::vector<Record*> pending_;
  Record* dead_ = nullptr;
  size_t live_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAMPLE_LEDGER_H_
