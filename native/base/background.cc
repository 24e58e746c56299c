#include "base/background.h"

#include <utility>

#ifdef __linux__
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>

#include <atomic>

#include "base/clocks.h"
#include "base/old_glibc.h"

MEMPROF_OLD_GLIBC(pthread_attr_setstacksize);
MEMPROF_OLD_GLIBC(pthread_create);
MEMPROF_OLD_GLIBC(pthread_detach);
MEMPROF_OLD_GLIBC(pthread_sigmask);
MEMPROF_OLD_GLIBC(sem_init);
MEMPROF_OLD_GLIBC(sem_post);
MEMPROF_OLD_GLIBC(sem_wait);
#endif

namespace memprof {

#ifdef __linux__

namespace {

constexpr size_t kStackBytes = size_t{256} << 10;

struct Item {
  std::function<void()> work;
  Item* next;
};

constinit std::atomic<Item*> newest{nullptr};
constinit std::atomic<uint64_t> cpu_ns{0};
sem_t bell;

Item* Reversed(Item* item) {
  Item* before = nullptr;
  while (item != nullptr) before = std::exchange(item, std::exchange(item->next, before));
  return before;
}

void* Work(void*) {
  prctl(PR_SET_NAME, "memprof");
  for (;;) {
    while (sem_wait(&bell) != 0) continue;
    Item* item = Reversed(newest.exchange(nullptr, std::memory_order_acquire));
    while (item != nullptr) {
      item->work();
      delete std::exchange(item, item->next);
    }
    cpu_ns.store(ThreadCpuNs(), std::memory_order_relaxed);
  }
}

bool Start() {
  if (sem_init(&bell, 0, 0) != 0) return false;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  bool started = pthread_create(&thread, &attributes, Work, nullptr) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (started) pthread_detach(thread);
  return started;
}

}  // namespace

bool StartBackground() {
  static const bool started = Start();
  return started;
}

void RunInBackground(std::function<void()> work) {
  auto* item = new Item{std::move(work), newest.load(std::memory_order_relaxed)};
  while (
      !newest.compare_exchange_weak(item->next, item, std::memory_order_release, std::memory_order_relaxed)) {
  }
  sem_post(&bell);
}

uint64_t BackgroundCpuNs() { return cpu_ns.load(std::memory_order_relaxed); }

#else

uint64_t BackgroundCpuNs() { return 0; }
bool StartBackground() { return false; }
void RunInBackground(std::function<void()>) {}

#endif

}  // namespace memprof
