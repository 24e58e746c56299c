// A test harness in one header: no dependency, no exceptions, no RTTI.
//
// TEST(Name) { ... } registers a test. CHECK and CHECK_EQ report and go on, REQUIRE reports and returns; each
// may be used on any thread. Every test runs in a process of its own (see check_main.cc), so that a crash or
// a hang fails that test only.

#ifndef MEMPROF_TEST_NATIVE_CHECK_H_
#define MEMPROF_TEST_NATIVE_CHECK_H_

#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Sanitizers slow programs down by an order of magnitude: the Makefile divides the work by this there.
#ifndef MEMPROF_TEST_DIVISOR
#define MEMPROF_TEST_DIVISOR 1
#endif

#define TEST(name)                                                           \
  static void name();                                                        \
  static const ::memprof::test::Registration name##_registered{#name, name}; \
  static void name()

#define CHECK(...) ::memprof::test::Check(bool(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)
#define REQUIRE(...) \
  if (!CHECK(__VA_ARGS__)) return
#define CHECK_EQ(actual, expected) \
  ::memprof::test::CheckEqual((actual), (expected), __FILE__, __LINE__, #actual " == " #expected)

namespace memprof::test {

constexpr int Scaled(int rounds) { return rounds < MEMPROF_TEST_DIVISOR ? 1 : rounds / MEMPROF_TEST_DIVISOR; }

struct Test {
  const char* name;
  void (*body)();
};

inline std::vector<Test>& AllTests() {
  static std::vector<Test> tests;
  return tests;
}

struct Registration {
  Registration(const char* name, void (*body)()) { AllTests().push_back({name, body}); }
};

inline std::atomic<int> failures{0};

[[gnu::noinline]] inline void Fail(const char* file, int line, const char* what,
                                   const std::string& more = "") {
  constexpr int kMostShown = 10;
  if (failures.fetch_add(1) < kMostShown)
    fprintf(stderr, "%s:%d: failed: %s%s\n", file, line, what, more.c_str());
}

inline bool Check(bool passed, const char* file, int line, const char* what) {
  if (!passed) Fail(file, line, what);
  return passed;
}

inline std::string Text(const std::string& text) { return text; }
inline std::string Text(std::integral auto number) { return std::to_string(number); }

template <typename A, typename B>
bool CheckEqual(const A& actual, const B& expected, const char* file, int line, const char* what) {
  bool equal;
  if constexpr (std::integral<A> && std::integral<B> && !std::same_as<A, bool> && !std::same_as<B, bool>) {
    equal = std::cmp_equal(actual, expected);
  } else {
    equal = actual == expected;
  }
  if (!equal) Fail(file, line, what, "; got " + Text(actual) + ", expected " + Text(expected));
  return equal;
}

// Numbers that are the same in every run (xorshift64*).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}

  uint64_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1du;
  }
  uint64_t Below(uint64_t limit) { return (Next() >> 16) % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

// Runs `body(0)` ... `body(threads - 1)` at the same time and waits for all.
template <typename F>
void InParallel(int threads, F&& body) {
  std::latch start(threads);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
  for (std::thread& thread : running) thread.join();
}

}  // namespace memprof::test

#endif  // MEMPROF_TEST_NATIVE_CHECK_H_
