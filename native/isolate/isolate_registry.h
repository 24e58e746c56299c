// Knows which isolates of the process have loaded memprof, what they agreed on, and what those that ended
// left behind.
//
// Thread safety: every method may be called from any thread, with the caller's own sampler. There are two
// locks, and neither is taken during a GC. The registry's lock is held for moments, by every thread that
// comes, starts, stops, goes, or reads figures. The tables' lock is held while all buckets are visited; it is
// taken before the registry's.
//
// A child process that a native library forks inherits these locks as other threads held them at that moment.
// It never takes them: on Linux, V8 keeps its heap out of children (MADV_DONTFORK), so no JavaScript runs
// there.
//
// Invariant: the tables are reset under their lock and only while no isolate is profiled, and an isolate that
// is not profiled writes to the tables only under that lock. So no count is added to a bucket, or taken from
// one, across a reset (see Harvest's generation).

#ifndef MEMPROF_NATIVE_ISOLATE_ISOLATE_REGISTRY_H_
#define MEMPROF_NATIVE_ISOLATE_ISOLATE_REGISTRY_H_

#include <v8.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "isolate/isolate_sampler.h"

namespace memprof {

enum class StartResult {
  kStarted = 0,
  kAlreadyRunning = 1,
  kSamplerBusy = 2,
  kOtherInterval = 3,  // raw sums of two intervals cannot be unsampled together
  kResetWhileRunning = 4,
  kOtherBufferInterval = 5,
};

struct StartRequest {
  SamplerOptions sampler;    // 0: as in the thread that started last, or the default. `thread` is ignored
  uint64_t finest_interval;  // how fine samples may be that we take ourselves; 0: sample_interval
  uint64_t max_table_bytes;  // 0: as it is
  int label_threads;         // whether this thread counts in buckets of its own; -1: as in the thread before
  bool reset;
  std::optional<std::string> heap_limit_dump;  // directory, "" for no dump; left out: as in the thread before
  int buffers;                                 // whether buffers are sampled; -1: as in the thread before
  uint64_t buffer_interval;                    // 0: as it is
  uint64_t existing_buffers;                   // bytes of the isolate's buffers
};

struct ProcessStatus {
  SamplerStatus caller;
  SamplerStatus sum;  // of what can be added up over isolates, including those that ended
  uint64_t sample_interval = 0;
  uint64_t running_ns = 0;  // wall time, added up over isolates
  uint64_t last_minute_cpu_ns = 0;
  uint64_t last_minute_ns = 0;  // wall time, likewise
  uint64_t as_of_ns = 0;        // monotonic: the oldest of the profiled isolates' published figures
  uint64_t isolates_running = 0;
  uint64_t isolates_ended = 0;
  struct Thread {
    uint64_t id;
    SamplerState state;
  };
  std::vector<Thread> threads;
};

// A request to one isolate.
struct Refreshment {
  DoorbellRef doorbell;
  Doorbell::Ticket ticket;
  bool done() const { return doorbell->Answered(ticket); }
};

// Counts how often it was taken.
class CountedMutex {
 public:
  void lock() {
    mutex_.lock();
    ++lockings_;
  }
  bool try_lock() {
    bool locked = mutex_.try_lock();
    if (locked) ++lockings_;
    return locked;
  }
  void unlock() { mutex_.unlock(); }
  // REQUIRES: locked.
  uint64_t lockings() const { return lockings_; }

 private:
  std::mutex mutex_;
  uint64_t lockings_ = 0;
};

class IsolateRegistry {
 public:
  static constexpr uint64_t kDefaultInterval = 512 * 1024;
  // Unless an interval was asked for, samples that we take ourselves become rarer, up to this, before they cost
  // too much.
  static constexpr uint64_t kCoarsestByDefault = 2048 * 1024;
  // The same where the lines of calls are wanted: they cost some 40 times what a sample does.
  static constexpr uint64_t kCoarsestWithLines = 8192 * 1024;
  // The label shared by all threads for which there is no room.
  static constexpr uint32_t kOtherThreads = 0xffffffff;

  // Never destroyed. `nullptr` when the system refused memory for the tables.
  static IsolateRegistry* Process();

  // The calling isolate's sampler, made at the first call. It ends with the isolate's Node environment. Calls
  // from JavaScript get it from `SamplerOf`.
  IsolateSampler* FindOrMake();

  StartResult Start(IsolateSampler* sampler, const StartRequest& request);
  void Stop(IsolateSampler* sampler, bool isolate_ends = false);
  // Publishes what the caller's isolate knows as of its last completed GC.
  void PrepareRead(IsolateSampler* caller);

  // As ProfileTables::ForEachBucket, with no reset in between.
  template <typename F>
  void ForEachBucket(F&& f) {
    std::lock_guard<std::mutex> lock(tables_mutex_);
    tables_->ForEachBucket(f);
  }

  // The same for buffers. There are none before the first start that asked for them.
  template <typename F>
  void ForEachBufferBucket(F&& f) {
    std::lock_guard<std::mutex> lock(tables_mutex_);
    if (BufferProfile* profile = BufferProfile::IfMade()) profile->tables()->ForEachBucket(f);
  }

  // Lets other threads ask the isolate for fresh figures (`Refresh`). Only the first call has an effect.
  // `env` is of the isolate's environment.
  void Listen(IsolateSampler* sampler, napi_env env);
  // Asks all profiled isolates for figures as of their last GC; with `collect`, as of one made for this.
  std::vector<Refreshment> Refresh(bool collect);
  // Asks the profiled thread with that id. Nothing when there is none.
  std::optional<Refreshment> Explain(uint64_t thread_id, const ExplanationRef& request);

  // The interval of the records there are; 0 before the first start.
  // Sets the intervals of all threads that take samples themselves. Returns false, and changes nothing, where
  // no thread does.
  bool SetIntervals(IntervalRange range);
  // The interval of the records' figures: the finest at which samples were taken.
  uint64_t sample_interval() const {
    uint32_t finest = tables_->FinestInterval();
    return finest == 0 ? sample_interval_.load(std::memory_order_relaxed) : finest;
  }

  uint64_t buffer_interval() const { return buffer_interval_.load(std::memory_order_relaxed); }

  // Sums what all isolates published, including those that ended, and the memory of their maps and the
  // tables. False when the lock is not free within 50 ms. Allocates no memory, and does not call V8.
  bool TryPublishedFigures(MemFigures* total, uint64_t* own_bytes);
  // Sums the figures of all isolates, including those that ended; the caller's own are as of now.
  MemFigures TotalFigures(IsolateSampler* caller);
  ProcessStatus Status(IsolateSampler* caller);

  ProfileTables* tables() const { return tables_; }
  // How often the registry's lock was taken.
  uint64_t lockings();

 private:
  explicit IsolateRegistry(ProfileTables* tables) : tables_(tables) {}
  bool LockWithin(int milliseconds);
  static void OnEnvironmentEnd(void* sampler);
  void End(IsolateSampler* sampler);
  SamplerOptions Complete(SamplerOptions options) const;
  static IntervalRange IntervalsFor(const StartRequest& request, const SamplerOptions& options);
  uint32_t ThreadLabel(IsolateSampler* sampler);
  bool BufferRecordsExist() const;
  void StartBuffers(IsolateSampler* sampler, const SamplerOptions& options, uint64_t existing);

  ProfileTables* const tables_;
  std::mutex tables_mutex_;
  CountedMutex mutex_;
  std::vector<IsolateSampler*> samplers_;
  std::atomic<uint64_t> sample_interval_{0};  // that all threads were started with
  SamplerOptions latest_{.sample_interval = kDefaultInterval,
                         .stack_depth = 64,
                         .direct_depth = 512,
                         .max_overhead = 0.005,
                         .max_pause_ns = 20'000'000,
                         .thread = 0,
                         .direct_samples = 1,
                         .call_sites = 0};
  bool label_threads_ = false;
  std::string heap_limit_dump_;  // directory, or empty
  bool buffers_ = false;
  uint64_t buffer_interval_latest_ = kDefaultInterval;
  std::atomic<uint64_t> buffer_interval_{0};  // of the records there are
  uint64_t buffers_running_ = 0;
  uint64_t running_ = 0;
  uint64_t ended_ = 0;
  MemFigures ended_figures_;
  SamplerStatus ended_status_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_ISOLATE_REGISTRY_H_
