// Finds in tables that hold all keys, by one writer and by two, alone and beside a reader that takes one
// snapshot after the other; what a snapshot costs; memory. Prints JSON. usage: table_bench ROUNDS OPERATIONS
// KEYS…
//
// Tables take turns in every round. Times an operation are the least of all rounds: others at work on the
// machine only ever add to them. Those at the 99.9th percentile are medians over rounds. Where one thread works
// alone its CPU time counts, and wall time where two might wait for each other.

#include <malloc.h>
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

// The figures of one table, a value a round.
struct Measured {
  std::string name;
  std::vector<double> ns1, ns2, ns1_read,
      ns2_read;                         // wall time an operation, one and two writers, with a reader too
  std::vector<double> p999, p999_read;  // of single operations of one writer
  std::vector<double> insert_ns, snapshot_ns;  // a key
  double bytes = 0;                            // a key, beyond the key itself
  double peak_bytes = -1;                      // the most of it at any number of keys from 1,000 on
};

// Runs `op(writer)` in `writers` threads, while `reader` runs again and again in another until they are done.
// Returns the wall time until the last writer was done.
double InThreads(int writers, const std::function<void(int)>& op, const std::function<void()>& reader) {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> done{false};
  auto wait = [&] {
    ready.fetch_add(1);
    while (!go.load(std::memory_order_acquire)) std::this_thread::yield();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      wait();
      op(i);
    });
  }
  std::thread reading;
  if (reader) {
    reading = std::thread([&] {
      wait();
      while (!done.load(std::memory_order_acquire)) reader();
    });
  }
  while (ready.load() < writers + (reader ? 1 : 0)) std::this_thread::yield();
  Clock::time_point start = Clock::now();
  go.store(true, std::memory_order_release);
  for (std::thread& thread : threads) thread.join();
  double wall = NsSince(start);
  done.store(true, std::memory_order_release);
  if (reading.joinable()) reading.join();
  return wall;
}

template <typename Table, typename Key>
void Round(const std::vector<Key>& keys, const std::vector<uint32_t>* orders, Measured* out) {
  size_t before = HeapBytes();
  auto table = std::make_unique<Table>();
  double cpu = CpuNs();
  for (const Key& key : keys) table->Add(key);
  out->insert_ns.push_back((CpuNs() - cpu) / static_cast<double>(keys.size()));
  size_t taken = table->Bytes() != 0 ? table->Bytes() : HeapBytes() - before;
  out->bytes = static_cast<double>(taken) / static_cast<double>(keys.size()) - sizeof(Key);

  // A profiler has the key in a buffer of its own, in the nearest cache.
  auto find_all = [&](int writer) {
    const std::vector<uint32_t>& order = orders[writer];
    Key some[Table::kBatch];
    for (size_t i = 0; i + Table::kBatch <= order.size(); i += Table::kBatch) {
      for (size_t j = 0; j < Table::kBatch; ++j) memcpy(&some[j], &keys[order[i + j]], sizeof(Key));
      table->AddBatch(some);
    }
  };
  auto find_each_timed = [&](std::vector<double>* times) {
    Key key;
    times->reserve(orders[0].size() / 4);
    for (size_t i = 0; i < orders[0].size() / 4; ++i) {
      memcpy(&key, &keys[orders[0][i]], sizeof(key));
      Clock::time_point begin = Clock::now();
      table->Add(key);
      times->push_back(NsSince(begin));
    }
  };
  double operations = static_cast<double>(orders[0].size());
  find_all(0);  // warm
  auto cpu_of_find_all = [&](const std::function<void()>& reader) {
    double ns = 0;
    InThreads(
        1,
        [&](int writer) {
          double begin = CpuNs();
          find_all(writer);
          ns = CpuNs() - begin;
        },
        reader);
    return ns;
  };
  out->ns1.push_back(cpu_of_find_all(nullptr) / operations);
  out->ns2.push_back(InThreads(2, find_all, nullptr) / (2 * operations));
  std::vector<double> times;
  InThreads(
      1, [&](int) { find_each_timed(&times); }, nullptr);
  out->p999.push_back(Quantile(times, 0.999));

  std::vector<Row<Key>> rows;
  rows.reserve(keys.size());
  table->Snapshot(&rows);
  cpu = CpuNs();
  if (size_t count = table->Snapshot(&rows))
    out->snapshot_ns.push_back((CpuNs() - cpu) / static_cast<double>(count));
  if (!Table::kIterable) return;
  auto read = [&] { table->Snapshot(&rows); };
  out->ns1_read.push_back(cpu_of_find_all(read) / operations);
  out->ns2_read.push_back(InThreads(2, find_all, read) / (2 * operations));
  times.clear();
  InThreads(
      1, [&](int) { find_each_timed(&times); }, read);
  out->p999_read.push_back(Quantile(times, 0.999));
}

// The most bytes a key at any moment, old indices and all, beyond the key itself.
template <typename Table, typename Key>
double PeakBytes(const std::vector<Key>& keys) {
  auto table = std::make_unique<Table>();
  double most = -1;
  for (size_t i = 0; i < keys.size(); ++i) {
    table->Add(keys[i]);
    double bytes = static_cast<double>(table->Bytes()) / static_cast<double>(i + 1) - sizeof(Key);
    if (i + 1 >= 1000 && table->Bytes() != 0) most = std::max(most, bytes);
  }
  return most;
}

void Print(const char* key_name, size_t key_bytes, size_t keys, const Measured& m, bool first) {
  auto median = [](const std::vector<double>& values) { return Quantile(values, 0.5); };
  auto least = [](const std::vector<double>& values) { return Quantile(values, 0); };
  printf("%s\n  {\"key\": \"%s\", \"keyBytes\": %zu, \"keys\": %zu, \"table\": \"%s\", ", first ? "" : ",",
         key_name, key_bytes, keys, m.name.c_str());
  printf(
      "\"insertNs\": %.1f, \"findNs\": %.2f, \"find2Ns\": %.2f, \"findReadNs\": %.2f, \"find2ReadNs\": "
      "%.2f, ",
      least(m.insert_ns), least(m.ns1), least(m.ns2), least(m.ns1_read), least(m.ns2_read));
  printf(
      "\"p999Ns\": %.0f, \"p999ReadNs\": %.0f, \"snapshotNs\": %.2f, \"bytesOverKey\": %.1f, "
      "\"peakOverKey\": %.1f}",
      median(m.p999), median(m.p999_read), least(m.snapshot_ns), m.bytes, m.peak_bytes);
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
    Compare<StackKey, NoTable, MemprofTable, MemprofBatches, MutexTable TBB_TABLES BOOST_TABLES>(
        rounds, operations, keys, &first);
    Compare<BucketKey, NoTable, MemprofTable, MemprofBatches, MutexTable TBB_TABLES BOOST_TABLES>(
        rounds, operations, keys, &first);
  }
  printf("\n]}\n");
}
