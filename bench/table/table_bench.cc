// Finds in tables that hold all keys, by one writer and by two, alone and beside a reader that takes one
// snapshot after the other; what a snapshot costs; memory. Prints JSON. usage: table_bench ROUNDS OPERATIONS
// KEYS…
//
// Others at work on the machine only ever add to times. So finds are timed in slices of 2,000, tables take turns in
// every round, and what counts is the sum of the least times of all slices; of other figures, the least of all
// rounds. Where one thread works alone its CPU time counts. Of two writers wall time does, in slices that both began
// at the same moment and in which neither was interrupted. Of a writer beside a reader only those rounds count in
// which the reader ran nearly all the time. What never happened is -1. Each thread has a processor of its own.

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "tables.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double NsSince(Clock::time_point start) {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

double CpuNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

size_t HeapBytes() {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return -1;
  size_t at = static_cast<size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

// The least time of each slice of a round's finds, over all rounds.
class Slices {
 public:
  static constexpr size_t kOperations = 2000;

  // -1: what was measured does not count.
  void Take(size_t slice, double ns) {
    if (slice >= least_.size()) least_.resize(slice + 1, -1);
    if (ns >= 0 && (least_[slice] < 0 || ns < least_[slice])) least_[slice] = ns;
  }
  void Merge(const Slices& others) {
    for (size_t i = 0; i < others.least_.size(); ++i) Take(i, others.least_[i]);
  }
  // Of one operation. -1 unless most slices have a time.
  double Ns() const {
    double sum = 0;
    size_t known = 0;
    for (double ns : least_) {
      if (ns < 0) continue;
      sum += ns;
      ++known;
    }
    return known == 0 || known < least_.size() / 2 ? -1 : sum / static_cast<double>(known * kOperations);
  }

 private:
  std::vector<double> least_;
};

// The figures of one table.
struct Measured {
  std::string name;
  Slices one, two, one_beside_reader;
  std::vector<double> p999, p999_beside_reader;  // of single operations of one writer, a value a round
  std::vector<double> insert_ns;                 // a key, a value a round
  std::vector<double> snapshot_ns, copied_ns, copied_new_ns;  // a key; the last into memory without pages
  double bytes = -1;                                          // a key, beyond the key itself
  double peak_bytes = -1;  // the most of it at any number of keys from 1,000 on
};

// Of the processors that we may use, the one of that number.
void PinTo(int number) {
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    return set;
  }();
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || number-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
  }
}

// Runs `write` in a thread of its own, and `read` again and again in another until that is done. Returns the share of
// the time in which the reader had its processor, and 0 if it had to stop, so that the writer could get on.
constexpr double kStarvedNs = 1e8;
double BesideReader(const std::function<void()>& write, const std::function<void()>& read) {
  std::atomic<bool> reads{false};
  std::atomic<bool> done{false};
  double share = 0;
  std::thread reader([&] {
    PinTo(1);
    read();
    reads.store(true, std::memory_order_release);
    double cpu = CpuNs();
    Clock::time_point start = Clock::now();
    while (!done.load(std::memory_order_acquire)) {
      read();
      // A mutex goes to whoever asks first, which is the reader again: the writer may wait for good.
      if (NsSince(start) >= kStarvedNs) return;
    }
    share = (CpuNs() - cpu) / NsSince(start);
  });
  std::thread writer([&] {
    PinTo(0);
    while (!reads.load(std::memory_order_acquire)) std::this_thread::yield();
    write();
    done.store(true, std::memory_order_release);
  });
  writer.join();
  reader.join();
  return share;
}
constexpr double kReadsAllTheTime = 0.8;

constexpr int kSnapshots = 3;  // of each kind, in a round

void Alone(const std::function<void()>& write) {
  std::thread([&] {
    PinTo(0);
    write();
  }).join();
}

// Two threads that meet before each slice. Of a slice, each leaves when it began, when it ended, and whether it was
// interrupted. Where others keep them from meeting, they go on with the next round after half a second.
class TwoWriters {
 public:
  // `slice(writer, number)` does the work.
  template <typename F>
  void Run(size_t slices, Slices* times, F&& slice) {
    std::thread other([&] { Write(1, slices, nullptr, slice); });
    std::thread one([&] { Write(0, slices, times, slice); });
    one.join();
    other.join();
  }

 private:
  static constexpr double kSameMoment = 0.05;  // of the slice
  static constexpr int kSpins = 20'000;
  static constexpr double kMostNs = 5e8;

  struct alignas(64) Mine {
    Clock::time_point began, ended;
    bool interrupted;
  };

  // True when the other one came without our giving up the processor.
  bool Meet() {
    size_t here = arrived_.fetch_add(1, std::memory_order_acq_rel) + 1;
    size_t both = (here + 1) / 2 * 2;
    int spins = 0;
    while (arrived_.load(std::memory_order_acquire) < both) {
      if (++spins > kSpins) std::this_thread::yield();
    }
    return spins <= kSpins;
  }
  static long Interruptions() {
    rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
  }

  template <typename F>
  void Write(int writer, size_t slices, Slices* times, F&& slice) {
    PinTo(writer);
    Clock::time_point start = Clock::now();
    for (size_t i = 0; i < slices && !over_; ++i) {
      Meet();
      long before = Interruptions();
      bool at_once = Meet();
      mine_[writer].began = Clock::now();
      slice(writer, i);
      mine_[writer].ended = Clock::now();
      mine_[writer].interrupted = !at_once || Interruptions() != before;
      if (writer == 0) over_ = NsSince(start) > kMostNs;
      Meet();
      if (times == nullptr) continue;
      auto ns = [](auto duration) {
        return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
      };
      double wall = ns(std::max(mine_[0].ended, mine_[1].ended) - std::min(mine_[0].began, mine_[1].began));
      double apart = std::abs(ns(mine_[0].began - mine_[1].began));
      bool side_by_side = !mine_[0].interrupted && !mine_[1].interrupted && apart < kSameMoment * wall;
      times->Take(i, side_by_side ? wall / 2 : -1);
    }
  }

  std::atomic<size_t> arrived_{0};
  bool over_ = false;  // written between two meetings, by the first writer
  Mine mine_[2];
};

template <typename Table>
std::unique_ptr<Table> MakeTable(size_t keys) {
  if constexpr (Table::kKeys == Keys::kNone && Table::kIterable) {
    return std::make_unique<Table>(keys);
  } else {
    return std::make_unique<Table>();
  }
}

template <typename Table, typename Key>
void Add(Table* table, const Key& key, size_t number) {
  if constexpr (requires { table->Add(key, number); }) {
    table->Add(key, number);
  } else {
    table->Add(key);
  }
}

template <typename Table, typename Key>
void Round(const std::vector<Key>& keys, const std::vector<uint32_t>* orders, Measured* out) {
  malloc_trim(0);  // no table begins with memory that an earlier one has left
  size_t before = HeapBytes();
  double cpu = CpuNs();
  auto table = MakeTable<Table>(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) Add(table.get(), keys[i], i);
  out->insert_ns.push_back((CpuNs() - cpu) / static_cast<double>(keys.size()));
  size_t taken = table->Bytes() != 0 ? table->Bytes() : HeapBytes() - before;
  if (Table::kKeys != Keys::kNone) {
    out->bytes = static_cast<double>(taken) / static_cast<double>(keys.size()) - sizeof(Key);
  }

  // A profiler has the key in a buffer of its own, in the nearest cache.
  size_t slices = orders[0].size() / Slices::kOperations;
  auto find_slice = [&](int writer, size_t slice) {
    const uint32_t* order = &orders[writer][slice * Slices::kOperations];
    Key key;
    for (size_t i = 0; i < Slices::kOperations; ++i) {
      memcpy(&key, &keys[order[i]], sizeof(key));
      Add(table.get(), key, order[i]);
    }
  };
  auto find_all = [&](Slices* times) {
    double last = CpuNs();
    for (size_t i = 0; i < slices; ++i) {
      find_slice(0, i);
      double now = CpuNs();
      times->Take(i, now - last);
      last = now;
    }
  };
  auto find_each_timed = [&](std::vector<double>* times) {
    Key key;
    size_t timed = orders[0].size() / 2;
    times->reserve(timed);
    for (size_t i = 0; i < timed; ++i) {
      memcpy(&key, &keys[orders[0][i]], sizeof(key));
      Clock::time_point begin = Clock::now();
      Add(table.get(), key, orders[0][i]);
      times->push_back(NsSince(begin));
    }
  };
  Slices warming;
  find_all(&warming);
  Alone([&] { find_all(&out->one); });
  TwoWriters().Run(slices, &out->two, find_slice);
  std::vector<double> times;
  Alone([&] { find_each_timed(&times); });
  out->p999.push_back(Quantile(times, 0.999));

  Rows<CopiedRow<Key>> copied(keys.size());
  Rows<PlacedRow<Key>> placed(keys.size());
  auto time_a_key = [&](std::vector<double>* to, auto&& snapshot) {
    double begin = CpuNs();
    snapshot();
    to->push_back((CpuNs() - begin) / static_cast<double>(keys.size()));
  };
  auto copy = [&] {
    if constexpr (Table::kKeys == Keys::kNone) {
      copied.Fill([&](auto&& put) {
        for (const Key& key : keys) put(key, 1, kBytes);
      });
    } else {
      table->Snapshot(&copied);
    }
  };
  for (bool past_caches : {false, true}) {
    copied.SetPastCaches(past_caches);
    for (int i = 0; i < kSnapshots; ++i) {
      copied.Forget();
      time_a_key(&out->copied_new_ns, copy);
    }
    for (int i = 0; i < kSnapshots; ++i) time_a_key(&out->copied_ns, copy);
  }
  copied.SetPastCaches(false);
  if (Table::kKeys == Keys::kStay) {
    for (int i = 0; i <= kSnapshots; ++i) time_a_key(&out->snapshot_ns, [&] { table->Snapshot(&placed); });
  }
  if (!Table::kIterable) return;
  auto read = [&] { table->Snapshot(&copied); };
  Slices round;
  if (BesideReader([&] { find_all(&round); }, read) >= kReadsAllTheTime) out->one_beside_reader.Merge(round);
  times.clear();
  if (BesideReader([&] { find_each_timed(&times); }, read) >= kReadsAllTheTime) {
    out->p999_beside_reader.push_back(Quantile(times, 0.999));
  }
}

// The most bytes a key at any moment, old indices and all, beyond the key itself.
template <typename Table, typename Key>
double PeakBytes(const std::vector<Key>& keys) {
  auto table = MakeTable<Table>(keys.size());
  double most = -1;
  for (size_t i = 0; i < keys.size(); ++i) {
    Add(table.get(), keys[i], i);
    double bytes = static_cast<double>(table->Bytes()) / static_cast<double>(i + 1) - sizeof(Key);
    if (i + 1 >= 1000 && table->Bytes() != 0) most = std::max(most, bytes);
  }
  return most;
}

void Print(const char* key_name, size_t key_bytes, size_t keys, const Measured& m, bool first) {
  auto least = [](const std::vector<double>& values) { return Quantile(values, 0); };
  printf("%s\n  {\"key\": \"%s\", \"keyBytes\": %zu, \"keys\": %zu, \"table\": \"%s\", ", first ? "" : ",",
         key_name, key_bytes, keys, m.name.c_str());
  printf("\"insertNs\": %.1f, \"findNs\": %.2f, \"find2Ns\": %.2f, \"findReadNs\": %.2f, ",
         least(m.insert_ns), m.one.Ns(), m.two.Ns(), m.one_beside_reader.Ns());
  printf(
      "\"p999Ns\": %.0f, \"p999ReadNs\": %.0f, \"snapshotNs\": %.2f, \"snapshotCopyNs\": %.2f, "
      "\"snapshotNewNs\": %.2f, \"bytesOverKey\": %.1f, \"peakOverKey\": %.1f}",
      least(m.p999), least(m.p999_beside_reader), least(m.snapshot_ns), least(m.copied_ns),
      least(m.copied_new_ns), m.bytes, m.peak_bytes);
}

template <typename Key, template <typename> typename... Tables>
void Compare(int rounds, size_t operations, size_t key_count, bool* first) {
  std::vector<Key> keys = MakeKeys<Key>(key_count);
  std::vector<uint32_t> orders[2] = {ZipfOrder(key_count, operations, 1),
                                     ZipfOrder(key_count, operations, 2)};
  std::vector<Measured> measured(sizeof...(Tables));
  for (int round = 0; round < rounds; ++round) {
    size_t at = 0;
    ((measured[at].name = Tables<Key>::kName, Round<Tables<Key>>(keys, orders, &measured[at]), ++at), ...);
  }
  size_t table = 0;
  ((measured[table++].peak_bytes = PeakBytes<Tables<Key>>(keys)), ...);
  for (const Measured& each : measured) {
    Print(Key::kName, sizeof(Key), key_count, each, *first);
    *first = false;
  }
  fprintf(stderr, "%s, %zu keys\n", Key::kName, key_count);
}

#ifdef BENCH_HAS_TBB
#define TBB_TABLES , TbbHashMap, TbbUnorderedMap
#else
#define TBB_TABLES
#endif
#ifdef BENCH_HAS_BOOST
#define BOOST_TABLES , BoostFlatMap
#else
#define BOOST_TABLES
#endif

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  if (argc < 4) return 2;
  int rounds = atoi(argv[1]);
  size_t operations = strtoull(argv[2], nullptr, 10);
  bool first = true;
  printf("{\"tbb\": ");
#ifdef BENCH_HAS_TBB
  printf("\"%d.%d\"", TBB_VERSION_MAJOR, TBB_VERSION_MINOR);
#else
  printf("null");
#endif
  printf(", \"boost\": ");
#ifdef BENCH_HAS_BOOST
  printf("\"%s\"", BOOST_LIB_VERSION);
#else
  printf("null");
#endif
  printf(", \"compiler\": \"%s\", \"rows\": [", __VERSION__);
  for (int i = 3; i < argc; ++i) {
    size_t keys = strtoull(argv[i], nullptr, 10);
    Compare<StackKey, NoTable, SharedCounts, MemprofTable, MemprofByHash, MutexTable TBB_TABLES BOOST_TABLES>(
        rounds, operations, keys, &first);
    Compare<BucketKey, NoTable, SharedCounts, MemprofTable, MutexTable TBB_TABLES BOOST_TABLES>(
        rounds, operations, keys, &first);
  }
  printf("\n]}\n");
}
