#include "heap/cpu_profiler_threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clocks.h"

#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#endif

namespace memprof {

namespace {

// Leaked, like everything that belongs to the whole process.
struct State {
  // Not a mutex: to try to lock one takes a newer C library. It is held while V8 starts or stops a profile.
  std::atomic<bool> locked{false};
  std::vector<int64_t> ours;
  // The system may still list a thread for a moment after it has ended.
  std::array<int64_t, 32> ended{};
  size_t next_ended = 0;
  // Threads with other names, and since when. A thread has no name of its own for a moment after it was made.
  std::unordered_map<int64_t, uint64_t> with_other_names;
  unsigned looks = 0;
};

State& Process() {
  static auto* state = new State;
  return *state;
}

#ifdef __linux__
constexpr char kThreadName[] = "v8:ProfEvntProc\n";

bool HasThreadName(const char* thread) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", thread);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char name[sizeof(kThreadName)];
  ssize_t length = read(file, name, sizeof(name));
  close(file);
  return length == sizeof(kThreadName) - 1 && memcmp(name, kThreadName, sizeof(kThreadName) - 1) == 0;
}

// A name is read by a system call or three, so threads that have kept another one for `kNamedNs` are not asked again,
// except by each 16th look: a thread may have got the number of one that has ended.
bool ListThreads(std::vector<int64_t>* threads, ThreadNames names) {
  constexpr uint64_t kNamedNs = 100'000'000;
  constexpr unsigned kAskAll = 16;
  State& state = Process();
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return false;
  uint64_t now_ns = MonotonicNs();
  bool all = names == ThreadNames::kOfAll || ++state.looks % kAskAll == 0;
  std::unordered_map<int64_t, uint64_t> others;
  while (const dirent* task = readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    int64_t thread = atoll(task->d_name);
    auto known = state.with_other_names.find(thread);
    bool is_known = known != state.with_other_names.end();
    bool is_old = is_known && Elapsed(known->second, now_ns) >= kNamedNs;
    if ((all || !is_old) && HasThreadName(task->d_name)) {
      threads->push_back(thread);
    } else {
      others[thread] = is_known ? known->second : now_ns;
    }
  }
  closedir(tasks);
  state.with_other_names = std::move(others);
  return true;
}
#else
bool ListThreads(std::vector<int64_t>*, ThreadNames) { return false; }
#endif

// Those that are not ours.
bool ListOthers(std::vector<int64_t>* threads, ThreadNames names) {
  if (!ListThreads(threads, names)) return false;
  const State& state = Process();
  auto known = [](const auto& list, int64_t thread) {
    return std::find(list.begin(), list.end(), thread) != list.end();
  };
  std::erase_if(*threads,
                [&](int64_t thread) { return known(state.ours, thread) || known(state.ended, thread); });
  return true;
}

}  // namespace

CpuProfilerThreads::CpuProfilerThreads(bool wait) : locked_(!Process().locked.exchange(true)) {
  while (wait && !locked_) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    locked_ = !Process().locked.exchange(true);
  }
}

CpuProfilerThreads::~CpuProfilerThreads() {
  if (locked_) Process().locked.store(false);
}

OtherProfilers CpuProfilerThreads::Look(ThreadNames names) {
  std::vector<int64_t> others;
  if (!ListOthers(&others, names)) return OtherProfilers::kUnknown;
  return others.empty() ? OtherProfilers::kNone : OtherProfilers::kSome;
}

int64_t CpuProfilerThreads::Started() {
  std::vector<int64_t> others;
  if (!ListOthers(&others, ThreadNames::kOfNew)) return 0;
  if (others.empty() && !ListOthers(&others, ThreadNames::kOfAll)) return 0;
  if (others.size() != 1) return 0;
  Process().ours.push_back(others.front());
  return others.front();
}

void CpuProfilerThreads::Stopped(int64_t thread) {
  State& state = Process();
  std::erase(state.ours, thread);
  state.ended[state.next_ended++ % state.ended.size()] = thread;
}

uint64_t CpuNsOfThread(int64_t thread) {
#ifdef __linux__
  // The system's number of the clock of a thread.
  auto clock = static_cast<clockid_t>(~static_cast<uint32_t>(thread) << 3 | 6);
  timespec time;
  if (thread == 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
#else
  static_cast<void>(thread);
  return 0;
#endif
}

}  // namespace memprof
