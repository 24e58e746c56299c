// Runs the tests whose names contain one of the arguments (all of them without), each in a process of its
// own. With -v, says how long each took.

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "check.h"

namespace memprof::test {
namespace {

constexpr unsigned kSecondsToHang = 100;

// What went wrong, or nullptr.
const char* Run(const Test& test) {
  fflush(nullptr);
  pid_t child = fork();
  if (child < 0) return "could not fork";
  if (child == 0) {
    alarm(kSecondsToHang);
    test.body();
    exit(failures == 0 ? 0 : 1);  // not _exit: sanitizers have their say at exit
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? "hung" : strsignal(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? nullptr : "failed";
}

bool Wanted(const Test& test, const std::vector<const char*>& names) {
  for (const char* name : names) {
    if (strstr(test.name, name) != nullptr) return true;
  }
  return names.empty();
}

int RunAll(const std::vector<const char*>& names, bool verbose) {
  int passed = 0;
  int failed = 0;
  for (const Test& test : AllTests()) {
    if (!Wanted(test, names)) continue;
    auto begin = std::chrono::steady_clock::now();
    const char* wrong = Run(test);
    std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (wrong != nullptr) printf("not ok: %s (%s)\n", test.name, wrong);
    if (wrong == nullptr && verbose) printf("ok: %s, %.0f ms\n", test.name, took.count());
    ++(wrong == nullptr ? passed : failed);
  }
  printf("native: %d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace memprof::test

int main(int argc, char** argv) {
  bool verbose = false;
  std::vector<const char*> names;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "-v") == 0) {
      verbose = true;
    } else {
      names.push_back(argv[i]);
    }
  }
  return memprof::test::RunAll(names, verbose);
}
