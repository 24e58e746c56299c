#include "heap/cpu_profiler_threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

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

bool ListThreads(std::vector<int64_t>* threads) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return false;
  while (const dirent* task = readdir(tasks)) {
    if (task->d_name[0] != '.' && HasThreadName(task->d_name)) threads->push_back(atoll(task->d_name));
  }
  closedir(tasks);
  return true;
}
#else
bool ListThreads(std::vector<int64_t>*) { return false; }
#endif

// Those that are not ours.
bool ListOthers(std::vector<int64_t>* threads) {
  if (!ListThreads(threads)) return false;
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

OtherProfilers CpuProfilerThreads::Look() {
  std::vector<int64_t> others;
  if (!ListOthers(&others)) return OtherProfilers::kUnknown;
  return others.empty() ? OtherProfilers::kNone : OtherProfilers::kSome;
}

int64_t CpuProfilerThreads::Started() {
  std::vector<int64_t> others;
  if (!ListOthers(&others) || others.size() != 1) return 0;
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
