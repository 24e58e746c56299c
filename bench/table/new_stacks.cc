// What interning 10,000 stacks costs in the tables: when all are new, and when all are known. Each frame is looked up by
// its names, as in a harvest of the public kind. Prints the least CPU time of all rounds. usage: new_stacks [ROUNDS]
//
// Under "valgrind --tool=cachegrind" one round shows instructions and misses.

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tables/profile_tables.h"

namespace {

struct Function {
  std::string name;
  std::string url;
  int line;
};

double CpuMs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Each stack begins as a part of an earlier one, and goes on with one to six frames.
std::vector<std::vector<size_t>> MakeStacks(size_t count, size_t functions) {
  constexpr size_t kDeepest = 64;
  std::mt19937_64 random(1);
  std::vector<std::vector<size_t>> stacks;
  while (stacks.size() < count) {
    std::vector<size_t> stack;
    if (!stacks.empty()) {
      const std::vector<size_t>& earlier = stacks[random() % stacks.size()];
      stack.assign(earlier.begin(),
                   earlier.begin() + static_cast<ptrdiff_t>(random() % (earlier.size() + 1)));
    }
    size_t deeper = std::min(stack.size() + 1 + random() % 6, kDeepest);
    while (stack.size() < deeper) stack.push_back(random() % functions);
    stacks.push_back(stack);
  }
  return stacks;
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 15;
  std::vector<Function> functions;
  for (int i = 0; i < 3000; ++i) {
    functions.push_back({"someFunction" + std::to_string(i),
                         "file:///srv/app/node_modules/package" + std::to_string(i % 60) + "/lib/index.js",
                         i});
  }
  std::vector<std::vector<size_t>> stacks = MakeStacks(10'000, functions.size());
  double least[2] = {1e9, 1e9};
  for (int round = 0; round < rounds; ++round) {
    auto tables = std::make_unique<memprof::ProfileTables>(size_t{32} << 20);
    for (double& ms : least) {
      double begin = CpuMs();
      for (const std::vector<size_t>& path : stacks) {
        memprof::Ref stack = 0;
        for (size_t at : path) {
          const Function& function = functions[at];
          stack =
              tables->InternStack(stack, tables->InternFrame(function.name, function.url, function.line, 1));
        }
        uint64_t size = 16 + stack * 7 % 900;
        tables->BucketAt(tables->BucketFor(stack, size))->AddAlloc(1, size);
      }
      ms = std::min(ms, CpuMs() - begin);
    }
  }
  printf("10,000 stacks, ms of CPU: new %.2f, known %.2f\n", least[0], least[1]);
}
