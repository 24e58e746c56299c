// Which isolates of the process load memprof, what they agreed on, and what those that ended left behind.
//
// Thread safety: every method may be called from any thread, with the caller's own sampler. All take the one lock.
// It is taken when an isolate comes, starts, stops or goes, and by readers of figures: never during a GC.
//
// Invariant: tables are reset under the lock and only while no isolate runs; a stopped isolate writes to the tables
// only under the lock. So no count is added to a bucket, or taken from one, across a reset (see Harvest's generation).

#ifndef MEMPROF_NATIVE_ISOLATE_REGISTRY_H_
#define MEMPROF_NATIVE_ISOLATE_REGISTRY_H_

#include <v8.h>

#include <cstdint>
#include <mutex>
#include <vector>

#include "isolate_sampler.h"

namespace memprof {

enum class StartResult {
  kStarted = 0,
  kAlreadyRunning = 1,
  kSamplerBusy = 2,
  kOtherInterval = 3,    // raw sums of two intervals cannot be unsampled together
  kResetWhileRunning = 4,
};

struct StartRequest {
  uint64_t sample_interval;  // 0: the one in force, or Go's
  int stack_depth;
  uint64_t max_table_bytes;  // 0: as it is
  bool reset;
};

struct ProcessStatus {
  SamplerStatus sum;  // over the isolates that are alive; the state and the depth are the caller's
  uint64_t sample_interval = 0;
  uint64_t isolates = 0;
  uint64_t isolates_running = 0;
  uint64_t isolates_ended = 0;
};

class IsolateRegistry {
 public:
  static constexpr uint64_t kDefaultInterval = 512 * 1024;

  // Never destroyed. `nullptr` when the tables could not be had.
  static IsolateRegistry* Process();

  // The calling isolate's sampler, made at the first call. It ends with the isolate's Node environment.
  IsolateSampler* Current();

  StartResult Start(IsolateSampler* sampler, const StartRequest& request);
  void Stop(IsolateSampler* sampler);
  // Brings what the caller's isolate published up to its last completed GC.
  void PrepareRead(IsolateSampler* caller);

  // ProfileTables::ForEachBucket, with no reset in between.
  template <typename F>
  void ForEachBucket(F&& f) {
    std::lock_guard<std::mutex> lock(mutex_);
    tables_->ForEachBucket(f);
  }

  // Over all isolates, ended ones included; the caller's own as of now.
  MemFigures TotalFigures(IsolateSampler* caller);
  ProcessStatus Status(IsolateSampler* caller);

  ProfileTables* tables() const { return tables_; }

 private:
  explicit IsolateRegistry(ProfileTables* tables) : tables_(tables) {}
  static void OnEnvironmentEnd(void* sampler);
  void End(IsolateSampler* sampler);

  ProfileTables* const tables_;
  std::mutex mutex_;
  std::vector<IsolateSampler*> samplers_;
  uint64_t sample_interval_ = 0;  // of the records there are
  uint64_t running_ = 0;
  uint64_t ended_ = 0;
  MemFigures ended_figures_;
  SamplerStatus ended_status_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ISOLATE_REGISTRY_H_
